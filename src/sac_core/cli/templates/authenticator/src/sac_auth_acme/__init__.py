"""The authenticator ``acme``.

Belongs here: how credentials of Acme are checked, and whose they are. Does not belong here: what anybody may do.
"""
