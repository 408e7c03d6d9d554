"""The peer: terminado as its documentation serves it, one command for each socket. Prints its port."""

from __future__ import annotations

import sys

import tornado.httpserver
import tornado.ioloop
import tornado.netutil
import tornado.web
from terminado.management import UniqueTermManager
from terminado.websocket import TermSocket


def main(command: list[str]) -> None:
    """Serve ``/ws`` on a free port until this process is ended."""
    manager = UniqueTermManager(shell_command=command)
    app = tornado.web.Application([(r"/ws", TermSocket, {"term_manager": manager})])
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    tornado.httpserver.HTTPServer(app).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    tornado.ioloop.IOLoop.current().start()


if __name__ == "__main__":
    main(sys.argv[1:])
