"""The hooks that SAC implements itself."""

from __future__ import annotations

from sac_core.builtin.process.plugin import PROCESS
from sac_core.builtin.shell import SHELL
from sac_core.builtin.token import TOKEN
from sac_core.hooks import hookimpl
from sac_core.hooks.records import AuthenticatorPlugin, ExecutorPlugin, RuntimePlugin
from sac_core.models.kind import KINDS, Kind


@hookimpl
def sac_executors() -> list[ExecutorPlugin]:
    return [PROCESS]


@hookimpl
def sac_runtimes() -> list[RuntimePlugin]:
    return [SHELL]


@hookimpl
def sac_authenticators() -> list[AuthenticatorPlugin]:
    return [TOKEN]


@hookimpl
def sac_kinds() -> list[Kind]:
    return list(KINDS)
