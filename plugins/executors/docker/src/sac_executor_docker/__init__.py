"""The executor ``docker``: a body is a container, with SAC's holder as its first process where the image has a Python.

Belongs here: all that knows Docker. `sdk` alone imports the client library, with the first call of
an engine that is there; `streams` and `connections` speak HTTP beside it. Does not belong here: decisions about agents.
"""
