"""Prints what a run of a contract suite proved: the level, the promises, and every capability that was skipped.

Load it with ``pytest_plugins = ["sac_core.testing.pytest_plugin"]`` in the test module.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from sac_core.testing.promises.unwritten import SAID

PROPERTY = "sac_promise"

Promise = int | str


@dataclass
class Verdict:
    """What the tests of one subclass of a contract said."""

    failed: dict[str, set[Promise]] = field(default_factory=lambda: {"core": set(), "full": set()})
    kept: set[Promise] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    unwritten: set[str] = field(default_factory=set)

    @property
    def level(self) -> str:
        """The level that was reached: ``full``, ``core`` or ``none``."""
        if self.failed["core"]:
            return "none"
        return "core" if self.failed["full"] or "level: full" in self.skipped else "full"

    @property
    def broken(self) -> list[Promise]:
        """The promises of which a test failed."""
        return in_order(self.failed["core"] | self.failed["full"])


def in_order(promises: set[Promise]) -> list[Promise]:
    """Numbers first, then words."""
    return sorted(promises, key=lambda name: (isinstance(name, str), name))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Write the promise that a test checks into its report."""
    found = getattr(getattr(item, "function", None), "sac_promise", None)
    cls = getattr(item, "cls", None)
    if found is not None and cls is not None:
        item.user_properties.append((PROPERTY, (cls.__name__, *found)))


def verdicts(reports: list[pytest.TestReport]) -> dict[str, Verdict]:
    """By class, from the reports of a run."""
    found: dict[str, Verdict] = defaultdict(Verdict)
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == PROPERTY:
                _judge(report, *value, found=found)
    return dict(found)


def _judge(report: pytest.TestReport, cls: str, name: Promise, level: str, *, found: dict[str, Verdict]) -> None:
    verdict = found[cls]
    if report.failed:
        verdict.failed[level].add(name)
        verdict.unwritten.update(_unwritten(report))
    elif report.skipped and isinstance(report.longrepr, tuple):
        verdict.skipped.add(str(report.longrepr[2]).removeprefix("Skipped: "))
    elif report.when == "call":
        verdict.kept.add(name)


def _unwritten(report: pytest.TestReport) -> list[str]:
    """The methods that a test named as not written."""
    lines = [line for line in report.longreprtext.splitlines() if SAID in line]
    return lines[0].partition(SAID)[2].split(", ") if lines else []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One paragraph per class."""
    stats = terminalreporter.stats
    reports = [report for kind in ("passed", "failed", "error", "skipped") for report in stats.get(kind, [])]
    for cls, verdict in sorted(verdicts(reports).items()):
        terminalreporter.write_sep("-", f"contract: {cls}")
        terminalreporter.write_line(f"level reached: {verdict.level}")
        kept = in_order(verdict.kept - set(verdict.broken))
        terminalreporter.write_line(f"promises kept: {', '.join(map(str, kept)) or 'none'}")
        if verdict.broken:
            terminalreporter.write_line(f"promises not kept yet: {', '.join(map(str, verdict.broken))}")
        if verdict.unwritten:
            terminalreporter.write_line(f"not written yet: {', '.join(sorted(verdict.unwritten))}")
        for skip in sorted(verdict.skipped):
            terminalreporter.write_line(f"skipped: {skip}")
