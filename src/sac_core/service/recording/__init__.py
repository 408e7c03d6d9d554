"""Recordings: a stage that keeps what sessions print, sealed, and gives it back as asciicast v2.

Belongs here: the recorder, the form of what it keeps, reading it again, and for how long it is kept.
Does not belong here: how a stage is fed (`sac_core.service.stages`), where chunks are kept (the store).
"""
