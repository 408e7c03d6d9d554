"""Calls of one cluster, below one namespace: objects as dictionaries, failures as errors of ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import anyio
import anyio.lowlevel
from anyio import to_thread

from sac_executor_kubernetes.kubeconfig import Access
from sac_executor_kubernetes.naming import FIELD_MANAGER
from sac_executor_kubernetes.troubles import ClusterAbsent, Refusal, no_cluster, refusal

if TYPE_CHECKING:
    from sac_executor_kubernetes.sdk import Sdk, WebSocket

Object = dict[str, Any]
_REVIEWS = "/apis/authorization.k8s.io/v1"
PREFIXES = {
    "deployments": "/apis/apps/v1",
    "selfsubjectaccessreviews": _REVIEWS,
    "selfsubjectrulesreviews": _REVIEWS,
}
"""Where resources are that are not in the core of the API."""
_TURNS = 5
"""Of the event loop, in which connections close whose greeting was cancelled: nobody else waits for them."""
_APPLY, _STEPS = "application/apply-patch+yaml", "application/json-patch+json"


@asynccontextmanager
async def open_cluster(access: Access | None, timeout: float) -> AsyncIterator[Cluster]:
    """A cluster that need not answer, or that nobody has named; its connections are closed in the end."""
    cluster = Cluster(access, timeout)
    try:
        yield cluster
    finally:
        with anyio.CancelScope(shield=True):
            await cluster.aclose()


class Cluster:
    """Finds and changes objects; decides nothing. Raises `Refusal` and `ClusterAbsent`."""

    def __init__(self, access: Access | None, timeout: float) -> None:
        self.namespace = access.namespace if access else ""
        self.server = access.server if access else ""
        self.date = ""  # of its last answer, as HTTP writes it
        self._access, self._timeout = access, timeout
        self._sdk: Sdk | None = None
        self._loading = anyio.Lock()

    async def aclose(self) -> None:
        """Close its connections."""
        if self._sdk is not None:
            await self._sdk.aclose()
            for _ in range(_TURNS):
                await anyio.lowlevel.cancel_shielded_checkpoint()

    async def get(self, resource: str, name: str) -> Object | None:
        """An object, or None."""
        return await self._found("GET", f"{self.place(resource)}/{quote(name)}")

    async def list(self, resource: str, selector: str) -> list[Object]:
        """All objects that a selector of labels fits."""
        return list((await self.listed(resource, selector))["items"])

    async def listed(self, resource: str, selector: str) -> Object:
        """The same, with the version that the list is of."""
        return await self._call("GET", f"{self.place(resource)}?{urlencode({'labelSelector': selector})}")

    async def create(self, resource: str, wanted: Object) -> Object:
        """Make an object; 409 when there is one of its name."""
        return await self._call("POST", f"{self.place(resource)}?fieldManager={FIELD_MANAGER}", wanted)

    async def review(self, resource: str, wanted: Object) -> Object:
        """Ask a question that is no object of the namespace."""
        return await self._call("POST", f"{PREFIXES[resource]}/{resource}", wanted)

    async def apply(self, resource: str, wanted: Object) -> Object:
        """Let an object be as wanted; with a resourceVersion in it, only if it is unchanged, else 409."""
        query = f"fieldManager={FIELD_MANAGER}&force=true"
        path = f"{self.place(resource)}/{wanted['metadata']['name']}?{query}"
        return await self._call("PATCH", path, wanted, kind=_APPLY)

    async def change(self, resource: str, name: str, steps: Sequence[Object]) -> Object:
        """Change some fields of an object, all or none, if it is as the steps that are tests say; else 422."""
        path = f"{self.place(resource)}/{quote(name)}?fieldManager={FIELD_MANAGER}"
        return await self._call("PATCH", path, list(steps), kind=_STEPS)

    async def delete(self, resource: str, name: str, options: Object) -> Object | None:
        """Delete an object; None when it is not there."""
        return await self._found("DELETE", f"{self.place(resource)}/{quote(name)}", options)

    async def raw(self, path: str) -> Object:
        """What is at a path of the API."""
        return await self._call("GET", path)

    @asynccontextmanager
    async def lines(self, path: str, *, silence: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """An answer that comes line by line."""
        sdk = await self._loaded()
        try:
            async with sdk.lines(path, silence=silence) as (status, lines):
                if status != 200:
                    raise refusal(status, {}, b"".join([line async for line in lines]))
                yield lines
        except _failures() as error:
            raise self._absent(error) from None

    async def websocket(self, path: str) -> WebSocket:
        """A WebSocket to a path of the API."""
        from sac_executor_kubernetes.sdk import refused_status

        sdk = await self._loaded()
        try:
            return await sdk.websocket(path, timeout=self._timeout)
        except _failures() as error:
            refused = refused_status(error)
            if refused is not None:
                raise Refusal(*refused) from None
            raise self._absent(error) from None

    def place(self, resource: str) -> str:
        """The path of the objects of a resource."""
        return f"{PREFIXES.get(resource, '/api/v1')}/namespaces/{self.namespace}/{resource}"

    async def _found(self, method: str, path: str, body: Object | None = None) -> Object | None:
        try:
            return await self._call(method, path, body)
        except Refusal as error:
            if error.status == 404:
                return None
            raise

    async def _call(self, method: str, path: str, body: object = None, *, kind: str = "application/json") -> Object:
        sdk = await self._loaded()
        try:
            with anyio.fail_after(self._timeout):
                status, headers, data = await sdk.request(method, path, body=body, kind=kind, timeout=self._timeout)
        except _failures() as error:
            raise self._absent(error) from None
        self.date = headers.get("Date", "")
        if status >= 300:
            raise refusal(status, headers, data)
        found: Object = await _parsed(data)
        return found

    async def _loaded(self) -> Sdk:
        """The library, imported in a thread: it takes seconds. Not for a cluster that nobody has named."""
        if self._access is None:
            raise no_cluster()
        async with self._loading:
            if self._sdk is None:
                self._sdk = await to_thread.run_sync(_load, self._access)
            return self._sdk

    def _absent(self, error: BaseException) -> ClusterAbsent:
        from sac_executor_kubernetes.sdk import certificate_trouble

        said = "it does not answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return ClusterAbsent(self.server, said[:300], untrusted=certificate_trouble(error))


_LARGE = 256 * 1024


async def _parsed(data: bytes) -> Any:
    """Long lists in a thread: nobody else shall wait for them."""
    return json.loads(data) if len(data) < _LARGE else await to_thread.run_sync(json.loads, data)


def _load(access: Access) -> Sdk:
    from sac_executor_kubernetes.sdk import Sdk

    return Sdk(access)


def _failures() -> tuple[type[BaseException], ...]:
    from sac_executor_kubernetes.sdk import FAILURES

    return FAILURES


def selector_query(selector: str, more: Mapping[str, str]) -> str:
    """The query of a list or a watch."""
    return urlencode({"labelSelector": selector, **more})
