"""Builds the console into the wheel and the sdist, so that who installs them needs no node."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleHook(BuildHookInterface):
    """Runs `web/build.py` when a distribution is built from a checkout.

    An sdist carries the built files; an editable install leaves them to `make run`; SAC_SKIP_WEB=1 builds without them.
    """

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files."""
        root = Path(self.root)
        if version == "editable" or (root / "PKG-INFO").is_file() or os.environ.get("SAC_SKIP_WEB") == "1":
            return
        console = _load(root / "web" / "build.py")
        try:
            console.build()
        except console.BuildError as error:
            raise SystemExit(f"{error}\nTo build a distribution without the console: SAC_SKIP_WEB=1") from None


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sac_console_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
