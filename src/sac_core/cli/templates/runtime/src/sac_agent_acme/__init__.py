"""The runtime ``acme``.

Belongs here: what an Acme agent needs to run. Does not belong here: where it runs, and any input or output.
"""
