"""Cloning a repository inside a body, by the git that is there.

One script, harmless to repeat: everything is complete in a folder of its own before the first file comes into the
workspace, a mark says so, and the folder ``.git`` comes last. The password is in the environment of that one process,
and is told to the repository's own host alone.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from urllib.parse import quote

from sac_core.errors import LaunchError
from sac_core.models.process import Command, Exit
from sac_core.models.workspace import Clone
from sac_core.service.secret_delivery import Login

CLONED = "test -e .git/sac-cloned && { rmdir .sac-clone 2>/dev/null || :; }"
"""A shell line that succeeds where the workspace has been cloned."""

_NOT_EMPTY, _OTHER, _CLASH, _NO_GIT = 65, 66, 67, 69

_SCRIPT = f"""
url=$1 ref=$2 place=$3 new=.sac-clone mark=.git/sac-cloned
command -v git >/dev/null || exit {_NO_GIT}
run() {{
  if [ -z "$SAC_GIT_HELPER" ]; then git "$@"; return; fi
  git -c credential.helper= -c "credential.$place.helper=$SAC_GIT_HELPER" "$@"
}}
if [ -e .git ]; then
  rmdir $new 2>/dev/null
  [ ! -e $mark ] || exit 0
  [ "$(git config --get remote.origin.url)" = "$url" ] || exit {_OTHER}
  exit 0
fi
if [ ! -e $new/$mark ]; then
  rm -rf $new || exit 1
  [ -z "$(ls -A)" ] || exit {_NOT_EMPTY}
  run clone --quiet --no-checkout -- "$url" $new || exit 1
  if [ -n "$ref" ]; then
    run -C $new checkout --quiet "$ref" -- || exit 1
  elif git -C $new rev-parse --quiet --verify HEAD >/dev/null; then
    run -C $new checkout --quiet || exit 1
  fi
  [ ! -e $new/$new ] && [ ! -L $new/$new ] || exit {_CLASH}
  : > $new/$mark || exit 1
fi
for each in $new/* $new/.[!.]* $new/..?*; do
  [ -e "$each" ] || [ -L "$each" ] || continue
  [ "$each" = $new/.git ] || mv -f -- "$each" . || exit 1
done
mv $new/.git .git && rmdir $new
"""

_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$SAC_GIT_USERNAME" "$SAC_GIT_PASSWORD"; }; f'
)

_OWN = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_ALLOW_PROTOCOL": "https:http",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1",
    "GIT_HTTP_LOW_SPEED_TIME": "60",
    "LC_ALL": "C",
}

_REASONS = (
    (r"Authentication failed|could not read (Username|Password)|error: 40[13]|terminal prompts disabled", "Forbidden"),
    (r"repository .* not found|does not appear to be a git|not valid: is this a git|transport .* not allowed", ""),
    (r"did not match any|invalid reference|unknown revision|reference is not a tree|unable to read tree", ""),
)
"""What git says that trying again would not change, and the reason that it means; none: what was asked for is wrong."""


def clone_command(clone: Clone, login: Login | None, *, env: Mapping[str, str], cwd: str | None) -> Command:
    """The process that clones; ``login`` is in its environment only."""
    secret = {"SAC_GIT_HELPER": ""}
    if login:
        secret = {"SAC_GIT_HELPER": _HELPER, "SAC_GIT_USERNAME": login[0], "SAC_GIT_PASSWORD": login[1]}
    argv = ("sh", "-c", _SCRIPT, "sh", clone.url, clone.ref or "", clone.place)
    return Command(argv=argv, env={**env, **_OWN, **secret}, cwd=cwd, stdin=False)


def failure(clone: Clone, exit: Exit, said: str, seconds: float) -> LaunchError | None:
    """Why a clone cannot be made; None when it may be tried again. ``said`` is what git said, `shown` already."""
    match exit.code:
        case None:
            return _error(f"git was ended; it has {seconds:g} s", "StartTimeout", "give it more: spec.startTimeout")
        case code if code == _NOT_EMPTY:
            return _error("the workspace is not empty", "", "give an empty folder, or leave spec.workspace.git out")
        case code if code == _OTHER:
            return _error("the workspace holds another repository", "", "give another folder, or that one's address")
        case code if code == _CLASH:
            return _error("the repository has an entry named .sac-clone, which SAC needs itself", "", "rename it there")
        case code if code == _NO_GIT:
            return _error("there is no git in the body", "Unsupported", "use an image that has it")
    reason = next((reason for pattern, reason in _REASONS if re.search(pattern, said)), None)
    if reason is None:
        return None
    if reason == "Forbidden":
        hint = "check what the secret holds" if clone.secret else "name a secret in spec.workspace.git.secret"
        return _error(said, reason, f"{hint}; then: sac restart")
    return _error(said, reason, "check url and ref")


def shown(said: bytes, login: Login | None) -> str:
    """What git itself said last, for people, without what the server said: that may be anything, our password too."""
    text = said.decode(errors="replace")
    for hidden in _forms(login) if login else ():
        text = text.replace(hidden, "***")
    lines = ["".join(sign for sign in line if sign.isprintable()) for line in text.splitlines()]
    own = [line for line in lines if line.startswith(("fatal: ", "error: ")) and "remote error" not in line]
    return "; ".join(own[-2:])[:400] or "git failed without saying why"


def _forms(login: Login) -> list[str]:
    """The password as it is, and as it is sent; the longest first."""
    sent = base64.b64encode(":".join(login).encode()).decode()
    return sorted({sent, login[1], quote(login[1], safe="")}, key=len, reverse=True)


def _error(message: str, reason: str, hint: str) -> LaunchError:
    return LaunchError(message, reason=reason or "InvalidSpec", field="spec.workspace.git", hint=hint)
