"""That every benchmark runs, tiny, and yields figures; never how quick it was."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("terminado", reason="the libraries of the group bench are not installed")
sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.__main__ import GROUPS, TINY
from benchmarks.bodies import Server, running_server
from benchmarks.figures import Bar, Figure, added, compared, save, table


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.mark.parametrize("name", sorted(TINY.keys() - set(GROUPS["docker"]) - set(GROUPS["kubernetes"])))
def test_a_benchmark_runs(server: Server, name: str) -> None:
    figures = list(TINY[name](server))
    assert figures
    assert all(figure.ours > 0 for figure in figures if figure.unit != "KiB each")
    assert "Traceback" not in (server.folder / "log").read_text()


def test_a_comparison_is_the_median_of_the_pairs() -> None:
    ours, peer = [10.0, 40.0, 20.0], [10.0, 10.0, 10.0]
    assert compared("a", "s", ours, peer, peer_name="b", bar=None).value == 2.0
    assert added("a", "s", ours, peer, peer_name="b", bar=None).value == 10.0


def test_a_bar_is_met_on_its_own_side_only() -> None:
    assert Bar(0.8, at_least=True).met_by(0.9)
    assert not Bar(0.8, at_least=True).met_by(0.7)
    assert not Bar(0.8).met_by(0.9)


def test_the_table_and_the_json_say_what_is_missed(tmp_path: Path) -> None:
    figures = [Figure("slow", 5, "ms", 5, Bar(1, unit="ms"), notes=("why",)), Figure("open", 1, "ms", 1)]
    assert " NO" in table(figures).splitlines()[2]
    assert "slow: why" in table(figures)
    save(figures, tmp_path / "results" / "latest.json")
    saved = json.loads((tmp_path / "results" / "latest.json").read_text())["figures"]
    assert [figure["met"] for figure in saved] == [False, None]
