"""Commands with commands below them: `sac plugins`, `sac plugins new`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclopts import App

from sac_core.cli.app import COMMANDS


def group(name: str, default: Callable[..., Any] | None = None) -> App:
    """The command ``name`` with all that `COMMANDS` has below it, each in the module ``name_below``.

    ``default`` is what the name alone does; nothing means its help.
    """
    _, summary, usage = next(row for row in COMMANDS if row[0] == name)
    app = App(name=name, help=summary, usage=f"Usage: sac {name} {usage}", help_format="plaintext")
    if default is not None:
        app.default(default)
    for order, (path, about, taken) in enumerate(COMMANDS):
        if path.startswith(f"{name} "):
            word, module = path.split()[1], path.replace(" ", "_")
            target = f"sac_core.cli.commands.{module}:{word}"
            app.command(target, name=word, help=about, usage=f"Usage: sac {path} {taken}", sort_key=order)
    return app
