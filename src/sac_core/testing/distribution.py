"""A plugin's distribution as its source tree tells: its metadata, its package, its entry points, what it imports."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from sac_core.hooks.loader import GROUP
from sac_core.hooks.offers import hooks_of, name_of, offers_of

_LISTING = """
import importlib, json, sys
import sac_core.hooks.loader, sac_core.held, sac_core.builtin.plugin
sys.path[:0] = json.loads(sys.argv[1])
before = {name.partition(".")[0] for name in sys.modules}
for name in sys.argv[2:]:
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} - before)))
"""
PATIENCE = 20.0
"""Seconds that an import may take."""


class Offered(NamedTuple):
    """A record that an entry point offers."""

    point: str
    family: str
    name: str
    record: Any


@dataclass(frozen=True)
class Distribution:
    """The distribution whose ``pyproject.toml`` is in ``folder``; its package must be importable."""

    folder: Path

    @cached_property
    def project(self) -> dict[str, Any]:
        """The table ``project`` of pyproject.toml."""
        project: dict[str, Any] = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        return project

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def points(self) -> dict[str, str]:
        """Entry points of the group that SAC loads: name -> module."""
        return dict(self.project.get("entry-points", {}).get(GROUP, {}))

    @property
    def package(self) -> str:
        """The one import package of the entry points."""
        return next((module.partition(".")[0] for module in self.points.values()), self.name.replace("-", "_"))

    @property
    def place(self) -> Path:
        """The package's folder."""
        spec = find_spec(self.package)
        assert spec is not None, f"{self.package} cannot be imported: pip install --editable ."
        assert spec.submodule_search_locations, f"{self.package} is a module, and must be a package"
        return Path(spec.submodule_search_locations[0])

    def plugin(self, point: str) -> Any:
        """What an entry point names."""
        module, _, attribute = self.points[point].partition(":")
        loaded = importlib.import_module(module)
        return getattr(loaded, attribute) if attribute else loaded

    def hooks(self) -> list[str]:
        """The hooks that it implements."""
        return [hook for point in self.points for hook in hooks_of(self.plugin(point))]

    def offers(self) -> list[Offered]:
        """All that is offered, as SAC's loader sees it."""
        return [
            Offered(point, family, name_of(record), record)
            for point in self.points
            for family, record in offers_of(self.plugin(point))
        ]

    def loaded_by_import(self) -> set[str]:
        """Top-level modules that importing the entry points loads, in an interpreter that has SAC's own loaded."""
        path = json.dumps([str(self.place.parent), *sys.path])
        modules = [module.partition(":")[0] for module in self.points.values()]
        command = [sys.executable, "-c", _LISTING, path, *modules]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, f"importing {', '.join(modules)} fails:\n{done.stderr}"
        return set(json.loads(done.stdout.splitlines()[-1])) - {self.package, "__mp_main__"}

    def printed_by_import(self) -> str:
        """What importing the entry points prints."""
        modules = ", ".join(module.partition(":")[0] for module in self.points.values())
        code = f"import sys; sys.path[:0] = {[str(self.place.parent), *sys.path]!r}; import {modules}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
        return done.stdout

    def imports(self) -> Iterator[tuple[Path, str]]:
        """File and module of every import statement of the package, wherever in the file."""
        for file in sorted(self.place.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    yield from ((file, alias.name) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield file, node.module

    def tests(self) -> str:
        """The text of all its tests."""
        return "\n".join(file.read_text() for file in sorted((self.folder / "tests").rglob("*.py")))
