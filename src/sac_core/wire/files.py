"""Files over HTTP: ``GET`` and ``PUT /api/v1/agents/{name}/files?path=``, bodies are tar streams.

An archive that cannot be read to its end is cut: the answer breaks off. Its last bytes then tell why, as a problem
document behind a mark, at most `LONGEST` bytes in all; they are no part of the archive.
"""

from __future__ import annotations

import json
from typing import Final

from sac_core.errors import SacError
from sac_core.wire import problem

TAR: Final = "application/x-tar"
MARK: Final = b"\nSAC-Problem: "
LONGEST: Final = 4096


def encode_cut(error: SacError) -> bytes:
    """The last bytes of an answer that is cut; empty when they would be too long."""
    last = MARK + json.dumps(problem.encode(error)).encode()
    return last if len(last) <= LONGEST else b""


def decode_cut(tail: bytes) -> SacError | None:
    """The error in the last `LONGEST` bytes of an answer that broke off; None when it tells nothing."""
    _, mark, told = tail.rpartition(MARK)
    if not mark:
        return None
    try:
        document = json.loads(told)
    except ValueError:
        return None
    return problem.decode(document) if isinstance(document, dict) else None
