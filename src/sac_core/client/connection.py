"""One server's HTTP client: requests in, JSON or our errors out."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import httpx2

from sac_core.client.address import Address
from sac_core.errors import DeadlineError, LostError, SacError, UnavailableError
from sac_core.wire import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "/api/v1"
TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
UPLOAD_TIMEOUT = httpx2.Timeout(120.0, connect=10.0)
"""For each piece to be taken, and for the answer: longer than a server waits for what it writes to."""
# Below the five seconds of most servers, so that a request never goes into a connection that is being closed.
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=3.0)


class Connection:
    """Sends requests to one server with one token; follows no redirect, so the token goes nowhere else."""

    def __init__(self, address: Address, token: str | None, http: httpx2.AsyncClient) -> None:
        self.address = address
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = http

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """The JSON of the answer, None when it has no body; raises the error of a problem document.

        ``timeout`` in seconds is for the whole answer to begin; none takes 30.
        """
        request = self._http.build_request(
            method,
            API + path,
            json=json,
            params=query,
            headers={**self.headers, **(headers or {})},
            timeout=TIMEOUT if timeout is None else httpx2.Timeout(timeout, connect=10.0),
        )
        with translated(self.address):
            response = await self._http.send(request)
        return _content(response)

    @asynccontextmanager
    async def stream(
        self, path: str, *, query: Mapping[str, str] | None = None, method: str = "GET", json: Any = None
    ) -> AsyncIterator[httpx2.Response]:
        """An answer that comes piece by piece, without a limit between the pieces."""
        timeout = httpx2.Timeout(30.0, connect=10.0, read=None)
        with translated(self.address, begun=True):
            async with self._http.stream(
                method, API + path, params=query, json=json, headers=self.headers, timeout=timeout
            ) as response:
                if response.status_code >= 300:
                    await response.aread()
                    raise failure(response.status_code, response.content)
                yield response

    async def upload(self, path: str, content: AsyncIterable[bytes], *, media_type: str) -> None:
        """Send a body piece by piece, as quickly as the server takes it."""
        headers = {**self.headers, "Content-Type": media_type}
        request = self._http.build_request("PUT", API + path, content=content, headers=headers, timeout=UPLOAD_TIMEOUT)
        with translated(self.address):
            _content(await self._http.send(request))


@asynccontextmanager
async def open_connection(address: Address, token: str | None) -> AsyncIterator[Connection]:
    """A connection pool to ``address``. Proxies of the environment are used for other machines only."""
    trust_env = not address.local
    uds = str(address.socket) if address.socket is not None else None
    transport = httpx2.AsyncHTTPTransport(uds=uds, limits=LIMITS) if uds else None
    async with httpx2.AsyncClient(
        base_url=address.base, transport=transport, limits=LIMITS, timeout=TIMEOUT, trust_env=trust_env
    ) as http:
        yield Connection(address, token, http)


def failure(status: int, body: bytes) -> SacError:
    """The error that a refused request carries."""
    try:
        document = httpx2.Response(status, content=body).json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {"status": status, "detail": f"the server answered {status}, and not as a SAC server does"}
    return problem.decode(document, http_status=status)


def unreachable(address: Address) -> UnavailableError:
    """Nobody answers."""
    where = address.socket or address.url
    return UnavailableError(f"no SAC server answers at {where}", hint="start one with `sac up`, or check the address")


@contextmanager
def translated(address: Address, *, begun: bool = False) -> Iterator[None]:
    """Turn the HTTP library's errors into ours; ``begun`` says that a break is a loss of what was being read."""
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise unreachable(address) from error
    except httpx2.TimeoutException as error:
        raise DeadlineError(f"{address.url} did not answer in time", hint="try again") from error
    except httpx2.HTTPError as error:
        if begun:
            raise LostError(f"the connection to {address.url} broke", hint="ask again from where it stopped") from error
        raise UnavailableError(f"the connection to {address.url} broke: {error}", hint="try again") from error


def _content(response: httpx2.Response) -> Any:
    if response.status_code >= 300:
        raise failure(response.status_code, response.content)
    return response.json() if response.content else None
