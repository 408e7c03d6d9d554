"""SAC's own installation on a cluster: templates with names filled in, and the objects of the executor's program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from sac_core.errors import InvalidError, UnavailableError
from sac_core.settings import ORIGIN

EXECUTOR = "sac_executor_kubernetes"
AGENTS_FILE, SECRETS_FILE = "agents.yaml", "secrets.env"
FILES = ("kustomization.yaml", "namespace.yaml", "server.yaml", "ingress.yaml", "scaling.yaml", SECRETS_FILE)
KEPT = frozenset({SECRETS_FILE})
"""What is not written anew: it was filled in."""
_TEMPLATES = Path(str(files("sac_core"))) / "cli" / "templates" / "kustomize"
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._/:-]*?)(:(?P<tag>[\w][\w.-]{0,127})|@(?P<digest>sha256:[0-9a-f]{64}))\Z"
)
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Installation:
    """What is installed where. ``origins`` are the addresses from outside, that of the Ingress first."""

    namespace: str
    agents: str
    image: str
    origins: Sequence[str]

    def check(self) -> None:
        """Raise `InvalidError` for what no cluster would take, or no server."""
        for field, name in (("--namespace", self.namespace), ("--agents", self.agents)):
            if not _NAMESPACE.match(name):
                raise InvalidError(f"{name[:80]!r} is no name of a namespace", field=field)
        if self.namespace == self.agents:
            hint = "give agents one of their own: who may make pods in it could read the servers' secrets"
            raise InvalidError("servers and agents have the same namespace", field="--agents", hint=hint)
        for origin in self.origins:
            if not re.match(ORIGIN, origin):
                hint = "for example https://sac.example.com"
                raise InvalidError(f"{origin[:80]!r} is no address of a server", field="--origin", hint=hint)
        if not _IMAGE.match(self.image):
            hint = "for example registry.example.com/sac:0.1.0"
            raise InvalidError(f"{self.image[:80]!r} is no image with a tag or a digest", field="--image", hint=hint)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Name and text of each file; raises `UnavailableError` without the executor, whose role is one of them."""
        self.check()
        words = self._words()
        for name in FILES:
            yield name, Template((_TEMPLATES / name).read_text()).substitute(words)
        yield AGENTS_FILE, self._agents_text()

    def write(self, folder: Path) -> list[str]:
        """Write the files; those that were filled in stay. Returns the names of those."""
        texts = dict(self.texts())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            kept = [name for name in texts if name in KEPT and (folder / name).exists()]
            for name in texts.keys() - set(kept):
                (folder / name).touch(mode=0o600 if name in KEPT else 0o666)
                (folder / name).write_text(texts[name])
            (folder / ".gitignore").write_text("".join(f"{name}\n" for name in sorted(KEPT)))
        except OSError as error:
            raise InvalidError(f"cannot write {folder}: {error.strerror}", field="--out") from None
        return kept

    def _words(self) -> dict[str, str]:
        found = _IMAGE.match(self.image)
        assert found is not None
        inside = [f"http://sac.{self.namespace}{suffix}" for suffix in ("", ".svc", ".svc.cluster.local")]
        return {
            "namespace": self.namespace,
            "agents": self.agents,
            "image_name": found["name"],
            "image_pin": f'newTag: "{found["tag"]}"' if found["tag"] else f"digest: {found['digest']}",
            "origins": json.dumps([*self.origins, *inside], separators=(",", ":")),
            "host": re.sub(r"^https?://|:[0-9]+$", "", self.origins[0]),
        }

    def _agents_text(self) -> str:
        if find_spec(EXECUTOR) is None:
            hint = 'pip install "sac-core[kubernetes]"'
            raise UnavailableError("the executor kubernetes is not installed, and prints a part of this", hint=hint)
        where = ("--namespace", self.agents, "--service-account", f"{self.namespace}/sac")
        asked = [sys.executable, "-m", EXECUTOR, "setup", *where]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        if told.returncode:
            raise UnavailableError(f"the executor kubernetes does not say what it needs: {told.stderr.strip()[-300:]}")
        return f"# What the executor needs where agents are: `sac-kubernetes {' '.join(asked[3:])}`\n{told.stdout}"
