"""The holder: the small program in a body that is the parent of its processes, and two smaller ones beside it.

Belongs here: `program.py`, `relay.py` and `deliver.py`, each one file of the standard library for Python 3.8 and later,
which others locate by its path and start with ``python -I -S``. Does not belong here: any import of ours, or anything
that another part imports; the holder's client is `sac_core.held`.
"""
