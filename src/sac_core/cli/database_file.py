"""The database file of a data directory as `sac doctor` sees it: read only, with or without a running server."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sac_core.models.body import Finding

DATABASE_FILE = "sac.db"
_CHECK = "database file"
_AHEAD = 60.0
"""Seconds that a file may lie in the future before the clock is wrong."""


def database_findings(folder: Path) -> Iterator[Finding]:
    """Its integrity, and whether it was written in what is the future now."""
    path = folder / DATABASE_FILE
    if not path.exists():
        return
    yield _integrity(path)
    ahead = path.stat().st_mtime - time.time()
    if ahead > _AHEAD:
        message = f"{path} was written {ahead:.0f} s in the future: the clock was set back"
        yield Finding(level="warning", check="clock", message=message, advice="set the clock, best by NTP")


def _integrity(path: Path) -> Finding:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)) as database:
            said = [str(row[0]) for row in database.execute("PRAGMA quick_check(5)")]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    if said == ["ok"]:
        return Finding(level="ok", check=_CHECK, message="sound")
    advice = "end the server and restore the data directory from a backup"
    return Finding(level="error", check=_CHECK, message=f"{path} is damaged: {said[0]}", advice=advice)
