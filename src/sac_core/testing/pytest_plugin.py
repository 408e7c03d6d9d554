"""Prints what a run of the contract suite proved: the level, the promises, and every capability that was skipped.

Load it with ``pytest_plugins = ["sac_core.testing.pytest_plugin"]`` in the test module.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import pytest

PROPERTY = "sac_promise"


@dataclass
class Verdict:
    """What the tests of one subclass of `ExecutorContract` said."""

    failed: dict[str, set[int]] = field(default_factory=lambda: {"core": set(), "full": set()})
    kept: set[int] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)

    @property
    def level(self) -> str:
        """The level that was reached: ``full``, ``core`` or ``none``."""
        if self.failed["core"]:
            return "none"
        return "core" if self.failed["full"] or "level: full" in self.skipped else "full"

    @property
    def broken(self) -> list[int]:
        return sorted(self.failed["core"] | self.failed["full"])


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
        for name, value in report.user_properties:
            if name == PROPERTY:
                _judge(report, *value, found=found)  # type: ignore[misc]
    return dict(found)


def _judge(report: pytest.TestReport, cls: str, number: int, level: str, *, found: dict[str, Verdict]) -> None:
    verdict = found[cls]
    if report.failed:
        verdict.failed[level].add(number)
    elif report.skipped and isinstance(report.longrepr, tuple):
        verdict.skipped.add(str(report.longrepr[2]).removeprefix("Skipped: "))
    elif report.when == "call":
        verdict.kept.add(number)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One paragraph per class."""
    stats = terminalreporter.stats
    reports = [report for kind in ("passed", "failed", "error", "skipped") for report in stats.get(kind, [])]
    for cls, verdict in sorted(verdicts(reports).items()):
        terminalreporter.write_sep("-", f"executor contract: {cls}")
        terminalreporter.write_line(f"level reached: {verdict.level}")
        kept = sorted(verdict.kept - set(verdict.broken))
        terminalreporter.write_line(f"promises kept: {', '.join(map(str, kept)) or 'none'}")
        if verdict.broken:
            terminalreporter.write_line(f"promises broken: {', '.join(map(str, verdict.broken))}")
        for skip in sorted(verdict.skipped):
            terminalreporter.write_line(f"skipped: {skip}")
