"""The outside world in memory: bodies, volumes and processes that outlive every executor instance."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sac_core.models.body import OWNER_LABEL, BodyPhase, Key
from sac_core.models.launch import NO_SECRETS, Launch, Secrets
from sac_core.models.process import Command, Exit
from sac_core.testing.clock import SimulatedClock
from sac_core.testing.simulated_log import Changes
from sac_core.testing.simulated_process import WorldProcess
from sac_core.testing.simulated_program import PROGRAMS, Beat, Invocation, Program

MAIN = "main"
"""The process id of a body's own command."""


@dataclass(frozen=True)
class StartPlan:
    """How bodies behave. Times in seconds of the target's clock; zero means at once.

    ``fails`` is a reason: the body fails with it instead of running. ``exits`` is a code: the body ends with it
    ``exits_after`` seconds of running.
    """

    build_seconds: float = 0.0
    pull_seconds: float = 0.0
    start_seconds: float = 0.0
    stop_seconds: float = 0.0
    fails: str | None = None
    message: str = ""
    exits: int | None = None
    exits_after: float = 0.0


@dataclass(eq=False)
class SimulatedBody:
    """A body in the outside world. ``phase`` is what it does now; ``purge`` says that its volumes go with it."""

    target: SimulatedTarget
    key: Key
    labels: dict[str, str]
    launch: Launch
    secrets: Secrets
    plan: StartPlan
    serial: int
    created_at: float
    phase: BodyPhase = "pending"
    exit: Exit | None = None
    purge: bool = False
    processes: dict[str, WorldProcess] = field(default_factory=dict)
    disk: dict[str, bytes] = field(default_factory=dict)

    @property
    def owner(self) -> str | None:
        return self.labels.get(OWNER_LABEL)

    @property
    def alive(self) -> bool:
        """Whether something of it may run."""
        return self.phase in ("running", "terminating")

    @property
    def progress(self) -> str:
        """How far the pull is, while it pulls; the build before that tells nothing but that it goes on."""
        elapsed = self.target.clock.seconds - self.created_at - self.plan.build_seconds
        if self.building:
            return "building the image"
        if self.phase != "pending" or elapsed >= self.plan.pull_seconds:
            return ""
        return f"pulling: {100 * elapsed / self.plan.pull_seconds:.0f} %"

    @property
    def building(self) -> bool:
        """Whether its image is built first."""
        return self.phase == "pending" and self.target.clock.seconds - self.created_at < self.plan.build_seconds

    def begin(self) -> None:
        plan = self.plan
        self.target.later(plan.build_seconds + plan.pull_seconds + plan.start_seconds, self._run)

    def run(self, process_id: str, command: Command) -> WorldProcess:
        """The process of that id, started when there is none."""
        if process_id not in self.processes:
            self._spawn(process_id, command, lambda exit: None)
        return self.processes[process_id]

    def forget(self, process_id: str, process: WorldProcess) -> None:
        """The process's record goes, unless the id already names a later one."""
        if self.processes.get(process_id) is process:
            del self.processes[process_id]

    def crash(self, reason: str = "Lost") -> None:
        """It ends without having been asked to."""
        self.plan = replace(self.plan, fails=reason, message="the simulated body was killed from outside")
        self.end("failed")

    def end(self, phase: BodyPhase, exit: Exit | None = None) -> None:
        """Nothing of it runs any more; it is still there."""
        self.phase, self.exit = phase, exit or self.exit
        for process in list(self.processes.values()):
            process.end(Exit(signal="KILL", reason="Lost"))
        self.target.changed(self.key)

    def remove(self, grace: float) -> None:
        """Begin to end; gone when its time to stop, at most ``grace``, has passed."""
        if self.phase == "terminating":
            return
        delay = min(self._stop_seconds(grace), grace) if self.alive else 0.0
        self.phase = "terminating"
        self.target.changed(self.key)
        self.target.later(delay, self._gone)

    def _run(self) -> None:
        if self.phase != "pending":
            return
        if self.plan.fails:
            self.end("failed")
            return
        self.phase = "running"
        self.target.count_alive(self.key.uid)
        if self.launch.template.command:
            main = Command(argv=self.launch.template.command, env=self.launch.binding.env | self.secrets.env)
            self._spawn(MAIN, main, self._main_ended)
        if self.plan.exits is not None:
            exit = Exit(code=self.plan.exits)
            self.target.later(self.plan.exits_after, lambda: self._main_ended(exit))
        self.target.changed(self.key)

    def _stop_seconds(self, grace: float) -> float:
        program = (self.launch.template.command or ("",))[0]
        return {"linger": 0.5, "stubborn": grace}.get(program, self.plan.stop_seconds)

    def _main_ended(self, exit: Exit) -> None:
        if self.phase == "running":
            self.end("exited", exit)

    def _gone(self) -> None:
        self.end("absent")
        self.target.discard(self)

    def _spawn(self, process_id: str, command: Command, ended: Callable[[Exit], None]) -> None:
        process = self.target.process(command, ended, self.secrets.files, self.disk)
        self.processes[process_id] = process
        process.start()


