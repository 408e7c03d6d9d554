"""The room that decides: agents, sessions, their reconciling, terminals, and who is signed in.

Belongs here: every decision and every state change, over the contracts of store and executor.
Does not belong here: HTTP, SQL, or the name of any executor.
"""
