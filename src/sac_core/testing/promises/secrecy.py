"""Promise 9: secret values appear nowhere but in the processes that they are for."""

from __future__ import annotations

import traceback
from uuid import uuid4

import pytest

from sac_core.errors import SacError
from sac_core.models.body import Observed
from sac_core.models.launch import Egress
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise


def told(seen: Observed) -> str:
    return f"{seen!r} {seen} {seen.model_dump_json()}"


def told_by(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


class Secrecy(ContractBase):
    @promise(9)
    async def test_secrets_are_in_no_observation_label_or_record(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        canary = f"canary-{uuid4().hex}"
        caplog.set_level("DEBUG")
        key, launch = bench.key(), self.launch(bench.commands.idle())
        secrets = self.secrets(canary)
        returned = await bench.executor.ensure(key, launch, secrets)
        await bench.settle(key, launch, secrets)
        seen = [returned, await bench.executor.observe(key), *(await bench.listed()).values()]
        assert canary not in " ".join(told(one) for one in seen)
        assert canary not in repr(await bench.executor.probe())
        assert canary not in await self.exposed(bench.executor, key)
        await bench.delete(key)
        assert canary not in caplog.text

    @promise(9)
    async def test_labels_carry_no_secret(self, bench: Bench) -> None:
        canary = f"canary-{uuid4().hex}"
        key, launch = bench.key(), self.launch()
        await bench.settle(key, launch, self.secrets(canary))
        assert canary not in repr(await self.labels(bench.executor, key))

    @promise(9)
    async def test_secrets_are_in_no_exception(self, bench: Bench) -> None:
        canary = f"canary-{uuid4().hex}"
        secrets = self.secrets(canary)
        key = bench.key()
        await bench.settle(key, self.launch(generation=2), secrets)
        with pytest.raises(SacError) as conflict:
            await bench.executor.ensure(key, self.launch(generation=1), secrets)
        assert canary not in told_by(conflict.value)
        if "egress" not in self.honours:
            with pytest.raises(SacError) as refused:
                await bench.executor.ensure(bench.key(), self.launch(egress=Egress(mode="none")), secrets)
            assert canary not in told_by(refused.value)

    @promise(9)
    async def test_the_environment_of_a_process_is_not_exposed(self, bench: Bench) -> None:
        canary = f"canary-{uuid4().hex}"
        key = await bench.body()
        process = await bench.open(key, "private", bench.commands.cat(), env={"SAC_TEST_SECRET": canary})
        assert canary not in await self.exposed(bench.executor, key)
        assert canary not in told(await bench.executor.observe(key))
        await process.aclose()
