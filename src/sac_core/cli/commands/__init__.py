"""One module for each command, imported when it is used.

Belongs here: what a command does, in the order that a user sees it. What several commands need is one level up.
"""
