"""`sac secrets`: values by prompt, file and input, and never shown."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.conftest import Sac


def shown(sac: Sac, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sac.run("secrets", "get", name, "-o", "json").stdout)
    return found


def digits(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[-4:]


def test_piped_input_loses_its_last_line_end_and_a_file_nothing(sac: Sac, tmp_path: Path) -> None:
    assert sac.run("secrets", "put", "piped", stdin="canary\n").stdout == "secret/piped version 1\n"
    assert shown(sac, "piped")["status"]["last4"] == {"value": digits(b"canary")}
    path = tmp_path / "value"
    path.write_bytes(b"\xff\x00canary\n")
    sac.run("secrets", "put", "piped", "--file", str(path), "--file", f"other={path}")
    status = shown(sac, "piped")["status"]
    assert (status["version"], status["keys"]) == (2, ["other", "value"])
    assert set(status["last4"].values()) == {digits(b"\xff\x00canary\n")}
    listed = sac.run("secrets", "list").stdout
    assert listed.splitlines()[0].split() == ["NAME", "TYPE", "KEYS", "VERSION", "AGE"]
    assert "canary" not in listed
    assert sac.run("secrets", "delete", "piped").stdout == "secret/piped deleted\n"


def test_a_prompt_does_not_echo(sac: Sac) -> None:
    ours, theirs = pty.openpty()
    argv = [*sac.argv, "secrets", "put", "login", "--type", "basic-auth"]
    process = subprocess.Popen(argv, env=sac.env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said = answer(ours, b"username: ", b"ann\n") + answer(ours, b"password: ", b"canary\n") + rest(ours)
    assert process.wait(timeout=30) == 0, said
    assert b"secret/login version 1" in said
    assert b"canary" not in said
    assert shown(sac, "login")["status"]["last4"] == {"username": digits(b"ann"), "password": digits(b"canary")}


def test_ctrl_c_at_a_prompt_ends_the_command(sac: Sac) -> None:
    ours, theirs = pty.openpty()
    argv = [*sac.argv, "secrets", "put", "left"]
    process = subprocess.Popen(argv, env=sac.env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    answer(ours, b"value: ", b"can")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert termios.tcgetattr(theirs)[3] & termios.ECHO
    os.close(theirs)
    os.close(ours)
    assert "there is no Secret" in sac.run("secrets", "get", "left", check=False).stderr


def answer(terminal: int, question: bytes, text: bytes) -> bytes:
    """Wait for a question and type the answer."""
    said, until = b"", time.monotonic() + 30
    while question not in said:
        assert time.monotonic() < until, said
        said += os.read(terminal, 1024)
    os.write(terminal, text)
    return said


def rest(terminal: int) -> bytes:
    said = b""
    while True:
        try:
            data = os.read(terminal, 1024)
        except OSError:  # the other side is closed
            return said
        if not data:
            return said
        said += data


def test_what_is_wrong_is_told(sac: Sac) -> None:
    for args, status, words in (
        (("put",), 2, "NAME"),
        (("put", "x", "--key", "a", "--key", "b"), 2, "--file"),
        (("put", "x", "--file", "/nonexistent"), 1, "/nonexistent"),
        (("put", "x"), 1, "empty"),
        (("get", "nosuch"), 1, "nosuch"),
    ):
        done = sac.run("secrets", *args, check=False)
        assert (done.returncode, words in done.stderr) == (status, True), done.stderr


def test_the_root_key_is_shown_and_changed(sac: Sac) -> None:
    sac.run("secrets", "put", "kept", stdin="canary")
    first = sac.run("keys", "status").stdout.splitlines()
    assert first[0].split() == ["ROOT", "KEY", "STATE", "DATA", "KEYS"]
    then = sac.run("keys", "rotate").stdout.splitlines()
    assert then[1].split()[1:] == ["active", "1"]
    assert then[1].split()[0] != first[1].split()[0]
    assert then[2:] == ["nothing is under another root key"]
    assert json.loads(sac.run("keys", "status", "-o", "json").stdout)["done"] is True
