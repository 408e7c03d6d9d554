"""Texts into a workspace: a file that SAC has not placed itself is never replaced, and no link is followed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import anyio

from sac_core.errors import DeadlineError, LaunchError, LostError
from sac_core.models.launch import Launch
from sac_core.models.process import Command
from sac_core.service.bodies import Body
from sac_core.service.cloning import Unfinished
from sac_core.service.execs import open_exec

_DEADLINE = 10.0
_SAID = 200
_NO_PLACE, _NOT_OURS = 67, 68

_SCRIPT = f"""
path=$1 at=./ rest=$1 list=.sac-placed
[ -L .git ] || [ ! -d .git ] || list=.git/sac-placed
while [ "$rest" != "${{rest#*/}}" ]; do
  at=$at${{rest%%/*}} rest=${{rest#*/}}
  [ ! -L "$at" ] || exit {_NO_PLACE}
  [ -d "$at" ] || [ ! -e "$at" ] || exit {_NO_PLACE}
  [ -d "$at" ] || mkdir "$at" || exit 1
  at=$at/
done
for each in "$path" .git/sac-placed .sac-placed; do
  [ ! -L "$each" ] || exit {_NO_PLACE}
  [ -f "$each" ] || [ ! -e "$each" ] || exit {_NO_PLACE}
done
new=./$path.sac-new
rm -f -- "$new" || exit {_NO_PLACE}
set -C && cat > "$new" || exit 1
if [ -e "$path" ] && ! cmp -s -- "$new" "$path" && ! grep -qsxF -e "$path" .git/sac-placed .sac-placed; then
  rm -f -- "$new"
  exit {_NOT_OURS}
fi
mv -f -- "$new" "./$path" || exit 1
grep -qsxF -e "$path" $list || printf '%s\\n' "$path" >> $list
"""


async def place(launch: Launch, body: Body, texts: Mapping[str, str], field: str) -> None:
    """Have every text at its path; raises `LaunchError` where that is not possible, `Unfinished` to be tried again."""
    for path, text in texts.items():
        code, said = await _write(launch, body, path, text.encode())
        if code == _NO_PLACE:
            raise _refused(f"{path} cannot be written: there is a folder or a link", field, "move it away")
        if code == _NOT_OURS:
            raise _refused(f"{path} is there already, and is not SAC's", field, "take away the one or the other")
        if code != 0:
            raise Unfinished("Retrying", f"{path} cannot be written: {said or 'unknown'}; it is tried again")


async def _write(launch: Launch, body: Body, path: str, text: bytes) -> tuple[int | None, str]:
    """The exit code, and what was said about it."""
    command = Command(argv=("sh", "-c", _SCRIPT, "sh", path), cwd=launch.template.cwd, overflow="block")
    said = bytearray()
    with anyio.move_on_after(_DEADLINE) as scope:
        async with open_exec(body, command) as running:
            with suppress(LostError):  # it has ended before it had read all: its code says why
                await running.write(text)
                await running.eof()
            async for chunk in running.output():
                said += chunk.data[: _SAID - len(said)]
            code = (await running.wait()).code
    if scope.cancelled_caught:
        raise DeadlineError(f"{path} was not written within {_DEADLINE:g} s")
    return code, "".join(sign for sign in said.decode(errors="replace").strip() if sign.isprintable())


def _refused(message: str, field: str, hint: str) -> LaunchError:
    return LaunchError(message, field=field, hint=hint)
