"""How Claude Code reaches its model without a network: through a socket that SAC carries to that one place."""

from __future__ import annotations

from urllib.parse import urlsplit

from sac_agent_claude_code.options import ClaudeOptions
from sac_core.errors import InvalidError
from sac_core.models.agent import AgentSpec
from sac_core.models.base import parse
from sac_core.models.outlet import Outlet

SOCKET = "ANTHROPIC_UNIX_SOCKET"
"""The variable that tells the program to call its model through a unix socket."""
_ANTHROPIC = "https://api.anthropic.com"
_PORTS = {"https": 443, "http": 80}


def outlets(spec: AgentSpec, options: ClaudeOptions) -> tuple[Outlet, ...]:
    """The way to the model, for an agent without a network; raises `InvalidError` for a proxy, which it cannot take."""
    if spec.egress.mode != "none":
        return ()
    if options.proxies.http or options.proxies.https:
        message = "without a network, the model is reached through SAC, and no proxy is"
        raise InvalidError(message, field="spec.runtimeOptions.proxies", hint="leave it out, or let it have a network")
    url = urlsplit(options.base_url or _ANTHROPIC)
    way = {"name": "model", "variable": SOCKET, "host": url.hostname, "port": url.port or _PORTS[url.scheme]}
    return (parse(Outlet, way, field="spec.runtimeOptions.baseUrl"),)
