"""A holder and a link to it, for every test here that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holder_process import linked, running_holder, started
from sac_core.held import HolderLink


@pytest.fixture
async def holder(tmp_path: Path) -> AsyncIterator[Path]:
    """A holder's folder; the holder ends with the test."""
    with running_holder(tmp_path):
        await started(tmp_path)
        yield tmp_path


@pytest.fixture
async def link(holder: Path) -> AsyncIterator[HolderLink]:
    async with linked(holder) as link:
        yield link
