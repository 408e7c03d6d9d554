"""The process executor: a body is one holder, a process of this machine and of SAC's own user. Not a sandbox.

Belongs here: folders of bodies, starting, finding and ending holders. Does not belong here: what runs in a body (the
core opens processes through the holder), and the holder itself, which is found by its path and never imported.
"""
