"""Ports of agents, each under a host name of its own: ``p<port>-<uid>.<ports domain>``.

Belongs here: which Host names a port, who may come in there, and requests and sockets carried to the body and back.
Does not belong here: anything of SAC's own API, which no such host name ever answers; how a body's port is reached.
"""
