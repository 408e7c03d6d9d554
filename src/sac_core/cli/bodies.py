"""Options of a command that say what an agent's body is made of and may use."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from sac_core.cli.options import parse_options
from sac_core.cli.published import parse_ports
from sac_core.errors import InvalidError

Several = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


@Parameter(name="*")
@dataclass(frozen=True)
class Body:
    """What the body is made of; an executor that cannot honour one of them says so.

    Parameters
    ----------
    image
        The image of its body, where its executor runs images; without it, its runtime's, or the executor's choice.
    profile
        How much it may: dev leaves a writable root, strict does not; dev-root is root in there, for apt and the like.
    env
        A variable of its processes, NAME=VALUE, or NAME for the value that it has here; may be repeated.
    secret
        A variable with a secret of yours, VARIABLE=SECRET, or VARIABLE=SECRET/KEY; may be repeated.
    secret_file
        A file with a secret of yours, PATH=SECRET, or PATH=SECRET/KEY; may be repeated.
    cpu
        The most that it may compute, in cores, for example 1.5.
    memory
        The most memory, for example 512m or 2g.
    disk
        The most that it may write, for example 10g.
    processes
        The most processes and threads.
    gpus
        How many GPUs it has.
    port
        A port that it serves, NUMBER or NAME:NUMBER, to be opened with `sac open`; may be repeated.
    egress
        What it may reach: all, or none, which takes its network away.
    executor_option
        An option of its executor, NAME=VALUE, or deeper NAME.PART=VALUE; lists are JSON; may be repeated.
    """

    image: str | None = None
    profile: Literal["dev", "dev-root", "strict"] | None = None
    env: Several = ()
    secret: Several = ()
    secret_file: Several = ()
    cpu: float | None = None
    memory: str | None = None
    disk: str | None = None
    processes: int | None = None
    gpus: int | None = None
    port: Several = ()
    egress: Literal["all", "none"] | None = None
    executor_option: Several = ()

    def spec(self) -> dict[str, Any]:
        """The fields of a spec that they make."""
        made = {
            "image": self.image,
            "profile": self.profile,
            "env": _variables(self.env),
            "secrets": [*_uses(self.secret, "env", "--secret"), *_uses(self.secret_file, "file", "--secret-file")],
            "resources": self._resources(),
            "ports": parse_ports(self.port),
            "egress": {"mode": self.egress} if self.egress else None,
            "options": parse_options(self.executor_option, "--executor-option"),
        }
        return {name: value for name, value in made.items() if value}

    def _resources(self) -> dict[str, Any]:
        sizes = {"memory": _size(self.memory, "--memory"), "disk": _size(self.disk, "--disk")}
        given = {"cpu": self.cpu, **sizes, "processes": self.processes, "gpus": self.gpus}
        return {name: value for name, value in given.items() if value is not None}


PLAIN = Body()


def _variables(given: Sequence[str]) -> dict[str, str]:
    made = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign and name not in os.environ:
            raise _wrong("--env", f"{name!r} is no variable here", "write NAME=VALUE, or set it first")
        made[name] = value if sign else os.environ[name]
    return made


def _uses(given: Sequence[str], way: str, flag: str) -> list[dict[str, str]]:
    made = []
    for each in given:
        place, sign, secret = each.partition("=")
        name, _, key = secret.partition("/")
        if not sign or not place or not name:
            raise _wrong(flag, f"{each!r} names no secret", "write WHERE=SECRET; see: sac secrets list")
        made.append({way: place, "name": name, **({"key": key} if key else {})})
    return made


def _size(text: str | None, flag: str) -> int | None:
    """Bytes; the letters are powers of 1024."""
    if text is None:
        return None
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise _wrong(flag, f"{text!r} is no size", "write a number and k, m, g or t, for example 512m")
    return round(float(found[1]) * _FACTORS[found[2].lower()])


def _wrong(flag: str, message: str, hint: str) -> InvalidError:
    return InvalidError(message, field=flag, reason="Usage", hint=hint)
