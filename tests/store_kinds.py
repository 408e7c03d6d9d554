"""Marks for tests of what only one kind of database has; all others run on each."""

from __future__ import annotations

import pytest

only_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
