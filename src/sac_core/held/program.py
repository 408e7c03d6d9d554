"""Where the holder's program is, for executors that bring it into a body, and the two that work beside it."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "holder"

PROGRAM = _FOLDER / "program.py"
"""One file, Python 3.8 and later, standard library only: copy it into a body or onto a machine, and start it there.

``python -I -S program.py --dir FOLDER --uid UID`` makes a daemon of itself (not with ``--foreground 1``), binds
``FOLDER/holder.sock``, holds a lock on ``FOLDER/lock`` for as long as it lives, and writes ``FOLDER/pid``, a JSON
object with ``pid`` and ``start``, when it is ready. SIGTERM ends it and all of its processes.
"""

RELAY = _FOLDER / "relay.py"
"""``python -I -S relay.py SOCKET`` joins its input and output to a holder's socket: see `sac_core.held.beside`."""

DELIVER = _FOLDER / "deliver.py"
"""``python -I -S deliver.py FOLDER`` lets a folder hold the files that its input brings: see `sac_core.held.beside`."""
