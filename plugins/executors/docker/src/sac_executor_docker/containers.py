"""The containers of this installation at the engine, and what they use there: volumes and networks."""

from __future__ import annotations

from typing import Any

import anyio

from sac_core.models.body import OWNER_LABEL, Key
from sac_executor_docker.engine import Engine
from sac_executor_docker.naming import ROLE_LABEL, State, network_name, state_name
from sac_executor_docker.rendering import network
from sac_executor_docker.seeing import Container, read_container
from sac_executor_docker.troubles import Refusal


class Containers:
    """Finds, marks and removes; decides nothing."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine, self._owner = engine, owner
        self._networks: set[str] = set()
        self._entering = anyio.Lock()

    async def of(self, key: Key) -> Container | None:
        """The container of a body: the one that runs, else the oldest. A later one never started, and is removed."""
        found = await self._list([f"sac/uid={key.uid}"])
        found.sort(key=lambda container: (not container.alive, container.created))
        for surplus in found[1:]:
            if surplus.status == "created":
                await self.remove(surplus)
        return found[0] if found else None

    async def all(self) -> list[Container]:
        """Every container of ours that is a body."""
        return await self._list([])

    async def mark(self, container: Container, key: Key, generation: int, state: State) -> None:
        """Let it follow a generation, in a state."""
        if (container.generation, container.state) == (generation, state):
            return
        try:
            await self._engine.call("rename", container.id, state_name(key, generation, state))
        except Refusal as refusal:
            if "same name" not in refusal.said:  # the list had not heard of it yet
                raise

    async def remove(self, container: Container) -> None:
        """Remove a container that does not run; its volumes stay."""
        await self._engine.found("remove_container", container.id)

    async def volumes(self, key: Key) -> list[str]:
        """The names of a body's volumes, which may be there without it."""
        filters = {"label": [f"{OWNER_LABEL}={self._owner}", f"sac/uid={key.uid}"]}
        listed = await self._engine.call("volumes", filters=filters)
        return sorted(volume["Name"] for volume in listed["Volumes"] or ())

    async def purge(self, key: Key) -> None:
        """Remove a body's volumes."""
        for name in await self.volumes(key):
            await self._engine.found("remove_volume", name)

    async def enter_network(self, tenant: str) -> None:
        """Have the network of a tenant."""
        name = network_name(self._owner, tenant)
        async with self._entering:  # two at once would make two networks of one name
            if name in self._networks:
                return
            if await self._engine.found("inspect_network", name) is None:
                await self._engine.make_network(network(self._owner, tenant))
            self._networks.add(name)

    def forget_networks(self) -> None:
        """Look again whether they are there."""
        self._networks.clear()

    async def sweep(self) -> None:
        """Remove the looks that a killed server left behind."""
        filters = {"label": [f"{OWNER_LABEL}={self._owner}", f"{ROLE_LABEL}=look"]}
        for listed in await self._engine.call("containers", all=True, filters=filters):
            await self._engine.found("remove_container", listed["Id"], force=True)

    async def leave_network(self, tenant: str) -> None:
        """Remove the network of a tenant, if nobody is in it."""
        if await self._list([f"sac/tenant={tenant}"]):
            return
        name = network_name(self._owner, tenant)
        self._networks.discard(name)
        try:
            await self._engine.found("remove_network", name)
        except Refusal:  # somebody came in meanwhile
            return

    async def _list(self, labels: list[str]) -> list[Container]:
        filters = {"label": [f"{OWNER_LABEL}={self._owner}", "sac/hash", "sac/generation", *labels]}
        found = []
        for listed in await self._engine.call("containers", all=True, filters=filters):
            detail = await self._detail(listed)
            if detail is not None:
                found.append(read_container(listed, detail))
        return found

    async def _detail(self, listed: dict[str, Any]) -> dict[str, Any] | None:
        """The state of one that does not run, for the list does not tell why; None when it is gone by now."""
        if listed["State"] == "running":
            return {}
        about = await self._engine.found("inspect_container", listed["Id"])
        if about is None:
            return None
        state: dict[str, Any] = about["State"]
        listed["State"] = state["Status"]
        return state
