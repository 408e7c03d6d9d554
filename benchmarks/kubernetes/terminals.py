"""A terminal in a pod, through SAC and through a bare WebSocket exec of the cluster's API: the echo of a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode

from benchmarks.docker.agents import running
from benchmarks.echo import COMMAND, SessionKeyboard, added_echo, in_turn, sequential, wait_ready
from benchmarks.figures import Figure
from benchmarks.kubernetes.cluster import Cluster, open_cluster
from benchmarks.websocket import BINARY, WebSocket, connect

_NAME = "bench-terminals"
_PROTOCOL = "v4.channel.k8s.io"
_STDIN, _STDOUT = b"\0", b"\1"


class ExecKeyboard:
    """An exec with a terminal; what is pressed goes to the cluster's API as it is."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    def fileno(self) -> int:
        return self._socket.fileno()

    def press(self) -> None:
        self._socket.send(BINARY, _STDIN + b"k")

    def seen(self) -> int:
        found = [payload for opcode, payload in self._socket.receive() if opcode == BINARY]
        return sum(len(payload) - 1 for payload in found if payload[:1] == _STDOUT)


def measure(*, keys: int = 1000, rounds: int = 5) -> Iterator[Figure]:
    """In the pod of one agent, ours and the API's own stream in turn."""
    with open_cluster() as (cluster, server), running(server, cluster.image, [_NAME], executor="kubernetes"):
        session = server.session(_NAME, *COMMAND)
        bare_socket = _exec(cluster, server.look(_NAME)["metadata"]["uid"])
        with closing(server.attach(session)) as socket, closing(bare_socket):
            ours, bare = SessionKeyboard(socket), ExecKeyboard(bare_socket)
            wait_ready(ours)
            wait_ready(bare)
            pairs = in_turn(lambda keyboards: sequential(keyboards[0], keys), [ours], [bare], rounds)
        yield added_echo("echo, pod, p50", *pairs, bar=1.0, percent=50, peer_name="WebSocket exec")


def _exec(cluster: Cluster, uid: str) -> WebSocket:
    """A terminal in the agent's pod."""
    pod = cluster.found("pods", f"sac/uid={uid}")[0]["metadata"]["name"]
    query = {"container": "agent", "stdin": "true", "stdout": "true", "tty": "true", "command": list(COMMAND)}
    path = f"/api/v1/namespaces/{cluster.namespace}/pods/{pod}/exec?{urlencode(query, doseq=True)}"
    url, context = cluster.address()
    return connect(url + path, subprotocol=_PROTOCOL, context=context)
