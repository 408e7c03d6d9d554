"""A server as agents run them: started in a body with a port and, to be told of it, a file to write into."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

BLOCK = bytes(range(256)) * 256


def note(line: str) -> None:
    """Leave a line where the test looks."""
    with Path(sys.argv[2]).open("a") as file:
        file.write(line + "\n")


async def echo(request: Request) -> Response:
    """What came, header by header."""
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw]
    target = request.scope["raw_path"].decode() + "?" + request.scope["query_string"].decode()
    return JSONResponse({"method": request.method, "target": target, "headers": headers})


async def say(request: Request) -> Response:
    """Answer with the headers of the query, each as often as it is there."""
    response = PlainTextResponse("said", int(request.query_params.get("status", "200")))
    for name, value in request.query_params.multi_items():
        if name != "status":
            response.raw_headers.append((name.encode(), value.encode()))
    return response


async def big(request: Request) -> Response:
    """So many bytes of a known pattern."""

    async def blocks() -> AsyncIterator[bytes]:
        left = int(request.query_params["bytes"])
        while left > 0:
            yield BLOCK[:left]
            left -= len(BLOCK)

    return StreamingResponse(blocks(), media_type="application/octet-stream")


async def upload(request: Request) -> Response:
    """Count what comes."""
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    return JSONResponse({"size": size, "sha256": digest.hexdigest()})


async def early(request: Request) -> Response:
    """Refuse without reading."""
    return PlainTextResponse("too much", 413, {"Connection": "close"})


async def events(request: Request) -> Response:
    """Server-sent events until nobody listens; then leaves a note."""

    async def tell() -> AsyncIterator[str]:
        number = 0
        try:
            while True:
                yield f"data: {number}\n\n"
                number += 1
                await asyncio.sleep(0.02)
        finally:
            note("events ended")

    return StreamingResponse(tell(), media_type="text/event-stream")


async def page(request: Request) -> Response:
    """A page with a script that says who it is, over a WebSocket too."""
    return HTMLResponse(PAGE)


async def socket(socket: WebSocket) -> None:
    """Echo; the first message says with which headers it was opened."""
    if "refuse" in socket.query_params:
        await socket.send_denial_response(PlainTextResponse("not for you", 418))
        return
    await socket.accept(socket.scope["subprotocols"][0] if socket.scope["subprotocols"] else None)
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in socket.headers.raw]
    await socket.send_json({"headers": headers})
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                note(f"socket ended {message['code']}")
                return
            if message.get("text") == "close":
                await socket.close(4321, "as you wish")
                return
            if message.get("bytes") is not None:
                await socket.send_bytes(message["bytes"])
            else:
                await socket.send_text(message["text"])
    except WebSocketDisconnect:
        return


PAGE = """<!doctype html><title>An app</title><h1 id=said>loading</h1><p id=echo></p><script>
fetch("/echo").then(r => r.json()).then(a => {
  document.getElementById("said").textContent = "cookies: " +
    (a.headers.filter(h => h[0] === "cookie").map(h => h[1]).join() || "none") + " / " + document.cookie;
});
const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
socket.onmessage = () => { socket.onmessage = m => { document.getElementById("echo").textContent = m.data; };
  socket.send("over a socket"); };
</script>"""

app = Starlette(
    routes=[
        Route("/echo", echo, methods=["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
        Route("/say", say),
        Route("/big", big),
        Route("/upload", upload, methods=["POST"]),
        Route("/early", early, methods=["POST"]),
        Route("/events", events),
        Route("/", page),
        WebSocketRoute("/ws", socket),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", ws_max_size=64 * 2**20)
