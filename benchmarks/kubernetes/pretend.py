"""A stand-in for a cluster's API with pods that cost nothing: python -m benchmarks.kubernetes.pretend FOLDER.

Every Deployment with a replica has a pod that runs at once, and every exec in it reaches a holder without processes.
Its kubeconfig is in FOLDER once it listens. What it says of objects is as long as what a real cluster says.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import trustme
from aiohttp import WSMsgType, web

from sac_core.wire import holder as wire

Object = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
_STDIN, _STDOUT = b"\0", b"\1"
_PROTOCOL = "v4.channel.k8s.io"


class World:
    """All objects by resource and name, and what happened to them."""

    def __init__(self) -> None:
        self.version = 1
        self.objects: dict[str, dict[str, Object]] = {}
        self.events: list[tuple[int, str, str, Object]] = []
        self.changed = asyncio.Event()

    def put(self, resource: str, found: Object) -> Object:
        """Have an object, in another version."""
        objects = self.objects.setdefault(resource, {})
        name = found["metadata"]["name"]
        verb = "MODIFIED" if name in objects else "ADDED"
        self._happened(resource, verb, found)
        objects[name] = found
        return found

    def drop(self, resource: str, name: str) -> Object | None:
        """Have it no more."""
        found = self.objects.get(resource, {}).pop(name, None)
        if found is not None:
            self._happened(resource, "DELETED", found)
        return found

    def _happened(self, resource: str, verb: str, found: Object) -> None:
        self.version += 1
        found["metadata"]["resourceVersion"] = str(self.version)
        self.events.append((self.version, resource, verb, json.loads(json.dumps(found))))
        self.changed.set()
        self.changed = asyncio.Event()


class Api:
    """The parts of the API that the executor uses."""

    def __init__(self) -> None:
        self.world = World()
        self.execs: list[web.WebSocketResponse] = []
        """All that were opened."""

    def routes(self) -> list[web.RouteDef]:
        """Of the core and of `apps`."""
        found: list[web.RouteDef] = [
            web.get("/version", self.about),
            web.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", self.allowed),
        ]
        for start in ("/api/v1", "/apis/apps/v1"):
            place = start + "/namespaces/{namespace}/{resource}"
            found += [
                web.get(place, self.listed),
                web.post(place, self.create),
                web.get(place + "/{name}", self.one),
                web.patch(place + "/{name}", self.patch),
                web.delete(place + "/{name}", self.delete),
                web.get(place + "/{name}/exec", self.enter),
            ]
        return found

    async def about(self, request: web.Request) -> web.Response:
        return web.json_response({"gitVersion": "v1.30.0", "major": "1", "minor": "30"})

    async def allowed(self, request: web.Request) -> web.Response:
        return web.json_response({"status": {"allowed": True}}, status=201)

    async def one(self, request: web.Request) -> web.Response:
        found = self._find(request)
        return _refused(404) if found is None else web.json_response(found)

    async def create(self, request: web.Request) -> web.Response:
        resource, found = request.match_info["resource"], await request.json()
        if found["metadata"]["name"] in self.world.objects.get(resource, {}):
            return _refused(409)
        found["metadata"] |= {"uid": str(uuid4()), "generation": 1, "managedFields": _managed(found)}
        return web.json_response(self._written(resource, found), status=201)

    async def patch(self, request: web.Request) -> web.Response:
        found = self._find(request)
        if found is None:
            return _refused(404)
        change = await request.json()
        if isinstance(change, list):
            if not _stepped(found, change):
                return _refused(422)
        elif change["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
            return _refused(409)
        else:
            found["spec"] = change["spec"]
            found["metadata"]["labels"] |= change["metadata"]["labels"]
            found["metadata"]["annotations"] |= change["metadata"]["annotations"]
        found["metadata"]["generation"] += 1
        return web.json_response(self._written(request.match_info["resource"], found))

    async def delete(self, request: web.Request) -> web.Response:
        found = self.world.drop(request.match_info["resource"], request.match_info["name"])
        return _refused(404) if found is None else web.json_response(found)

    async def listed(self, request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return await self._watch(request)
        resource = request.match_info["resource"]
        uid = next((each[8:] for each in request.query["labelSelector"].split(",") if each.startswith("sac/uid=")), "")
        every = [
            each
            for each in self.world.objects.get(resource, {}).values()
            if not uid or each["metadata"]["labels"].get("sac/uid") == uid
        ]
        begin = int(request.query.get("continue") or 0)
        end = begin + int(request.query.get("limit") or len(every) or 1)
        following = str(end) if end < len(every) else ""
        about = {"resourceVersion": str(self.world.version), "continue": following}
        return web.json_response({"metadata": about, "items": every[begin:end]})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        """Ends after its time, as a real one does."""
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        since, resource = int(request.query["resourceVersion"]), request.match_info["resource"]
        loop = asyncio.get_running_loop()
        until = loop.time() + float(request.query["timeoutSeconds"])
        while (left := until - loop.time()) > 0:
            changed = self.world.changed
            for version, kind, verb, found in self._events_since(since):
                since = version
                if kind == resource:
                    await answer.write(json.dumps({"type": verb, "object": found}).encode() + b"\n")
            if changed is self.world.changed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), left)
        return answer

    def _events_since(self, version: int) -> list[tuple[int, str, str, Object]]:
        events = self.world.events
        behind = next((at for at in range(len(events), 0, -1) if events[at - 1][0] <= version), 0)
        return events[behind:]

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """An exec of the relay."""
        pod = self._find(request)
        if pod is None:
            return _refused(404)
        socket = web.WebSocketResponse(protocols=(_PROTOCOL,))
        await socket.prepare(request)
        self.execs.append(socket)
        await socket.send_bytes(_STDOUT + b"+")
        decoder = wire.Decoder()
        async for message in socket:
            if message.type != WSMsgType.BINARY or message.data[:1] != _STDIN:
                continue
            for frame in decoder.feed(message.data[1:]):
                if isinstance(frame, wire.Frame) and frame.type == wire.CALL:
                    call = wire.decode_json(frame.payload)
                    said = {"id": call["id"], "ok": _held(call, pod["metadata"]["labels"]["sac/uid"])}
                    await socket.send_bytes(_STDOUT + wire.encode_json(wire.REPLY, 0, said))
        return socket

    def _find(self, request: web.Request) -> Object | None:
        return self.world.objects.get(request.match_info["resource"], {}).get(request.match_info["name"])

    def _written(self, resource: str, found: Object) -> Object:
        """Have it, and what a cluster makes of it."""
        if resource == "deployments":
            found["status"] = {"observedGeneration": found["metadata"]["generation"]}
            self.world.put(resource, found)
            pod = found["metadata"]["name"] + "-pod"
            if found["spec"].get("replicas") and pod not in self.world.objects.get("pods", {}):
                self.world.put("pods", _pod(found, pod))
            elif not found["spec"].get("replicas"):
                self.world.drop("pods", pod)
            return found
        return self.world.put(resource, found)


def _pod(deployment: Object, name: str) -> Object:
    template = json.loads(json.dumps(deployment["spec"]["template"]))
    about = {**template["metadata"], "name": name, "uid": str(uuid4())}
    running = {"state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "restartCount": 0}
    status = {
        "phase": "Running",
        "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{"name": each["name"], **running} for each in template["spec"]["containers"]],
    }
    return {"metadata": about | {"managedFields": _managed(template)}, "spec": template["spec"], "status": status}


def _managed(found: Object) -> list[Object]:
    """Clusters tell who wrote each field: that is half of what they say."""
    return [{"manager": "pretend", "operation": "Update", "fieldsV1": json.loads(json.dumps(found.get("spec", {})))}]


def _stepped(found: Object, steps: list[Object]) -> bool:
    """A JSON patch of members of objects; False when one of its tests fails."""
    for step in steps:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"][1:].split("/")]
        place = found
        for part in way:
            place = place[part]
        if step["op"] == "test" and place.get(last) != step["value"]:
            return False
        if step["op"] == "add":
            place[last] = step["value"]
    return True


def _held(call: Object, uid: str) -> Object:
    """What a holder without processes answers."""
    if call["call"] == "hello":
        return {"version": wire.VERSION, "uid": uid, "pid": 1, "start": 1, "processes": [], "folder": "/run"}
    return {"processes": []}


def _refused(status: int) -> web.Response:
    return web.json_response({"kind": "Status", "code": status, "message": "refused"}, status=status)


@asynccontextmanager
async def pretended(folder: Path, *, first: Sequence[Middleware] = ()) -> AsyncIterator[Api]:
    """The stand-in, with a kubeconfig in ``folder``; what is ``first`` may answer instead of it."""
    api = Api()
    app = web.Application(middlewares=first)
    app.add_routes(api.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        (folder / "writing").write_text(json.dumps(_kubeconfig(runner.addresses[0][1])))
        (folder / "writing").rename(folder / "kubeconfig")
        yield api
    finally:
        await runner.cleanup()


def _kubeconfig(port: int) -> Object:
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": "ca.pem"}
    return {
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": {"token": "none"}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": "bench"}}],
        "current-context": "it",
    }


async def serve(folder: Path) -> None:
    """Until it is ended."""
    async with pretended(folder):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
