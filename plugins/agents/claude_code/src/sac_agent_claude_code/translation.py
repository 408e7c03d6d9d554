"""From Claude Code's messages to the events of SAC. What is not known, or not as expected, is left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sac_core.models.conversation import (
    LARGEST_PIECE,
    Completed,
    Event,
    Failure,
    Permission,
    Started,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Usage,
)

Message = dict[str, Any]

_KEPT = 64
"""Messages of the model of which is remembered that they came in pieces."""


class Translation:
    """Of one conversation. ``cancelled`` says that its turn was cancelled; ``asked`` has the inputs of questions."""

    def __init__(self) -> None:
        self.cancelled = False
        self.asked: dict[str, Message] = {}
        self._pieced: list[str] = []

    def events(self, message: Message) -> Iterator[Event]:
        """What a message tells."""
        kind = message.get("type")
        if kind == "system" and message.get("subtype") == "init":
            yield Started(conversation=_text(message, "session_id"), model=_text(message, "model"))
        elif kind == "stream_event":
            yield from self._piece(message)
        elif kind == "assistant":
            yield from self._whole(message)
        elif kind == "user":
            yield from _results(message)
        elif kind == "control_request":
            yield from self._question(message)
        elif kind == "control_cancel_request":
            self.asked.pop(_text(message, "request_id"), None)
        elif kind == "result":
            yield from self._end(message)

    def _piece(self, message: Message) -> Iterator[Event]:
        event = _object(message, "event")
        if event.get("type") == "message_start":
            self._pieced = [*self._pieced[-_KEPT:], _text(_object(event, "message"), "id")]
        delta = _object(event, "delta")
        if message.get("parent_tool_use_id") is None and event.get("type") == "content_block_delta":
            yield from _said(delta, delta.get("type"), ("text_delta", "thinking_delta"))

    def _whole(self, message: Message) -> Iterator[Event]:
        """A whole answer: of one that came in pieces only the tools are new."""
        parent = message.get("parent_tool_use_id")
        told = _object(message, "message")
        new = parent is None and _text(told, "id") not in self._pieced
        for block in _blocks(told):
            if block.get("type") == "tool_use":
                yield ToolUse(
                    id=_text(block, "id"),
                    name=_text(block, "name"),
                    input=_clipped(_object(block, "input")),
                    parent=parent if isinstance(parent, str) else None,
                )
            elif new:
                yield from _said(block, block.get("type"), ("text", "thinking"))

    def _question(self, message: Message) -> Iterator[Event]:
        asked = _object(message, "request")
        if asked.get("subtype") != "can_use_tool":
            return
        request, given = _text(message, "request_id"), _object(asked, "input")
        self.asked[request] = given
        yield Permission(
            request=request,
            tool=_text(asked, "tool_name"),
            input=_clipped(given),
            message=_text(asked, "decision_reason") or _text(asked, "description"),
        )

    def _end(self, message: Message) -> Iterator[Event]:
        self.asked.clear()
        yield _usage(message)
        failed = bool(message.get("is_error")) or message.get("subtype") not in ("success", None)
        if failed and not self.cancelled:
            yield Failure(reason=_reason(message), message=why(message) or "Claude Code does not say why")
        yield Completed(outcome="cancelled" if self.cancelled else "failed" if failed else "done")


def why(message: Message) -> str:
    """What a result says of its failure."""
    errors = message.get("errors")
    told = [each for each in errors if isinstance(each, str)] if isinstance(errors, list) else []
    return (_text(message, "result") or "; ".join(told))[:LARGEST_PIECE]


def _reason(message: Message) -> str:
    status = message.get("api_error_status")
    if isinstance(status, int):
        return "ModelRefused" if 400 <= status < 500 else "ModelUnavailable"
    return {"error_max_turns": "TooManyTurns"}.get(_text(message, "subtype"), "Failed")


def _usage(message: Message) -> Usage:
    used, cost = _object(message, "usage"), message.get("total_cost_usd")
    cached = _number(used, "cache_read_input_tokens")
    fresh = _number(used, "input_tokens") + _number(used, "cache_creation_input_tokens")
    return Usage(
        input_tokens=fresh + cached,
        cached_tokens=cached,
        output_tokens=_number(used, "output_tokens"),
        cost=float(cost) if isinstance(cost, int | float) else None,
    )


def _said(block: Message, kind: object, kinds: tuple[str, str]) -> Iterator[Event]:
    if kind == kinds[0] and _text(block, "text"):
        yield Text(text=_text(block, "text"))
    elif kind == kinds[1] and _text(block, "thinking"):
        yield Thinking(text=_text(block, "thinking"))


def _results(message: Message) -> Iterator[Event]:
    if message.get("parent_tool_use_id") is not None:
        return
    for block in _blocks(_object(message, "message")):
        if block.get("type") == "tool_result":
            text = _flat(block)
            yield ToolResult(
                id=_text(block, "tool_use_id"),
                text=text[:LARGEST_PIECE],
                failed=bool(block.get("is_error")),
                truncated=len(text) > LARGEST_PIECE,
            )


def _flat(block: Message) -> str:
    """The text of a result; what else it has (pictures) is named."""
    content = block.get("content")
    if isinstance(content, str):
        return content
    parts = [_text(each, "text") or f"[{_text(each, 'type') or 'unknown'}]" for each in _blocks(block)]
    return "\n".join(parts)


def _blocks(message: Message) -> list[Message]:
    content = message.get("content")
    return [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def _clipped(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LARGEST_PIECE]
    if isinstance(value, dict):
        return {str(name): _clipped(each) for name, each in value.items()}
    return [_clipped(each) for each in value] if isinstance(value, list) else value


def _text(message: Message, name: str) -> str:
    value = message.get(name)
    return value if isinstance(value, str) else ""


def _object(message: Message, name: str) -> Message:
    value = message.get(name)
    return value if isinstance(value, dict) else {}


def _number(message: Message, name: str) -> int:
    value = message.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
