"""Pure codecs: bytes and text to values and back, for every format that leaves the process.

Belongs here: the envelope, problem documents, and the frames of terminal, exec, events and holder. No I/O, no decisions.
"""
