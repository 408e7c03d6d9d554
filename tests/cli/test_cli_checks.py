"""`sac doctor` finds what is broken in a data directory, and what a server says is broken."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sac_core.cli import checks
from sac_core.cli.database_file import database_findings
from sac_core.models.body import Finding
from sac_core.settings import Settings

if TYPE_CHECKING:
    from cli.conftest import Sac


def database(folder: Path) -> Path:
    """A sound database of some pages."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "sac.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE things (name TEXT)")
        made.executemany("INSERT INTO things VALUES (?)", [(f"thing {number}" * 50,) for number in range(2000)])
        made.commit()
    return path


def levels(found: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.level for finding in found}


def test_a_sound_database_is_found_sound(tmp_path: Path) -> None:
    database(tmp_path)
    assert levels(list(database_findings(tmp_path))) == {"database file": "ok"}


def test_a_damaged_database_is_an_error(tmp_path: Path) -> None:
    path = database(tmp_path)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(65536))
    (finding,) = database_findings(tmp_path)
    assert (finding.level, "damaged" in finding.message, bool(finding.advice)) == ("error", True, True)


def test_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sac.db").write_bytes(b"not a database" * 1000)
    assert levels(list(database_findings(tmp_path))) == {"database file": "error"}


def test_a_clock_that_was_set_back_is_seen(tmp_path: Path) -> None:
    path = database(tmp_path)
    os.utime(path, (time.time() + 3600, time.time() + 3600))
    assert levels(list(database_findings(tmp_path)))["clock"] == "warning"


@pytest.mark.parametrize(("name", "check"), [("token", "token"), ("key", "root key"), ("elsewhere", "root key")])
def test_a_secret_file_that_others_may_read_is_an_error(tmp_path: Path, name: str, check: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    given = {"keys_file": folder / name} if name == "elsewhere" else {}
    settings = Settings(data_dir=folder, **given)  # type: ignore[arg-type]
    (folder / name).write_text("secret")
    for mode, level in ((0o600, "ok"), (0o640, "error")):
        (folder / name).chmod(mode)
        assert levels(list(checks.data_dir_findings(settings)))[check] == level


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "NO_DISK", 1 << 60)
    assert levels(list(checks.data_dir_findings(Settings(data_dir=tmp_path))))["disk"] == "error"


def test_clocks_that_differ_are_seen() -> None:
    now = datetime.now(UTC)
    assert list(checks._clock(now)) == []
    (finding,) = checks._clock(now - timedelta(minutes=5))
    assert finding.level == "warning"


def test_the_document_for_programs(fresh: Sac) -> None:
    fresh.run("get", "agents")
    told = json.loads(fresh.run("doctor", "-o", "json").stdout)
    assert told["ok"] is True
    assert {"sac", "data directory", "database file", "server", "plugins", "executor process"} <= {
        finding["check"] for finding in told["findings"]
    }
    (fresh.folder / "token").chmod(0o644)
    done = fresh.run("doctor", "--output", "json", check=False)
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (1, False)
