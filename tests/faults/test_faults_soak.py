"""A short soak, as `nox -s soak` does a long one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
import pytest

from sac_core.testing.fixtures import eventually
from soak_bodies import COMMAND, beats, doubles, variables

SOAK = Path(__file__).parents[1] / "soak_run.py"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("database", "seed", "operations"), [("sqlite", 5, 150), ("postgres", 1, 100)])
async def test_random_operations_and_kills_leave_no_orphan_and_no_double_body(
    request: pytest.FixtureRequest, database: str, seed: int, operations: int
) -> None:
    if database == "postgres":
        request.getfixturevalue("postgres")  # or skipped, where there is none
    given = ["--database", database, "--seed", str(seed), "--operations", str(operations)]
    done = await anyio.run_process([sys.executable, str(SOAK), *given], check=False, stderr=None)
    assert done.returncode == 0, done.stdout.decode()
    assert f"again: nox -s soak -- --seed {seed}".encode() in done.stdout
    assert (b"'database': 1" in done.stdout) == (database == "postgres"), "this seed was to crash the database too"


def write(folder: Path, *lines: str) -> None:
    (folder / "beats").write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["1.0 a 7 beat", "1.1 b 8 beat", "1.2 a 7 beat", "1.3 a 9 beat", "1.4 a 9 beat"], 0),
        (["1.0 a 7 beat", "1.1 a 9 beat", "1.2 a 7 beat"], 1),
        (["1.0 a 7 beat", "1.1 a 9 double"], 1),
        (["1.0 a 7 beat", "1.1 a 9 be"], 0),
    ],
)
def test_bodies_that_lived_at_once_are_told(tmp_path: Path, lines: list[str], said: int) -> None:
    write(tmp_path, *lines)
    assert len(list(doubles(tmp_path))) == said


async def test_a_second_body_finds_the_lock_taken(tmp_path: Path) -> None:
    """The command of bodies itself: two at once leave a trace, one after another does not."""
    env = {**os.environ, **variables(tmp_path, "a")}
    async with await anyio.open_process(COMMAND, env=env) as first:
        await eventually(lambda: list(beats(tmp_path)))
        async with await anyio.open_process(COMMAND, env=env) as second:
            await eventually(lambda: list(doubles(tmp_path)))
            second.kill()
        first.kill()
