"""Fixtures of a real PostgreSQL. Where it is required (SAC_TEST_REQUIRE), a missing one is a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sac_core.testing.postgres import Cluster, binaries, running_cluster

__all__ = ["Cluster", "own_postgres", "postgres", "running_cluster"]


@contextmanager
def _cluster() -> Iterator[Cluster]:
    if binaries() is None:
        missing = pytest.fail if "postgres" in os.environ.get("SAC_TEST_REQUIRE", "").split(",") else pytest.skip
        missing("PostgreSQL is not installed")
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One cluster for all tests that only need databases of their own."""
    with _cluster() as cluster:
        yield cluster


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """A cluster that a test may crash."""
    with _cluster() as cluster:
        yield cluster
