"""Pure codecs: bytes and text to values and back, for every format that leaves the process.

Belongs here: problem documents, and the frames of terminal, exec, events and holder.
Does not belong here: I/O, decisions.
"""
