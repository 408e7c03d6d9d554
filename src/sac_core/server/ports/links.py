"""The API's side of ports: a link that signs a browser in at one port's host name."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.types import ASGIApp

from sac_core.errors import InvalidError
from sac_core.models.base import Model
from sac_core.server.answers import document
from sac_core.server.call import Call
from sac_core.server.door import ARRIVAL
from sac_core.server.ports.own import PREFIX
from sac_core.server.route import Route


class PortLink(Model):
    """A link to a port: it opens it once, within ten minutes, and then signs that browser in there."""

    url: str


def port_routes() -> Iterator[Route]:
    """The routes of this module."""
    yield Route(
        "POST", "/api/v1/agents/{name}/ports/{port}/links", "agents:dial", link,
        "A link to a port, which signs a browser in there", returns=PortLink, status=201,
    )  # fmt: skip


async def link(call: Call) -> ASGIApp:
    agent = await call.sac.agents.get(call.name)
    port = _number(str(call.scope["path_params"]["port"]))
    core, identity, uid = call.site.core, call.known, agent.metadata.uid
    await core.require_port(identity.principal, uid, port)
    code = await core.signins.ports.issue_code(identity.principal, uid, port, console=identity.cookie)
    listening = call.site.listening or call.scope[ARRIVAL].authority.port
    return document(PortLink(url=f"{call.site.ports.origin(uid, port, listening)}{PREFIX}#code={code}"), 201)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise InvalidError(f"{text[:40]!r} is no port", field="port", hint="a number from 1 to 65535")
    return int(text)
