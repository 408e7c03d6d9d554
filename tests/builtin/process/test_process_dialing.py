"""A port of a process agent: what the agent itself listens on, wherever that is, and nothing of anybody else."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream

from live_server import until
from sac_core.builtin.process.executor import ProcessExecutor, open_process_executor
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.errors import NotFoundError, NotReadyError
from sac_core.held import HolderLink, open_link
from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS, Launch, Port, Template
from sac_core.models.process import Command
from sac_core.testing.fixtures import new_key, temporary_context, unused_port

SERVE = """
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2])), family=int(sys.argv[3])) as listener:
    while True:
        with listener.accept()[0] as found:
            found.sendall(b"mine")
"""


class Body:
    """A running body that declares one port."""

    def __init__(self, executor: ProcessExecutor, key: Key, port: int, link: HolderLink) -> None:
        self.executor, self.key, self.port, self.link = executor, key, port, link

    async def serve(self, address: str, *before: str) -> None:
        """Listen there until the test ends; ``before`` is put in front of the command."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        argv = (*before, sys.executable, "-c", SERVE, address, str(self.port), str(int(family)))
        await self.link.open_process(f"serve-{address}", Command(argv=argv))

    async def dialled(self) -> ByteStream:
        """A stream, once something listens."""

        async def attempt() -> ByteStream | None:
            try:
                return await self.executor.dial(self.key, self.port)
            except NotReadyError:
                return None

        return await until(attempt)


@pytest.fixture
async def body(tmp_path: Path) -> AsyncIterator[Body]:
    with temporary_context() as context:
        async with open_process_executor(ProcessSettings(), context) as executor:
            key, port = new_key(), unused_port()
            launch = Launch(template=Template(ports=(Port(name="web", port=port),)))

            async def runs() -> bool:
                return (await executor.ensure(key, launch, NO_SECRETS)).phase == "running"

            async def gone() -> bool:
                return (await executor.delete(key, generation=9, grace=0.5, purge=True)).phase == "absent"

            await until(runs)
            stream = await executor.open_holder(key)
            assert stream is not None
            async with open_link(stream) as link:
                yield Body(executor, key, port, link)
            await until(gone)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::", "127.0.0.7"])
async def test_a_listener_is_reached_wherever_it_listens(body: Body, address: str) -> None:
    await body.serve(address)
    async with await body.dialled() as stream:
        assert await stream.receive() == b"mine"


async def test_a_listener_that_hides_its_environment_is_still_the_bodys(body: Body) -> None:
    await body.serve("127.0.0.1", "env", "-i")
    async with await body.dialled() as stream:
        assert await stream.receive() == b"mine"


async def test_what_the_server_itself_or_another_listens_on_is_not_reached(body: Body) -> None:
    with socket.create_server(("127.0.0.1", body.port)):
        with pytest.raises(NotReadyError, match="is not the agent's") as caught:
            await body.executor.dial(body.key, body.port)
    assert caught.value.reason == "NothingListens"


async def test_a_listener_of_before_opens_no_door_to_the_next(body: Body) -> None:
    await body.serve("127.0.0.1")
    await (await body.dialled()).aclose()
    process = await body.link.process("serve-127.0.0.1")
    assert process is not None
    await process.signal("KILL")
    await process.wait()
    with socket.create_server(("127.0.0.1", body.port)):
        with pytest.raises(NotReadyError, match="is not the agent's"):
            await body.executor.dial(body.key, body.port)


async def test_a_port_that_is_not_declared_is_not_there(body: Body) -> None:
    with pytest.raises(NotFoundError):
        await body.executor.dial(body.key, body.port + 1)


async def test_who_dials_and_leaves_leaves_nothing_open(body: Body) -> None:
    await body.serve("127.0.0.1")
    await (await body.dialled()).aclose()
    for delay in (0.0, 0.0005, 0.001, 0.002):
        with anyio.move_on_after(delay):
            await (await body.executor.dial(body.key, body.port)).aclose()
