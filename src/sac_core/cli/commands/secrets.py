"""`sac secrets`: values go in by prompt, file or input, and never come out."""

from __future__ import annotations

import getpass
import os
import signal
from pathlib import Path
from typing import Annotated, Literal

from anyio import to_thread
from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.commands.delete import delete
from sac_core.cli.commands.get import get
from sac_core.cli.connecting import connected
from sac_core.cli.streams import STDIN, read
from sac_core.cli.tables import Format
from sac_core.errors import InvalidError, TooLargeError
from sac_core.models.secret import DEFAULT_KEY, LARGEST, SecretType

_KEYS: dict[SecretType, tuple[str, ...]] = {"basic-auth": ("username", "password")}


async def secrets(
    verb: Literal["put", "list", "get", "delete"],
    name: str | None = None,
    /,
    *,
    key: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    file: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    type: SecretType = "opaque",
    output: Annotated[Format, Parameter(alias="-o")] = "table",
    common: Common = HERE,
) -> int:
    """Keep values that agents use by reference; a value is never shown.

    Parameters
    ----------
    verb
        What to do: put writes a secret anew, with all of its keys.
    name
        The secret.
    key
        Key to ask a value for, without echo, or to read from piped input less its last line end; may be repeated.
    file
        File with a value, exactly as it is: PATH or KEY=PATH; may be repeated.
    type
        The type: opaque, basic-auth with the keys username and password, or one that a runtime brings.
    output
        How list and get show: a table, the whole documents, or the names.
    """
    if verb == "list":
        return await get("secrets", output=output, common=common)
    if name is None:
        raise InvalidError("say which secret", field="NAME", reason="Usage", hint=f"sac secrets {verb} NAME")
    if verb == "get":
        return await get("secrets", name, output=output, common=common)
    if verb == "delete":
        return await delete("secret", name, common=common)
    values = await _values(key, file, type)
    async with connected(common) as sac:
        secret = await sac.secrets.put(name, values, type=type)
    print(f"secret/{name} version {secret.status.version}")
    return 0


async def _values(keys: tuple[str, ...], files: tuple[str, ...], type: SecretType) -> dict[str, bytes]:
    """All values: of files as they are, of the other keys as they are typed or piped."""
    values = dict([await to_thread.run_sync(_of_file, each) for each in files])
    asked = keys or (() if files else _KEYS.get(type, (DEFAULT_KEY,)))
    if not asked:
        return values
    if os.isatty(STDIN):
        return values | {each: _some(_typed(each).encode()) for each in asked}
    if len(asked) > 1:
        raise InvalidError("piped input holds one value", field="--key", reason="Usage", hint="use --file KEY=PATH")
    return values | {asked[0]: await _piped()}


def _of_file(given: str) -> tuple[str, bytes]:
    key, equals, path = given.partition("=")
    place = Path(path if equals else given)
    try:
        return key if equals else DEFAULT_KEY, place.read_bytes()
    except OSError as error:
        raise InvalidError(f"cannot read {place}: {error.strerror}", field="--file") from None


def _typed(key: str) -> str:
    """What is typed, and not shown. Not in a thread, which would go on reading after Ctrl-C; nothing else waits."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return getpass.getpass(f"{key}: ")
    finally:
        signal.signal(signal.SIGINT, before)


async def _piped() -> bytes:
    """The whole input, without the line end that `echo` and editors put behind it."""
    value = bytearray()
    while data := await read(STDIN):
        value += data
        if len(value) > LARGEST:
            raise TooLargeError(f"a value has at most {LARGEST} bytes", field="input")
    return _some(bytes(value.removesuffix(b"\n").removesuffix(b"\r")))


def _some(value: bytes) -> bytes:
    if not value:
        raise InvalidError("the value is empty", field="input", hint="an empty file can be kept with --file")
    return value
