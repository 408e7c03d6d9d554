"""One module for each command, imported when it is used.

Belongs here: what a command does, in the order that a user sees it.
Does not belong here: what several commands need; that is one level up.
"""
