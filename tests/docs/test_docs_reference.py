"""The reference pages name everything that there is, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, get_args

import pytest
from cyclopts import App

from sac_core import errors
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.cli.app import COMMANDS, make_app
from sac_core.hooks.specs import FAMILIES
from sac_core.models.agent import FAILED_REASONS
from sac_core.models.kind import KINDS
from sac_core.models.process import SIGNALS
from sac_core.server.app import routes_of
from sac_core.settings import Settings
from sac_core.wire import close, holder, problem, terminal

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text()


def rows(text: str) -> list[list[str]]:
    """The cells of all tables of a text, without code marks, headings and rules."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and "|---" not in line]
    return [[cell.replace("`", "").strip() for cell in line.strip("|").split(" |")] for line in lines]


def section(text: str, heading: str) -> str:
    """What stands below a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section {heading!r}"
    return found[1]


def test_every_setting_is_there_with_its_variable() -> None:
    text = page("settings")
    found = {row[0]: row[1] for row in rows(text.partition("## Settings of plugins")[0]) if row[0] != "Field"}
    assert found == {name: f"SAC_{name.upper()}" for name in Settings.model_fields}


def test_the_defaults_of_settings_are_the_real_ones() -> None:
    shown = {row[0]: row[2] for row in rows(page("settings")) if row[0] in Settings.model_fields}
    for name in ("host", "port", "resync"):
        assert shown[name] == f"{Settings.model_fields[name].default:{'g' if name == 'resync' else ''}}"


def test_every_setting_of_the_process_executor_is_there() -> None:
    found = {row[0] for row in rows(section(page("settings"), "Settings of plugins"))} - {"Key"}
    assert found == {field.alias for field in ProcessSettings.model_fields.values()}


def arguments(app: App) -> set[str]:
    """The names of all arguments of a command that its help shows."""
    shown = [each for each in app.assemble_argument_collection() if each.show and each.parameter.show is not False]
    return {name for each in shown for name in each.names}


@pytest.fixture(scope="module")
def common() -> set[str]:
    return {row[0] for row in rows(page("commands").partition("\n## ")[0])} - {"Argument"}


@pytest.mark.parametrize("command", [name for name, _, _ in COMMANDS])
def test_every_argument_of_a_command_is_there(command: str, common: set[str]) -> None:
    below = section(page("commands"), f"sac {command}")
    found = {name for row in rows(below) for name in row[0].split(", ")} - {"Argument"}
    assert found | common == arguments(reduce(getitem, command.split(), make_app()))


def test_no_other_command_is_there() -> None:
    headings = re.findall(r"^## sac ([\w ]+)$", page("commands"), re.MULTILINE)
    assert headings == [name for name, _, _ in COMMANDS]


def test_every_usage_is_that_of_the_help() -> None:
    for name, _, usage in COMMANDS:
        assert f"\n`sac {name} {usage}`\n" in section(page("commands"), f"sac {name}")


def test_every_route_is_there_with_its_permission_and_query() -> None:
    table = page("routes").partition("## Things")[0]
    found = {(row[0], row[1], row[2], tuple(row[4].split())) for row in rows(table) if row[0] != "Method"}
    assert found == {
        (route.method, route.path, route.permission, route.query) for route in routes_of(KINDS, console=True)
    }


def test_every_hook_is_there_in_its_family() -> None:
    found = {(row[0], row[1]) for row in rows(page("hooks"))} - {("Hook", "Family")}
    assert found == {
        (name, family.__name__.removesuffix("Specs"))
        for family in FAMILIES
        for name in vars(family)
        if name.startswith("sac_")
    }


def test_every_error_is_there_with_its_status_and_reason() -> None:
    known = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.SacError)]
    found = {tuple(row[:3]) for row in rows(page("errors")) if row[0] != "Error"}
    assert found == {(cls.__name__, str(problem.status(cls("x"))), cls.default_reason) for cls in known}


def test_the_example_of_a_problem_is_one() -> None:
    error = errors.InvalidError(
        "there is no runtime 'nosuch'",
        field="spec.runtime",
        hint="installed: shell; others are distributions named sac-agent-<name>",
    )
    assert json.dumps(problem.encode(error), indent=2) in page("errors")


def test_every_reason_of_a_failed_agent_is_there() -> None:
    below = section(page("errors"), "Reasons of a failed agent").partition("\n\n`")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"\w+", below)) == FAILED_REASONS


def test_every_close_code_is_there() -> None:
    found = {row[0] for row in rows(section(page("wire"), "Close codes"))} - {"Code"}
    assert found == {str(code) for code in vars(close).values() if isinstance(code, int)}


def test_every_frame_of_a_terminal_is_there_with_its_fields() -> None:
    below = section(page("wire"), "sac.terminal.v1")
    found = [(row[0], sorted(row[1].split())) for row in rows(below) if not row[0].startswith("From")]
    frames = [*get_args(terminal.ServerFrame), *get_args(terminal.ClientFrame)]
    assert sorted(found) == sorted((frame.type, on_the_wire(frame)) for frame in frames)
    assert " ".join(SIGNALS) in below


def test_every_frame_and_call_of_the_holder_is_there() -> None:
    below = section(page("wire"), "sac.holder.v1")
    frames, _, calls = below.partition("| Call |")
    assert {row[0]: int(row[1]) for row in rows(frames) if row[0] != "Frame"} == {
        name: getattr(holder, name) for name in ("CALL", "REPLY", "EVENT", "DATA", "INPUT", "CREDIT")
    }
    program = (Path(holder.__file__).parents[1] / "holder" / "program.py").read_text()
    table = program.partition("\nCALLS = {")[2].partition("\n}")[0]
    assert [row[0] for row in rows(calls)] == re.findall(r"Holder\.(\w+),", table)


def on_the_wire(frame: Any) -> list[str]:
    """The names of a frame's fields as they are sent."""
    sent = {"start": "from", "end": "to"} if frame is terminal.Gap else {}
    return sorted(sent.get(field.name, field.name) for field in dataclasses.fields(frame))
