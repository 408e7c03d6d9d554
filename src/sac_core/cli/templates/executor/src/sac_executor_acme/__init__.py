"""The executor ``acme``.

Belongs here: all that knows Acme; the client library of Acme is imported in one module, when the executor is opened.
Does not belong here: decisions about agents; SAC's core calls the executor again until what it sees is what it wants.
"""
