"""The Agent: a declared workload. Its spec says what should run, its status what was seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from sac_core.models.base import Model
from sac_core.models.envelope import Condition, Metadata
from sac_core.models.launch import Egress, Port, Profile, Resources, Template, check_ports
from sac_core.models.names import Argv, Environment, Name
from sac_core.models.placement import DEFAULT_TARGET, Placement
from sac_core.models.process import Exit
from sac_core.models.secret_use import SecretUse, SecretVersion, check_uses
from sac_core.models.workspace import LARGEST_TEXT, Skill, Workspace, check_texts

AgentPhase = Literal["Pending", "Starting", "Running", "Stopped", "Completed", "Failed", "Unknown", "Terminating"]

FAILED_REASONS = (
    "ImageNotFound",
    "InvalidSpec",
    "QuotaExceeded",
    "Forbidden",
    "Unschedulable",
    "CrashLoop",
    "Exited",
    "OutOfMemory",
    "Evicted",
    "Lost",
    "RemovedOutside",
    "SecretNotFound",
    "StartTimeout",
    "Unsupported",
    "ExecutorError",
)
"""The closed list of reasons of phase Failed."""


class ExecutorRef(Model):
    """Which executor, and which of its targets; no target means the executor's default one.

    An agent stays on the target that it was created on.
    """

    name: Name
    target: Name | None = None


class AgentSpec(Model):
    """What should run.

    ``executor`` is a name or ``{name, target}``; empty takes the installation's default. ``lifetime`` ``run`` ends as
    Completed and is never started again; ``service`` is restarted by ``restart``. ``start_timeout`` is in seconds.
    ``options`` are the executor's, ``runtime_options`` the runtime's. ``keep_volumes``: whoever deletes the agent, what
    its executor keeps for it on a disk stays.
    """

    runtime: Name = "shell"
    executor: Name | ExecutorRef | None = None
    state: Literal["Running", "Stopped"] = "Running"
    restarted_at: datetime | None = None
    restart: Literal["always", "on-failure", "never"] = "always"
    lifetime: Literal["service", "run"] = "service"
    profile: Profile = "dev"
    image: str | None = None
    command: Argv | None = None
    env: Environment = Field(default_factory=dict)
    secrets: tuple[SecretUse, ...] = Field(default=(), max_length=100)
    workspace: Workspace = Workspace()
    instructions: str | None = Field(default=None, max_length=LARGEST_TEXT)
    skills: tuple[Skill, ...] = Field(default=(), max_length=50)
    resources: Resources = Resources()
    ports: tuple[Port, ...] = Field(default=(), max_length=50)
    egress: Egress = Egress()
    options: dict[str, Any] = Field(default_factory=dict)
    runtime_options: dict[str, Any] = Field(default_factory=dict)
    start_timeout: float = Field(default=180.0, gt=0, le=86400)
    keep_volumes: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> AgentSpec:
        check_uses(self.secrets, self.env)
        check_texts(self.instructions, self.skills)
        check_ports(self.ports)
        return self

    @property
    def executor_ref(self) -> ExecutorRef | None:
        """The executor as a reference, whichever way it was written."""
        return ExecutorRef(name=self.executor) if isinstance(self.executor, str) else self.executor

    def template(self) -> Template:
        """What the body is made of, with every field of the spec; a runtime passes it on, changes it, or refuses."""
        return Template(
            image=self.image,
            command=self.command,
            cwd=self.workspace.folder,
            resources=self.resources,
            ports=self.ports,
            egress=self.egress,
            profile=self.profile,
            restarted_at=self.restarted_at.isoformat() if self.restarted_at else None,
            options=self.options,
        )


class AgentStatus(Model):
    """What was seen. ``restarts`` counts bodies started again in a row; ``next_attempt`` is when the next is due.

    ``executor`` and ``target`` are where its body is; ``details`` say where there, in the executor's own words.
    ``secrets`` are the versions that were delivered last; ``next_clone`` is when a failed git clone is tried again.
    """

    phase: AgentPhase = "Pending"
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    observed_generation: int = 0
    executor: str = ""
    target: str = DEFAULT_TARGET
    isolated: bool | None = None
    hash: str = ""
    exit: Exit | None = None
    progress: str = ""
    details: dict[str, str] = Field(default_factory=dict)
    restarts: int = 0
    started_at: datetime | None = None
    running_at: datetime | None = None
    next_attempt: datetime | None = None
    secrets: tuple[SecretVersion, ...] = ()
    next_clone: datetime | None = None

    @property
    def placement(self) -> Placement:
        """Where its body is."""
        return Placement(self.executor, self.target)


class Agent(Model):
    """A declared workload; has at most one live body."""

    api_version: Literal["sac/v1"] = "sac/v1"
    kind: Literal["Agent"] = "Agent"
    metadata: Metadata
    spec: AgentSpec = AgentSpec()
    status: AgentStatus = AgentStatus()
