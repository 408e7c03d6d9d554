"""What a user may set of Claude Code: ``spec.runtimeOptions``."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from sac_core.models.base import Model
from sac_core.models.names import Environment
from sac_core.models.secret import SecretForm
from sac_core.models.secret_ref import SecretRef

_SERVER = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_PROGRAM = re.compile(r"(/[A-Za-z0-9._+@-]+)+\Z|[A-Za-z0-9_][A-Za-z0-9._+@-]*\Z")


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(value) > 2000 or not value.isprintable():
        raise ValueError("give a whole address, for example https://models.example.org")
    if parts.port == 0:  # asking for it raises for what is no port
        raise ValueError("there is no port 0")
    if "@" in parts.netloc:
        raise ValueError("an address holds no user and no password: keep the whole of it as a secret, as a variable")
    return value


def _server(value: str) -> str:
    if not _SERVER.match(value):
        raise ValueError(f"{value[:80]!r} is not a server's name: use letters, digits, '_' and '-'")
    return value


def _program(value: str) -> str:
    if not _PROGRAM.match(value):
        raise ValueError("give a program's name, or its absolute path")
    return value


Address = Annotated[str, AfterValidator(_address)]
"""Where something is reached over HTTP."""
Rule = Annotated[str, Field(min_length=1, max_length=500)]
"""A rule of permission as Claude Code writes it: ``Edit``, ``Bash(git diff:*)``, ``mcp__weather``."""
ModelName = Annotated[str, Field(min_length=1, max_length=200)]
"""The name of a model, as the endpoint knows it."""
Mode = Literal["default", "acceptEdits", "plan", "auto", "dontAsk", "bypassPermissions"]
"""How Claude Code asks before it does something."""


SUBSCRIPTION = SecretForm(
    pattern=r"sk-ant-oat\d\d-[A-Za-z0-9_-]{16,}",
    option="subscriptionToken",
    advice="'claude setup-token' makes it, and it begins with sk-ant-oat",
)
"""The form of a subscription's token."""


class Models(Model):
    """Which model is meant by each of the roles that Claude Code knows."""

    haiku: ModelName | None = Field(default=None, description="The model for small tasks.")
    sonnet: ModelName | None = Field(default=None, description="The model that 'sonnet' means.")
    opus: ModelName | None = Field(default=None, description="The model that 'opus' means.")


class Proxies(Model):
    """How the agent reaches the network."""

    http: Address | None = Field(default=None, description="Proxy for http.")
    https: Address | None = Field(default=None, description="Proxy for https.")
    none_for: tuple[str, ...] = Field(default=(), max_length=100, description="Hosts that are reached without one.")


class McpServer(Model):
    """A server of tools: a program in the body (``command``), or an address (``url``, with ``type`` http or sse)."""

    type: Literal["stdio", "http", "sse"] = "stdio"
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Environment = Field(default_factory=dict)
    url: Address | None = None
    headers: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> McpServer:
        wanted, other = ("command", "url") if self.type == "stdio" else ("url", "command")
        if not getattr(self, wanted) or getattr(self, other):
            raise ValueError(f"a server of type {self.type} has {wanted}, and no {other}")
        if self.headers if self.type == "stdio" else self.args or self.env:
            raise ValueError("headers belong to http and sse, args and env to stdio")
        return self


class ClaudeOptions(Model):
    """Of the three secrets at most one. Without any, Claude Code uses the login of the user whose body it is."""

    api_key: SecretRef | None = Field(default=None, description="Secret with an API key.")
    subscription_token: SecretRef | None = Field(
        default=None, description="Secret with a subscription's token, as 'claude setup-token' makes it."
    )
    gateway_token: SecretRef | None = Field(default=None, description="Secret with a bearer token for baseUrl.")
    base_url: Address | None = Field(default=None, description="Where the model is reached; none: Anthropic.")
    model: ModelName | None = Field(default=None, description="The model to begin with: a role or a name.")
    models: Models = Field(default=Models(), description="Which model is meant by haiku, sonnet and opus.")
    proxies: Proxies = Field(default=Proxies(), description="Proxies for the agent's connections.")
    permission_mode: Mode | None = Field(default=None, description="How it asks; none: as Claude Code does itself.")
    allowed_tools: tuple[Rule, ...] = Field(default=(), max_length=200, description="Rules of what needs no asking.")
    denied_tools: tuple[Rule, ...] = Field(default=(), max_length=200, description="Rules of what is refused.")
    mcp_servers: dict[Annotated[str, AfterValidator(_server)], McpServer] = Field(
        default_factory=dict, max_length=50, description="Servers of further tools, by name."
    )
    program: Annotated[str, AfterValidator(_program)] = Field(
        default="claude", description="The program in the body: a name, or an absolute path."
    )

    @model_validator(mode="after")
    def _one_secret(self) -> ClaudeOptions:
        if sum(each is not None for each in (self.api_key, self.subscription_token, self.gateway_token)) > 1:
            raise ValueError("give one of apiKey, subscriptionToken and gatewayToken")
        return self
