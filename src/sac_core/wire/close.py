"""Close codes of every SAC WebSocket (design section 6)."""

from __future__ import annotations

from typing import Final

ENDED: Final = 1000
GOING_AWAY: Final = 1001
TOO_BIG: Final = 1009
RESTART: Final = 1012
TRY_LATER: Final = 1013
UNAUTHENTICATED: Final = 4401
FORBIDDEN: Final = 4403
GONE: Final = 4404
REPLACED: Final = 4409
TOO_SLOW: Final = 4413
RATE: Final = 4429
INVALID: Final = 4400
"""A client frame that the protocol does not know; its reason says which."""
