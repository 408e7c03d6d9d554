"""A launch's hash covers what replaces a body, and nothing else; secrets show nothing."""

from __future__ import annotations

import pickle

import pytest

from sac_core.models.launch import Binding, Launch, Secrets, Template
from sac_core.models.process import Exit


def test_the_hash_covers_the_template_alone() -> None:
    launch = Launch(template=Template(command=("a",)))
    assert launch.hash == Launch(generation=9, template=Template(command=("a",)), binding=Binding(env={"A": "1"})).hash
    assert launch.hash != Launch(template=Template(command=("b",))).hash
    assert launch.hash == Launch.model_validate_json(launch.model_dump_json(by_alias=True)).hash


def test_secrets_show_nothing() -> None:
    secrets = Secrets(env={"KEY": "canary"}, files={"f": b"canary"})
    assert "canary" not in f"{secrets!r} {secrets}"
    with pytest.raises(TypeError):
        pickle.dumps(secrets)


@pytest.mark.parametrize(
    ("exit", "status"), [(Exit(code=3), 3), (Exit(signal="KILL"), 137), (Exit(reason="Lost"), 255)]
)
def test_an_exit_has_the_shells_status(exit: Exit, status: int) -> None:
    assert exit.status == status
