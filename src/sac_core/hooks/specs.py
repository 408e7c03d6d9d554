"""The hooks, in families. They are synchronous, quick and do no I/O: they offer records or are told after the fact."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from sac_core.hooks.records import AuthenticatorPlugin, ExecutorPlugin, RuntimePlugin, StagePlugin
from sac_core.models.agent import Agent
from sac_core.models.change import Change
from sac_core.models.kind import Kind
from sac_core.models.session import Session

hookspec = pluggy.HookspecMarker("sac")


class AgentSpecs:
    """The Agent family."""

    @hookspec
    def sac_runtimes(self) -> Iterable[RuntimePlugin]:  # type: ignore[empty-body]
        """Offer runtimes."""

    @hookspec
    def sac_kinds(self) -> Iterable[Kind]:  # type: ignore[empty-body]
        """Offer kinds of declared things."""

    @hookspec
    def sac_agent_event(self, event: Change[Agent]) -> None:
        """Be told of a committed change of an agent."""


class SessionSpecs:
    """The Session family."""

    @hookspec
    def sac_session_stages(self) -> Iterable[StagePlugin]:  # type: ignore[empty-body]
        """Offer stages."""

    @hookspec
    def sac_session_event(self, event: Change[Session]) -> None:
        """Be told of a committed change of a session."""


class ExecutorSpecs:
    """The Executor family."""

    @hookspec
    def sac_executors(self) -> Iterable[ExecutorPlugin]:  # type: ignore[empty-body]
        """Offer executors."""


class AuthSpecs:
    """The Auth family."""

    @hookspec
    def sac_authenticators(self) -> Iterable[AuthenticatorPlugin]:  # type: ignore[empty-body]
        """Offer authenticators."""


FAMILIES = (AgentSpecs, SessionSpecs, ExecutorSpecs, AuthSpecs)
