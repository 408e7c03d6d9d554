"""What runtimes answer; a runtime that raises what is not ours takes nothing with it but the request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from sac_core.errors import SacError, UnavailableError
from sac_core.hooks.registry import Registry
from sac_core.models.agent import Agent
from sac_core.models.base import parse
from sac_core.models.launch import Launch
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe
from sac_core.models.secret_ref import SecretRef, secret_refs
from sac_core.models.secret_use import SecretUse
from sac_core.models.workspace import Places, Preparation

log = logging.getLogger("sac.plugins")

R = TypeVar("R")


def launch(registry: Registry, agent: Agent) -> Launch | None:
    """The body that an agent needs, as its runtime says; raises `InvalidError` for what it refuses."""
    runtime = registry.runtime(agent.spec.runtime)
    made = _asked(registry, runtime.name, "launch", lambda: runtime.make().launch(agent), Launch)
    if made is None or made.template.image is not None:
        return made
    return made.model_copy(update={"recipe": recipe(registry, runtime.name)})


def recipe(registry: Registry, name: str) -> Recipe | None:
    """How the image of a runtime's agents is made, if it says so."""
    runtime = registry.runtime(name)
    return _asked(registry, runtime.name, "recipe", lambda: runtime.make().recipe(), Recipe)


def terminal(registry: Registry, agent: Agent) -> Command | None:
    """What a session of an agent runs by default, as its runtime says."""
    runtime = registry.runtime(agent.spec.runtime)
    return _asked(registry, runtime.name, "terminal", lambda: runtime.make().terminal(agent), Command)


def places(registry: Registry, agent: Agent) -> Places:
    """Where a runtime looks for instructions and skills."""
    runtime = registry.runtime(agent.spec.runtime)
    return _asked(registry, runtime.name, "places", lambda: runtime.make().places(agent), Places) or Places()


def programs(registry: Registry, agent: Agent) -> dict[str, str]:
    """The programs that a runtime needs in the body, each with what to do without it."""
    runtime = registry.runtime(agent.spec.runtime)
    needed = _asked(
        registry, runtime.name, "programs", lambda: Preparation(programs=runtime.make().programs(agent)), Preparation
    )
    return needed.programs if needed else {}


def secrets(registry: Registry, agent: Agent) -> dict[str, SecretUse]:
    """What a runtime's options refer to, by their path; raises `InvalidError` for options that it does not have."""
    runtime = registry.runtime(agent.spec.runtime)
    refs = secret_refs(parse(runtime.options, agent.spec.runtime_options, field="spec.runtimeOptions"))
    if not refs:
        return {}
    return _asked(registry, runtime.name, "variables", lambda: _uses(refs, runtime.make().variables(agent)), dict) or {}


def _uses(refs: Mapping[str, SecretRef], names: Mapping[str, str]) -> dict[str, SecretUse]:
    return {path: SecretUse(name=ref.secret, key=ref.key, env=names[path]) for path, ref in refs.items()}


def _asked(registry: Registry, name: str, what: str, ask: Callable[[], R | None], kind: type[R]) -> R | None:
    try:
        answer = ask()
        if answer is not None and not isinstance(answer, kind):
            raise TypeError(f"{what} gave a {type(answer).__name__}, not a {kind.__name__}")
    except SacError:
        raise
    except (Exception, SystemExit) as error:  # the text may be anything: only the class is told
        log.error("runtime %s failed in %s", name, what, exc_info=error)
        told = f"{what} raised {type(error).__name__}, which is no error of SAC's"
        registry.troubles.note("runtime", name, told)
        raise UnavailableError(f"runtime {name!r}: {told}", field="spec.runtime", hint="see: sac plugins") from error
    return answer
