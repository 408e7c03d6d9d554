"""What brings the holder into pods: an immutable ConfigMap for each version of its programs, mounted read-only."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from sac_core.errors import LaunchError
from sac_core.held.program import DELIVER, PROGRAM, RELAY
from sac_executor_kubernetes.cluster import Cluster
from sac_executor_kubernetes.naming import ROLE_LABEL
from sac_executor_kubernetes.troubles import Refusal


class HolderFiles:
    """Made in the namespace when the first agent needs it; shared by all installations, and never changed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._programs = programs()
        self.name = holder_name(self._programs)

    async def have(self) -> None:
        """Have it. One of its name with other contents is refused: somebody else's program would run in agents.

        It is looked for each time: without it a pod would wait for ever, and somebody may have tidied up.
        """
        found = await self._cluster.get("configmaps", self.name) or await self._make()
        if found.get("data") != self._programs:
            message = f"the ConfigMap {self.name} holds other programs than SAC's"
            raise LaunchError(message, reason="Forbidden", hint="delete it; SAC makes it again")

    async def _make(self) -> dict[str, object]:
        wanted = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "labels": {"app": "sac-agent", ROLE_LABEL: "holder"}},
            "immutable": True,
            "data": self._programs,
        }
        try:
            return await self._cluster.create("configmaps", wanted)
        except Refusal as error:
            if error.status != 409:
                raise
            return await self._cluster.get("configmaps", self.name) or {}


def programs() -> dict[str, str]:
    """What runs in containers, by file name."""
    start = files("sac_executor_kubernetes") / "inside" / "start.py"
    ours = {program.name: program.read_text() for program in (PROGRAM, RELAY, DELIVER)}
    return {"start.py": start.read_text(), **ours}


def holder_name(programs: dict[str, str]) -> str:
    """The name of the ConfigMap with these programs."""
    return f"sac-holder-{hashlib.sha256(chr(0).join(programs.values()).encode()).hexdigest()[:12]}"
