"""A Launch: the pure description of a body. A changed template replaces the body; the binding is delivered later."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field

from sac_core.models.base import Model
from sac_core.models.names import Argv, Environment, Labels, Name
from sac_core.models.outlet import Outlet
from sac_core.models.recipe import Recipe
from sac_core.models.secret_use import BoundSecret
from sac_core.models.workspace import Preparation

Profile = Literal["dev", "dev-root", "strict"]


class Resources(Model):
    """Limits of a body; none means the executor's default. cpu in cores, memory and disk in bytes."""

    cpu: float | None = Field(default=None, gt=0)
    memory: int | None = Field(default=None, gt=0)
    disk: int | None = Field(default=None, gt=0)
    processes: int | None = Field(default=None, gt=0)
    gpus: int | None = Field(default=None, ge=0)


class Mount(Model):
    """A place of the target inside the body. ``folder`` is a folder of the target, ``volume`` a named one of ours."""

    kind: Literal["folder", "volume"]
    source: str
    path: str
    read_only: bool = False


class Port(Model):
    """A port of the body that `Executor.dial` may reach; ``name`` says to people what answers there."""

    name: Name
    port: int = Field(ge=1, le=65535)


def check_ports(ports: tuple[Port, ...]) -> None:
    """Raise ValueError for a name or a number that is there twice."""
    if len({port.name for port in ports}) < len(ports):
        raise ValueError("a name is there twice in ports")
    if len({port.port for port in ports}) < len(ports):
        raise ValueError("a number is there twice in ports")


class Egress(Model):
    """What a body may reach: ``all``, ``none``, or only the named hosts."""

    mode: Literal["all", "none", "allow"] = "all"
    hosts: tuple[str, ...] = ()


class Template(Model):
    """The part of a Launch whose change replaces the body. ``options`` are the executor's own."""

    image: str | None = None
    command: Argv | None = None
    cwd: str | None = None
    resources: Resources = Resources()
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    egress: Egress = Egress()
    profile: Profile = "dev"
    restarted_at: str | None = None
    options: dict[str, object] = Field(default_factory=dict)


class Binding(Model):
    """The part of a Launch that is delivered after the start, and again when it changes; secrets by reference."""

    env: Environment = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)
    labels: Labels = Field(default_factory=dict)
    secrets: tuple[BoundSecret, ...] = ()
    outlets: tuple[Outlet, ...] = Field(default=(), max_length=8)


class Launch(Model):
    """A body's description, computed once per generation and stored with the agent's row.

    ``preparation`` is the core's own work: executors take no notice of it. ``recipe`` is there when the template names
    no image: an executor that runs images makes the body of the recipe's one, and builds that where it is missing.
    """

    generation: int = 1
    template: Template = Template()
    binding: Binding = Binding()
    preparation: Preparation = Preparation()
    recipe: Recipe | None = None

    @property
    def hash(self) -> str:
        """16 hexadecimal digits of SHA-256 over the template alone."""
        text = json.dumps(self.template.to_wire(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Secrets:
    """Secret values on their way into a body: no repr, in no hash, never logged.

    ``env`` is by variable, ``files`` by path below the body's folder of secrets, ``options`` by the path of the
    executor's option that refers to it: those are for the executor, not for the body.
    """

    __slots__ = ("env", "files", "options")

    def __init__(
        self,
        env: dict[str, str] | None = None,
        files: dict[str, bytes] | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self.env = env or {}
        self.files = files or {}
        self.options = options or {}

    def __repr__(self) -> str:
        return "Secrets(...)"

    def __reduce__(self) -> str:
        raise TypeError("secrets are not pickled")


NO_SECRETS = Secrets()
