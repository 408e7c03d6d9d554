"""`sac doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.checks import data_dir_findings, server_findings
from sac_core.cli.place import settings_of
from sac_core.cli.progress import printable
from sac_core.cli.tables import dumped
from sac_core.models.body import Finding

_SIGNS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


async def doctor(
    *, output: Annotated[Literal["table", "json"], Parameter(alias="-o")] = "table", common: Common = HERE
) -> int:
    """Check data directory, server and executors; exit status 1 when something is wrong. Starts nothing.

    Parameters
    ----------
    output
        How: lines for people, or a document for programs.
    """
    settings = settings_of(common)
    findings = [*data_dir_findings(settings), *await server_findings(settings)]
    wrong = any(finding.level == "error" for finding in findings)
    if output == "json":
        print(dumped({"ok": not wrong, "findings": [finding.to_wire() for finding in findings]}, "json"))
    else:
        print("\n".join(map(finding_line, findings)))
    return int(wrong)


def finding_line(finding: Finding) -> str:
    """A finding, with advice below it where it is not well."""
    advice = f"\n{'':9}-> {printable(finding.advice)}" if finding.advice and finding.level != "ok" else ""
    return f"{_SIGNS[finding.level]}  {finding.check}: {printable(finding.message)}{advice}"
