"""Runs in a body, Python 3.8+: joins its input and output to the holder's socket. Says ``+`` once it has it.

It imports nothing that is written in Python: official images bring no compiled library, so that `socket` and
`threading` alone would take five times as long as all the rest, at each start of an agent.
"""

import _socket
import _thread
import os
import sys
import time

SIZE = 256 * 1024
PATIENCE = 4.0


def connect(path: str) -> _socket.socket:
    """The socket, within some seconds; a holder may be starting."""
    until = time.monotonic() + PATIENCE
    while True:
        sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            sock.connect(path)
            return sock
        except OSError:
            sock.close()
            if time.monotonic() > until:
                os.write(1, b"-")
                os._exit(3)
            time.sleep(0.01)


def write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def outwards(sock: _socket.socket) -> None:
    """From the holder to SAC; the end of either is the end of both."""
    try:
        while True:
            data = sock.recv(SIZE)
            if not data:
                break
            write(data)
    finally:
        os._exit(0)


def main(path: str) -> None:
    sock = connect(path)
    write(b"+")
    _thread.start_new_thread(outwards, (sock,))
    try:
        while True:
            data = os.read(0, SIZE)
            if not data:
                break
            sock.sendall(data)
    finally:
        os._exit(0)


main(sys.argv[1])
