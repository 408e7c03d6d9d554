"""Optional capabilities: checked when `Probe` claims them, else skipped by name."""

from __future__ import annotations

import anyio

from sac_core.contracts.executor import Resync
from sac_core.models.body import CAPABILITIES, Key
from sac_core.models.launch import NO_SECRETS
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise


class Optional(ContractBase):
    @promise(4)
    async def test_the_probe_is_reachable_and_claims_known_capabilities(self, bench: Bench) -> None:
        probe = await bench.executor.probe()
        assert probe.reachable
        assert set(probe.capabilities) <= set(CAPABILITIES)

    @promise(4)
    async def test_a_claimed_holder_is_there(self, bench: Bench) -> None:
        await bench.need("holder")
        key = await bench.body()
        assert (await bench.phase(key, "running")).holder

    @promise(1)
    async def test_a_stopped_body_is_kept_and_started_again(self, bench: Bench) -> None:
        await bench.need("stop")
        key, launch = bench.key(), self.launch(bench.commands.beat("stopped"))
        await bench.settle(key, launch)
        await bench.beating("stopped", 1)
        await bench.executor.stop(key, generation=1, grace=1.0)
        seen = await bench.phase(key, "stopped")
        assert seen.kept in ("memory", "disk", "nothing")
        assert (await bench.listed())[key].phase == "stopped"
        await bench.silent("stopped")
        await bench.executor.ensure(key, launch, NO_SECRETS)
        await bench.settle(key, launch)
        await bench.beating("stopped", 1)

    @promise(1)
    async def test_stopping_what_is_absent_makes_nothing(self, bench: Bench) -> None:
        await bench.need("stop")
        key = bench.key()
        assert (await bench.executor.stop(key, generation=1, grace=0.0)).phase == "absent"
        assert key not in await bench.listed()

    @promise(4)
    async def test_watch_hints_at_changes(self, bench: Bench) -> None:
        await bench.need("watch")
        key = bench.key()
        hints = bench.executor.watch()
        with anyio.fail_after(self.timeout):
            async with anyio.create_task_group() as group:
                group.start_soon(bench.settle, key, self.launch())
                async for hint in hints:
                    assert isinstance(hint, (Key, Resync))
                    if isinstance(hint, Resync) or hint == key:
                        break
        await hints.aclose()  # type: ignore[attr-defined]
