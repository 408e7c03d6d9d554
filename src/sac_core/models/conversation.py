"""What is told of a conversation with an agent: a closed vocabulary of events, and an answer to a question."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sac_core.models.base import Model

LARGEST_PIECE = 64 * 1024
"""Characters of a tool's result, or of a text in its input, that are told; what is more is cut off."""


class Started(Model):
    """A turn has begun. ``conversation`` is what resumes it later; ``model`` who answers."""

    type: Literal["started"] = "started"
    conversation: str
    model: str = ""


class Text(Model):
    """A piece of what is answered, in order: put the pieces together."""

    type: Literal["text"] = "text"
    text: str


class Thinking(Model):
    """A piece of what is thought."""

    type: Literal["thinking"] = "thinking"
    text: str


class ToolUse(Model):
    """A tool is used. ``parent`` is the use by which an agent below this one was begun, if one uses it."""

    type: Literal["tool_use"] = "tool_use"
    id: str
    name: str
    input: dict[str, Any] = Field(default_factory=dict)
    parent: str | None = None


class ToolResult(Model):
    """What came of a use of a tool, by its ``id``."""

    type: Literal["tool_result"] = "tool_result"
    id: str
    text: str = ""
    failed: bool = False
    truncated: bool = False


class Permission(Model):
    """It asks whether it may use a tool, and waits for an answer to ``request``."""

    type: Literal["permission"] = "permission"
    request: str
    tool: str
    input: dict[str, Any] = Field(default_factory=dict)
    message: str = ""


class Usage(Model):
    """What the turn has used: tokens, those of the input that came from a cache, and US dollars where that is known."""

    type: Literal["usage"] = "usage"
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None


class Failure(Model):
    """Why the turn failed; `Completed` follows."""

    type: Literal["error"] = "error"
    reason: str
    message: str


class Completed(Model):
    """The last event of every turn."""

    type: Literal["completed"] = "completed"
    outcome: Literal["done", "cancelled", "failed"] = "done"


Event = Annotated[
    Started | Text | Thinking | ToolUse | ToolResult | Permission | Usage | Failure | Completed,
    Field(discriminator="type"),
]
"""Everything that is ever told of a turn."""


class Decision(Model):
    """The answer to a `Permission`; ``message`` tells the agent why not."""

    allow: bool
    message: str = ""
