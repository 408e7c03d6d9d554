"""The executor ``docker``: a body is a container, with SAC's holder as its first process where the image has a Python.

Belongs here: all that knows Docker. `engine` alone imports the client library, `streams` alone speaks HTTP beside it;
both are imported when the executor is opened. Does not belong here: decisions about agents.
"""
