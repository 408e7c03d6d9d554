"""A server is killed while it records: the recording goes on, with every byte once and in order, or a mark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from live_server import until
from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from live_server import LiveServer

LINES = 400


async def recorded(live: LiveServer, script: str) -> str:
    """A session that is recorded, of an agent of its own."""
    async with live.client() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        return (await sac.sessions.create("a1", command=["sh", "-c", script], recording="strict")).metadata.name


async def events_of(sac: HttpSac, name: str) -> list[Any]:
    text = b"".join([piece async for piece in sac.recordings.cast(name)]).decode()
    return [json.loads(line) for line in text.splitlines()[1:]]


async def printed(sac: HttpSac, name: str) -> str:
    return "".join(data for _, code, data in await events_of(sac, name) if code == "o")


async def has(live: LiveServer, name: str, text: str) -> None:
    """Wait until a text is in the recording."""
    async with live.client() as sac:

        async def there() -> bool:
            return text in await printed(sac, name)

        await until(there)


async def complete(sac: HttpSac, name: str) -> None:
    async def ended() -> bool:
        return (await sac.recordings.get(name)).status.phase == "Complete"

    await until(ended, seconds=40)


async def test_what_is_printed_around_kills_is_recorded_once_and_in_order(live: LiveServer) -> None:
    script = f"i=0; while [ $i -lt {LINES} ]; do echo line-$i-; i=$((i+1)); sleep 0.01; done; exit 7"
    name = await recorded(live, script)
    for reached in ("line-20-", "line-120-"):
        await has(live, name, reached)
        await live.restart()
    async with live.client() as sac:
        await complete(sac, name)
        assert await printed(sac, name) == "".join(f"line-{number}-\r\n" for number in range(LINES))
        events = await events_of(sac, name)
        assert [code for _, code, _ in events if code == "m"] == []
        times = [time for time, _, _ in events]
        assert times == sorted(times)
        exit = (await sac.recordings.get(name)).status.exit
        assert exit is not None
        assert exit.code == 7


async def test_what_was_printed_while_no_server_ran_and_is_no_longer_kept_is_marked(
    live: LiveServer, tmp_path: Path
) -> None:
    down, flooded = tmp_path / "down", tmp_path / "flooded"
    wait = f"while [ ! -e {down} ]; do sleep 0.05; done"
    name = await recorded(live, f"echo before; {wait}; yes | head -c 8000000; echo after; touch {flooded}; sleep 1")
    await has(live, name, "before")
    live.kill()
    down.touch()
    await until(anyio.Path(flooded).exists, seconds=60)
    await live.start()
    async with live.client() as sac:
        await complete(sac, name)
        recording = await sac.recordings.get(name)
        assert recording.status.bytes == len("before\r\nafter\r\n") + 12_000_000
        assert recording.status.missed
        marks = [data for _, code, data in await events_of(sac, name) if code == "m"]
        assert marks == [f"{recording.status.missed} bytes missed"]
        text = await printed(sac, name)
        assert text.startswith("before\r\n")
        assert text.endswith("y\r\nafter\r\n")
        assert len(text.encode()) + recording.status.missed == recording.status.bytes