class SimulatedTarget:
    """One place where bodies run. Keep it, open another executor on it: that is a restart of SAC.

    ``most_alive`` is the highest number of bodies ever alive at once for a uid, told by the bodies and by no row.
    """

    def __init__(self, clock: SimulatedClock | None = None) -> None:
        self.clock = clock or SimulatedClock()
        self.programs: dict[str, Program] = dict(PROGRAMS)
        self.default_plan = StartPlan()
        self.plans: dict[str, StartPlan] = {}
        """By agent name, for bodies that are created from now on."""
        self.volumes: dict[tuple[str | None, str, str], dict[str, bytes]] = {}
        """By owner, uid and name."""
        self.beats: list[Beat] = []
        self.most_alive: dict[str, int] = {}
        self.no_room = ""
        """Why no body can be made now; empty: there is room."""
        self.created = 0
        self.changes = Changes()
        self.dirty: dict[Key, int] = {}
        """When (a number that only grows) each body changed last."""
        self._serials = itertools.count(1)
        self._versions = itertools.count(1)
        self._bodies: dict[str, list[SimulatedBody]] = defaultdict(list)

    def create(
        self, key: Key, labels: dict[str, str], launch: Launch | None = None, secrets: Secrets = NO_SECRETS
    ) -> SimulatedBody:
        """A new body, whoever's; tests make foreign ones with it."""
        plan = self.plans.get(key.agent, self.default_plan)
        serial = next(self._serials)
        body = SimulatedBody(self, key, labels, launch or Launch(), secrets, plan, serial, self.clock.seconds)
        self._bodies[key.uid].append(body)
        self.created += 1
        self.changed(key)
        body.begin()
        return body

    def bodies(self, uid: str | None = None) -> Iterator[SimulatedBody]:
        """Every body, or those of a uid, whoever's, oldest first."""
        found = self._bodies.values() if uid is None else [self._bodies.get(uid, [])]
        return iter([body for bodies in found for body in bodies])

    def discard(self, body: SimulatedBody) -> None:
        """The body is gone, and its volumes when it was to be purged; it may have been told twice to go."""
        if body not in self._bodies.get(body.key.uid, []):
            return
        self._bodies[body.key.uid].remove(body)
        if not self._bodies[body.key.uid]:
            del self._bodies[body.key.uid]
        if body.purge:
            self.purge(body.owner, body.key.uid)
        self.changed(body.key)

    def purge(self, owner: str | None, uid: str) -> None:
        """Remove the volumes of a uid."""
        for name in [name for name in self.volumes if name[:2] == (owner, uid)]:
            del self.volumes[name]

    def process(
        self,
        command: Command,
        ended: Callable[[Exit], None],
        files: Mapping[str, bytes] = NO_SECRETS.files,
        disk: dict[str, bytes] | None = None,
    ) -> WorldProcess:
        """A process that has not started yet; ``files`` are those of its body's secrets, ``disk`` is the body's."""
        call = Invocation(
            command.argv, command.env, next(self._serials), self.beats, files, {} if disk is None else disk
        )
        return WorldProcess(command, self.programs.get(command.argv[0]), call, self.clock, ended)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do it after some simulated time; at once with none."""
        if seconds <= 0:
            action()
        else:
            self.clock.call_at(self.clock.seconds + seconds, action)

    def count_alive(self, uid: str) -> None:
        alive = sum(body.alive for body in self.bodies(uid))
        self.most_alive[uid] = max(alive, self.most_alive.get(uid, 0))

    def changed(self, key: Key) -> None:
        self.dirty[key] = next(self._versions)
        self.changes.tell()
