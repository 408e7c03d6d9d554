"""The commands that read and write archives in a body, by whichever tool it has."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import quote_from_bytes

from sac_core.contracts.sac import Exec
from sac_core.errors import InvalidError, LaunchError, UnsupportedError
from sac_core.models.process import Command
from sac_core.service.archives.in_body import CLOSED, MISSING, NOT_A_FOLDER, SPECIAL

Verb = Literal["stat", "get", "put"]

NO_TOOL = 95
LONGEST = 4096
"""Bytes of a path."""

# No variable of the agent's may change what the tools do; a path may have any byte, and line ends as its last.
_BEGIN = """
LC_ALL=C COPYFILE_DISABLE=1; export LC_ALL COPYFILE_DISABLE; unset TAR_OPTIONS CDPATH
p=$(printf '%b.' "$1"); p=${p%.}
"""
_TOOL = f"""{_BEGIN}
if ! command -v tar >/dev/null 2>&1; then
  command -v python3 >/dev/null 2>&1 || exit {NO_TOOL}
  exec python3 -c "$2" "$4" "$3"
fi
"""

SCRIPTS: dict[Verb, str] = {
    "stat": f"""{_BEGIN}
if [ -d "$p" ]; then echo folder
elif [ -f "$p" ]; then echo file
elif [ -e "$p" ]; then echo special
else exit {MISSING}; fi
""",
    "get": f"""{_TOOL}
if [ -d "$p" ]; then
  [ -r "$p" ] && cd "$p" 2>/dev/null || exit {CLOSED}
  exec tar -cf - .
fi
[ -e "$p" ] || exit {MISSING}
[ -f "$p" ] || exit {SPECIAL}
[ -r "$p" ] && cd "${{p%/*}}/" || exit {CLOSED}
exec tar -chf - "./${{p##*/}}"
""",
    "put": f"""{_TOOL}
[ -e "$p" ] || exit {MISSING}
[ -d "$p" ] || exit {NOT_A_FOLDER}
cd "$p" 2>/dev/null || exit {CLOSED}
case $(tar --help 2>&1) in *BusyBox*) umask 0;; esac  # its -p does nothing, so that others lose their rights
exec tar -xpof -
""",
}
"""Shell scripts: $1 is the path with every byte as an octal escape, $2 to $4 are for python3."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How commands are run in a body: with which variables, and in which folder relative paths begin."""

    open: Callable[[Command], AbstractAsyncContextManager[Exec]]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None


@asynccontextmanager
async def begun(reach: Reach, verb: Verb, path: str) -> AsyncIterator[Exec]:
    """The command for a verb, ended with the context; `UnsupportedError` when the body has no tool for it."""
    raw = _checked(path)
    async with AsyncExitStack() as stack:
        try:
            running = await stack.enter_async_context(reach.open(_command(reach, verb, _by_shell(verb, raw))))
        except LaunchError as missing:
            running = await _without_shell(stack, reach, verb, raw, missing)
        yield running


async def _without_shell(stack: AsyncExitStack, reach: Reach, verb: Verb, raw: bytes, missing: LaunchError) -> Exec:
    argv = ("python3", "-c", _program(), verb, quote_from_bytes(raw))
    try:
        return await stack.enter_async_context(reach.open(_command(reach, verb, argv)))
    except LaunchError:
        raise UnsupportedError(
            f"the agent's files cannot be reached: {missing.message}", hint="its body needs sh and tar, or python3"
        ) from None


def no_tool() -> UnsupportedError:
    """What a body lacks."""
    return UnsupportedError("the agent's body has neither tar nor python3", hint="use an image that has one of them")


def shown(path: str) -> str:
    """A path for people."""
    return os.fsencode(path).decode(errors="replace")


def _command(reach: Reach, verb: Verb, argv: tuple[str, ...]) -> Command:
    return Command(argv=argv, env=dict(reach.env), cwd=reach.cwd, stdin=verb == "put", overflow="block")


def _by_shell(verb: Verb, raw: bytes) -> tuple[str, ...]:
    octal = "".join(f"\\0{byte:03o}" for byte in raw)
    return ("sh", "-c", SCRIPTS[verb], "sh", octal, _program(), quote_from_bytes(raw), verb)


@lru_cache(maxsize=1)
def _program() -> str:
    return Path(__file__).with_name("in_body.py").read_text()


def _checked(path: str) -> bytes:
    """The bytes of a path that no command takes for an option."""
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError:
        raise InvalidError("it has signs that no file name has", field="path") from None
    if not raw or b"\0" in raw or len(raw) > LONGEST:
        raise InvalidError(f"a path has 1 to {LONGEST} bytes, and no NUL", field="path")
    return raw if raw.startswith(b"/") else b"./" + raw
