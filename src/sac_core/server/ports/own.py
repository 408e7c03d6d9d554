"""SAC's own few paths at the host name of a port, below ``/.sac/``: where a link signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import Field
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from sac_core.errors import ForbiddenError, NotFoundError
from sac_core.models.base import Model, parse
from sac_core.server.bodies import read_object
from sac_core.server.door import ARRIVAL, Arrival
from sac_core.server.ports.names import PortHost
from sac_core.server.ports.pages import GUARD
from sac_core.service.port_signins import SIGN_IN_TTL

if TYPE_CHECKING:
    from sac_core.server.site import Site

PREFIX: Final = "/.sac/"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Signing in</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
<p id="said">Signing in ...</p>
<script type="module" src="/.sac/open.js"></script>
</html>
"""
_SCRIPT: Final = """
const code = new URLSearchParams(location.hash.slice(1)).get("code");
history.replaceState(null, "", "/.sac/");
const answer = await fetch("/.sac/signin", {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({code: code ?? ""}),
});
if (answer.ok) location.replace("/");
else {
  const problem = await answer.json();
  document.getElementById("said").textContent = `${problem.detail}: ${problem.hint ?? ""}`;
}
"""


class _Code(Model):
    code: str = Field(max_length=256)


async def serve_own(site: Site, host: PortHost, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer below `PREFIX`; nothing there ever reaches the body."""
    asked = (scope.get("method", ""), scope["path"])
    if asked == ("GET", PREFIX):
        response: Response = HTMLResponse(_PAGE, headers={**GUARD, "Content-Security-Policy": _POLICY})
    elif asked == ("GET", f"{PREFIX}open.js"):
        response = Response(_SCRIPT, headers=GUARD, media_type="text/javascript")
    elif asked == ("POST", f"{PREFIX}signin"):
        response = await _sign_in(site, host, scope, receive)
    else:
        raise NotFoundError("there is nothing at this address")
    await response(scope, receive, send)


async def _sign_in(site: Site, host: PortHost, scope: Scope, receive: Receive) -> Response:
    arrival: Arrival = scope[ARRIVAL]
    if not arrival.origin:
        raise ForbiddenError("only a page of this address signs in here", reason="OriginNotAllowed", field="Origin")
    code = parse(_Code, await read_object(scope, receive)).code
    cookie = await site.core.signins.ports.redeem_code(code, host.uid, host.port)
    response = Response(status_code=204, headers=GUARD)
    response.set_cookie(
        site.ports.cookie(),
        cookie,
        max_age=int(SIGN_IN_TTL),
        path="/",
        secure=host.authority.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response
