"""Opens executors for declared targets, while SAC runs."""

from __future__ import annotations

from typing import Any

import anyio

from sac_core.contracts.executor import Executor
from sac_core.core.guard import GuardedExecutor
from sac_core.core.hosting import CLOSE_DEADLINE, Hosted
from sac_core.core.plugins import Opener
from sac_core.models.base import parse
from sac_core.service.targets import Declared, TargetOpener

_FAMILY = "executor"


class HostedTargets(TargetOpener):
    """Each target's executor lives in a task of its own, behind a guard of its own."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._hosted: dict[str, Hosted[Executor]] = {}

    async def open(self, declared: Declared) -> Executor:
        await self.close(declared.uid)
        name, troubles = str(declared.at), self._opener.registry.troubles
        plugin = self._opener.registry.executor(declared.at.executor)

        def make() -> Any:
            settings = parse(plugin.settings, dict(declared.settings), field="spec.settings")
            # names may be given again, uids are not; no executor's name has a dot
            context = self._opener.context(_FAMILY, f"{declared.at.executor}.{declared.uid[:12]}")
            return plugin.open(settings, context)

        troubles.forgive(_FAMILY, name)
        hosted: Hosted[Executor] = self._opener.hosting.host(_FAMILY, name, make, Executor, troubles)
        self._hosted[declared.uid] = hosted
        return GuardedExecutor(name, await hosted.opened(), troubles)

    def ended(self, uid: str) -> bool:
        hosted = self._hosted.get(uid)
        return hosted is None or hosted.ended

    async def close(self, uid: str) -> None:
        hosted = self._hosted.pop(uid, None)
        if hosted is not None:
            hosted.leave()
            await hosted.left(anyio.current_time() + CLOSE_DEADLINE)
