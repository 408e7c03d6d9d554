"""The stage ``acme``.

Belongs here: what Acme does with the output of sessions. Does not belong here: changing it, for a stage only sees.
"""
