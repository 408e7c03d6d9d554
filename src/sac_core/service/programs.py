"""Whether a body has the programs that its runtime needs: told before somebody waits for one in vain."""

from __future__ import annotations

from collections.abc import Mapping

from sac_core.errors import LaunchError
from sac_core.models.launch import Launch
from sac_core.models.process import Command
from sac_core.service.bodies import Body
from sac_core.service.cloning import Unfinished
from sac_core.service.execs import run_exec

_DEADLINE = 10.0
_MISSING = 67
_SCRIPT = f'command -v -- "$1" >/dev/null || exit {_MISSING}'


async def find_programs(launch: Launch, body: Body, programs: Mapping[str, str]) -> None:
    """Raise `LaunchError` with the advice for the first program that is not there, `Unfinished` to be asked again."""
    for program, advice in programs.items():
        argv = ("sh", "-c", _SCRIPT, "sh", program)
        command = Command(argv=argv, env=launch.binding.env, cwd=launch.template.cwd, stdin=False, overflow="block")
        ended = await run_exec(body, command, timeout=_DEADLINE)
        if ended.code == _MISSING:
            what = f"there is no program {program!r} in the agent"
            raise LaunchError(what, reason="Unsupported", field="spec.runtime", hint=advice)
        if ended.code != 0:
            raise Unfinished("Retrying", f"it is not known whether there is {program}; it is asked again")
