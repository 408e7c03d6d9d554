"""Whose processes a container has, on engines that take users as they are, that remap them, and that run as a user."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sac_core.errors import UnsupportedError
from sac_executor_docker.users import remaps_users, user_of

PLAIN: dict[str, Any] = {"SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"]}
REMAPPED: dict[str, Any] = {"SecurityOptions": ["name=seccomp,profile=builtin", "name=userns"]}
ROOTLESS: dict[str, Any] = {"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]}


def test_an_engine_says_itself_whether_its_root_is_somebody_else() -> None:
    assert [remaps_users(info) for info in (PLAIN, REMAPPED, ROOTLESS, {})] == [False, True, True, False]


def test_the_owner_of_a_folder_is_the_same_user_inside(tmp_path: Path) -> None:
    about = tmp_path.stat()
    assert user_of(about, PLAIN, None) == f"{os.getuid()}:{about.st_gid}"


def test_who_runs_a_rootless_engine_is_root_in_its_containers(tmp_path: Path) -> None:
    assert user_of(tmp_path.stat(), ROOTLESS, os.getuid()) == "0:0"


@pytest.mark.parametrize(("info", "said"), [(REMAPPED, "userns-remap"), (ROOTLESS, "another user")])
def test_a_folder_that_would_be_nobodys_inside_is_refused(tmp_path: Path, info: dict[str, Any], said: str) -> None:
    with pytest.raises(UnsupportedError, match=said) as refused:
        user_of(tmp_path.stat(), info, os.getuid() + 1)
    assert refused.value.field == "spec.workspace.folder"
