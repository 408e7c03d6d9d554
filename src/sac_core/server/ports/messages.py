"""Messages of a WebSocket, put together from their frames."""

from __future__ import annotations

from typing import Any

from websockets.frames import Frame, Opcode


class Message:
    """The message that is on its way; ``data`` is what came of it: as large as its bytes, however many its frames."""

    __slots__ = ("_text", "data")

    def __init__(self) -> None:
        self.data = bytearray()
        self._text = False

    def add(self, frame: Frame) -> dict[str, Any] | None:
        """The message to send, when this data frame was the last of it; then the next may begin."""
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
        self.data += frame.data
        if not frame.fin:
            return None
        data = bytes(self.data)
        self.data.clear()
        return {
            "type": "websocket.send",
            **({"text": data.decode(errors="replace")} if self._text else {"bytes": data}),
        }
