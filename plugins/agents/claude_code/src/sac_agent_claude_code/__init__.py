"""The runtime ``claude-code``.

Belongs here: what Claude Code is told by flags, variables and files, and what it says, as events of SAC. Does not
belong here: where it runs, and what it needs of a machine.
"""
