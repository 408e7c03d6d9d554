"""Promise 9, capability ``files``: files of secrets are there for a body's processes, and gone with the body."""

from __future__ import annotations

from itertools import count
from uuid import uuid4

from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS, Secrets
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise

_NUMBERS = count()


def files(**values: str) -> Secrets:
    return Secrets(files={name: value.encode() for name, value in values.items()})


async def held(bench: Bench, key: Key, name: str) -> str | None:
    """What a process of the body reads in a file; None when it is not there."""
    process = await bench.open(key, f"look-{next(_NUMBERS)}", bench.commands.secret(name))
    said = b"".join([chunk.data async for chunk in process.output()])
    exit = await process.wait()
    await process.aclose()
    return said.decode() if exit.code == 0 else None


class SecretFiles(ContractBase):
    @promise(9)
    async def test_files_of_secrets_are_there_for_processes(self, bench: Bench) -> None:
        await bench.need("files")
        key, canary = bench.key(), f"canary-{uuid4().hex}"
        await bench.settle(key, self.launch(), files(token=canary, other="x"))
        assert await held(bench, key, "token") == canary

    @promise(9)
    async def test_other_files_are_delivered_without_a_restart(self, bench: Bench) -> None:
        await bench.need("files")
        key, launch = bench.key(), self.launch(bench.commands.beat("delivered"))
        await bench.settle(key, launch, files(token="old", other="x"))
        await bench.executor.ensure(key, launch, files(token="new"))
        assert await held(bench, key, "token") == "new", "the body still has the old file"
        assert await held(bench, key, "other") is None, "a file that is no longer given is still there"
        await bench.executor.ensure(key, launch, NO_SECRETS)
        assert await held(bench, key, "token") is None, "a file that is no longer given is still there"
        await bench.beating("delivered")
        assert len({beat.body for beat in bench.beats("delivered")}) == 1, "delivering files restarted the body"

    @promise(9)
    async def test_a_new_body_has_the_files_it_was_made_with(self, bench: Bench) -> None:
        await bench.need("files")
        key = bench.key()
        await bench.settle(key, self.launch(bench.commands.idle()), files(token="old"))
        changed = self.launch(bench.commands.beat("again"), generation=2)
        await bench.settle(key, changed, files(token="new"))
        assert await held(bench, key, "token") == "new"
        await bench.delete(key)
        await bench.settle(key, self.launch(generation=3))
        assert await held(bench, key, "token") is None, "a deleted body left the files of its secrets"
