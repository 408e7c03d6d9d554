"""Capability ``dial``: a stream to a port that the launch declares, and to nothing else."""

from __future__ import annotations

import anyio
import pytest
from anyio.abc import ByteStream

from sac_core.errors import LostError, NotFoundError, NotReadyError
from sac_core.models.body import Key
from sac_core.models.launch import Port
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise

SAID = bytes(range(256)) * 4096


class Dialing(ContractBase):
    @promise("dial")
    async def test_a_declared_port_is_reached(self, bench: Bench) -> None:
        key, port = await self._serving(bench)
        async with await self._dialled(bench, key, port) as stream:
            await stream.send(b"hello")
            assert await stream.receive() == b"hello"

    @promise("dial")
    async def test_many_streams_carry_their_own_bytes_to_the_end(self, bench: Bench) -> None:
        key, port = await self._serving(bench)
        await (await self._dialled(bench, key, port)).aclose()
        heard: list[bytes] = []

        async def converse() -> None:
            async with await bench.executor.dial(key, port) as stream, anyio.create_task_group() as tasks:
                tasks.start_soon(_say, stream)
                heard.append(b"".join([piece async for piece in stream]))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(converse)
        assert [each == SAID for each in heard] == [True] * 5, "a stream's bytes came back changed or cut"

    @promise("dial")
    async def test_a_port_that_is_not_declared_is_not_reached(self, bench: Bench) -> None:
        key, port = await self._serving(bench)
        await (await self._dialled(bench, key, port)).aclose()
        with pytest.raises(NotFoundError):
            await bench.executor.dial(key, port + 1)

    @promise("dial")
    async def test_a_port_where_nothing_listens_is_not_ready(self, bench: Bench) -> None:
        await bench.need("dial")
        key, port = bench.key(), self.port()
        await bench.settle(key, self.launch(bench.commands.idle(), ports=(Port(name="web", port=port),)))
        with pytest.raises(NotReadyError) as caught:
            await bench.executor.dial(key, port)
        assert caught.value.reason == "NothingListens"

    @promise("dial")
    async def test_the_port_of_no_body_is_lost(self, bench: Bench) -> None:
        key, port = await self._serving(bench)
        await (await self._dialled(bench, key, port)).aclose()
        await bench.delete(key)
        for absent in (key, bench.key()):
            with pytest.raises(LostError):
                await bench.executor.dial(absent, port)

    async def _serving(self, bench: Bench) -> tuple[Key, int]:
        """A body that serves on a port."""
        await bench.need("dial")
        key, port = bench.key(), self.port()
        launch = self.launch(bench.commands.serve(port), ports=(Port(name="web", port=port),))
        await bench.settle(key, launch)
        return key, port

    async def _dialled(self, bench: Bench, key: Key, port: int) -> ByteStream:
        """A stream, once the body listens."""

        async def attempt() -> ByteStream | None:
            try:
                return await bench.executor.dial(key, port)
            except NotReadyError:
                return None

        stream = await bench.eventually(attempt, f"a listener on port {port} of {key.agent}")
        assert isinstance(stream, ByteStream)
        return stream


async def _say(stream: ByteStream) -> None:
    await stream.send(SAID)
    await stream.send_eof()
