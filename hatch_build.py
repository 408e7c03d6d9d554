"""Builds the console into the wheel."""
