"""What `sac run` says of a body, as the fields of a spec."""

from __future__ import annotations

from typing import Any

import pytest

from sac_core.cli.bodies import Body
from sac_core.errors import InvalidError
from sac_core.models.agent import AgentSpec
from sac_core.models.base import parse


def test_what_is_not_said_is_not_in_the_spec() -> None:
    assert Body().spec() == {}


@pytest.mark.parametrize(
    ("text", "size"), [("1024", 1024), ("512m", 512 * 1024**2), ("1.5g", 3 * 1024**3 // 2), ("2GiB", 2 * 1024**3)]
)
def test_sizes_are_bytes(text: str, size: int) -> None:
    assert Body(memory=text, disk=text).spec() == {"resources": {"memory": size, "disk": size}}


def test_each_has_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "vim")
    body = Body(
        image="debian:12",
        profile="strict",
        env=("A=1=2", "EDITOR", "EMPTY="),
        secret=("API_KEY=vendor", "USER_NAME=account/username"),
        secret_file=("ssh/key=deploy",),
        cpu=0.5,
        processes=100,
        gpus=0,
        port=("8000", "web:80"),
        egress="none",
        executor_option=('volumes={"cache": "/cache"}',),
    )
    made = body.spec()
    parse(AgentSpec, made, field="spec")
    assert made == {
        "image": "debian:12",
        "profile": "strict",
        "env": {"A": "1=2", "EDITOR": "vim", "EMPTY": ""},
        "secrets": [
            {"env": "API_KEY", "name": "vendor"},
            {"env": "USER_NAME", "name": "account", "key": "username"},
            {"file": "ssh/key", "name": "deploy"},
        ],
        "resources": {"cpu": 0.5, "processes": 100, "gpus": 0},
        "ports": [{"name": "p8000", "port": 8000}, {"name": "web", "port": 80}],
        "egress": {"mode": "none"},
        "options": {"volumes": {"cache": "/cache"}},
    }


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        ({"env": ("NOT_SET_ANYWHERE",)}, "--env"),
        ({"secret": ("API_KEY",)}, "--secret"),
        ({"secret": ("=vendor",)}, "--secret"),
        ({"secret_file": ("path=",)}, "--secret-file"),
        ({"memory": "much"}, "--memory"),
        ({"disk": "-1g"}, "--disk"),
        ({"port": ("web",)}, "--port"),
        ({"executor_option": ("volumes",)}, "--executor-option"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_option(given: dict[str, Any], flag: str) -> None:
    with pytest.raises(InvalidError) as wrong:
        Body(**given).spec()
    assert wrong.value.field == flag
    assert wrong.value.hint
