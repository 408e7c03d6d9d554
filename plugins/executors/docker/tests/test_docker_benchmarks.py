"""That every benchmark of containers runs, tiny, and yields figures; never how quick it was."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest.importorskip("terminado", reason="the libraries of the group bench are not installed")
sys.path.insert(0, str(Path(__file__).parents[4]))

from benchmarks.__main__ import GROUPS, TINY
from benchmarks.bodies import running_server
from benchmarks.docker.engine import open_engine
from benchmarks.figures import Missing


@pytest.mark.skipif(not entry_points(group="sac", name="docker"), reason="the plugin is not installed")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", GROUPS["docker"])
def test_a_benchmark_of_containers_runs(
    name: str, python_image: str, plain_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAC_BENCH_IMAGES", f"{python_image},{plain_image}")
    with running_server() as server:
        figures = list(TINY[name](server))
        assert figures
        assert "Traceback" not in (server.folder / "log").read_text()


@pytest.mark.skipif(not entry_points(group="sac", name="docker"), reason="the plugin is not installed")
def test_without_an_engine_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(Missing, match=r"engine|command"), open_engine():
        pytest.fail("there is no engine")
