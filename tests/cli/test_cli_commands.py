"""The commands as a user runs them, against a real server and real bodies."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cli.conftest import Sac


@pytest.fixture(scope="module")
def agent(sac: Sac) -> str:
    sac.run("run", "shell", "--detach", "--name", "a1")
    return "a1"


def test_run_detached_prints_agent_and_session_and_get_lists_them(sac: Sac, agent: str) -> None:
    lines = sac.run("get", "agents").stdout.splitlines()
    assert lines[0].split() == ["NAME", "PHASE", "REASON", "RUNTIME", "EXECUTOR", "AGE"]
    assert any(line.split()[:2] == ["a1", "Running"] for line in lines)
    assert sac.run("get", "Agent", "a1", "-o", "name").stdout == "agent/a1\n"
    assert json.loads(sac.run("get", "agents", "a1", "-o", "json").stdout)["metadata"]["name"] == "a1"
    assert "  phase: Running" in sac.run("get", "agent", "a1", "-o", "yaml").stdout
    assert sac.run("get", "sessions").stdout.count("a1") == 1


def test_describe_tells_conditions_sessions_and_that_it_is_no_sandbox(sac: Sac, agent: str) -> None:
    text = sac.run("describe", agent).stdout
    assert "not a sandbox" in text
    assert "ExecutorReachable" in text
    assert "Sessions:\n" in text


def test_describe_tells_what_happened_and_why(sac: Sac, agent: str) -> None:
    text = sac.run("describe", "agent", agent).stdout
    assert "Timeline:\n  NO" in text
    lines = sac.run("describe", agent, "--timeline").stdout.splitlines()
    assert lines[0].split() == ["NO", "AGE", "WHO", "WHAT", "BECAUSE", "OF"]
    assert "asked to create it, over the unix socket" in lines[1]
    version = next(line for line in lines if "version 1 is wanted" in line)
    assert version.split()[0] == "2"
    assert version.endswith(" 1")


def test_the_timeline_of_a_deleted_agent_is_there_by_name(sac: Sac) -> None:
    sac.run("run", "shell", "--detach", "--name", "brief")
    sac.run("delete", "brief")
    assert sac.run("describe", "agent/brief", check=False).returncode == 1
    assert "deleted: its body and its row are gone" in sac.run("describe", "--timeline", "brief").stdout


def test_exec_keeps_streams_apart_and_passes_input_environment_and_status(sac: Sac, agent: str) -> None:
    script = 'cat; echo "err $X" >&2; exit 7'
    done = sac.run("exec", agent, "-e", "X=y z", "--", "sh", "-c", script, stdin="in\n", check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("in\n", "err y z\n", 7)


def test_exec_is_byte_exact_both_ways(sac: Sac, agent: str) -> None:
    data = os.urandom(3_000_000)
    argv = [*sac.argv, "exec", agent, "--", "cat"]
    done = subprocess.run(argv, env=sac.env, input=data, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data


def test_exec_reads_a_plain_file_and_an_empty_input(sac: Sac, agent: str) -> None:
    with open(__file__, "rb") as file:
        argv = [*sac.argv, "exec", agent, "--", "wc", "-c"]
        done = subprocess.run(argv, env=sac.env, stdin=file, capture_output=True, timeout=60, check=True)
    assert int(done.stdout) == os.path.getsize(__file__)
    assert sac.run("exec", agent, "--", "wc", "-c").stdout.strip() == "0"


def test_a_signal_to_exec_reaches_the_command(sac: Sac, agent: str) -> None:
    script = "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    argv = [*sac.argv, "exec", agent, "--", "sh", "-c", script]
    with subprocess.Popen(argv, env=sac.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGTERM)
        assert running.stdout.read() == "caught\n"
    assert running.returncode == 9


def test_a_command_killed_by_a_signal_has_the_shells_status(sac: Sac, agent: str) -> None:
    assert sac.run("exec", agent, "--", "sh", "-c", "kill -9 $$", check=False).returncode == 137


def test_a_reader_that_went_away_ends_exec_quietly(sac: Sac, agent: str) -> None:
    argv = [*sac.argv, "exec", agent, "--", "yes"]
    running = subprocess.Popen(
        argv, env=sac.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141


def test_what_cannot_be_started_says_so(sac: Sac, agent: str) -> None:
    done = sac.run("exec", agent, "--", "no-such-program", check=False)
    assert done.returncode == 127
    assert "no-such-program" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["get", "gadgets"], "no kind 'gadgets'"),
        (["get", "agents", "nobody"], "nobody"),
        (["describe", "nobody"], "nobody"),
        (["exec", "nobody", "--", "ls"], "nobody"),
        (["run", "no-such-runtime", "--detach"], "no-such-runtime"),
        (["run", "shell", "--detach", "--name", "Not_A_Label"], "DNS label"),
        (["run", "shell", "--detach", "--executor", "nothing"], "nothing"),
        (["run", "shell", "/no/such/folder", "--detach"], "is no folder"),
        (["get", "agents", "-l", "((("], "labelSelector"),
        (["attach", "a1"], "must be a terminal"),
        (["logs", "a1"], "no main process"),
    ],
)
def test_an_error_is_one_line_that_names_what_is_wrong(sac: Sac, agent: str, argv: list[str], said: str) -> None:
    done = sac.run(*argv, check=False)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith("sac: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_stop_start_restart_and_delete(sac: Sac) -> None:
    sac.run("run", "shell", "--detach", "--name", "a2")
    assert sac.run("stop", "a2", "--wait").stdout == "agent/a2 is Stopped\n"
    assert json.loads(sac.run("get", "agent", "a2", "-o", "json").stdout)["status"]["phase"] == "Stopped"
    assert sac.run("start", "a2", "--wait").stdout == "agent/a2 is Running\n"
    assert sac.run("exec", "a2", "--", "echo", "up").stdout == "up\n"
    assert sac.run("restart", "a2", "--wait").stdout == "agent/a2 is Running\n"
    assert sac.run("restart", "a2").stdout == "agent/a2 is restarting\n"
    assert sac.run("delete", "agent/a2").stdout == "agent/a2 deleted\n"
    assert "a2" not in sac.run("get", "agents").stdout


def test_delete_leaves_the_volumes_on_demand_and_prints_where(sac: Sac) -> None:
    sac.run("run", "shell", "--detach", "--name", "a6")
    sac.run("exec", "a6", "--", "sh", "-c", "echo mine > notes")
    said = sac.run("delete", "a6", "--keep-volumes").stdout
    assert said.startswith("agent/a6 deleted; its files are kept in ")
    assert Path(said.split(" kept in ")[1].strip(), "notes").read_text() == "mine\n"


@pytest.mark.parametrize("flag", ["--keep-volumes", "--abandon"])
def test_only_agents_have_volumes_to_keep_or_can_be_given_up(sac: Sac, agent: str, flag: str) -> None:
    done = sac.run("delete", "session", "s1", flag, check=False)
    assert done.returncode != 0
    assert f"sessions have no {flag}" in done.stderr


def test_an_agent_is_given_up_on_demand(sac: Sac) -> None:
    sac.run("run", "shell", "--detach", "--name", "a7")
    done = sac.run("delete", "a7", "--abandon", "--keep-volumes", check=False)
    assert "its volumes with it" in done.stderr
    assert sac.run("delete", "a7", "--abandon").stdout == "agent/a7 deleted\n"


def test_run_takes_a_main_process_behind_main(sac: Sac) -> None:
    sac.run("run", "shell", "--name", "a5", "--main", "--detach", "--", "sh", "-c", "echo from main; exec sleep 1000")
    spec = json.loads(sac.run("get", "agent", "a5", "-o", "json").stdout)["spec"]
    assert spec["command"] == ["sh", "-c", "echo from main; exec sleep 1000"]
    assert sac.run("logs", "a5").stdout == "from main\n"
    assert "behind --" in sac.run("run", "shell", "--main", "--detach", check=False).stderr
    sac.run("delete", "a5")


def test_a_run_that_is_ended_while_it_waits_leaves_no_agent(sac: Sac) -> None:
    argv = [*sac.argv, "run", "shell", "--rm", "--name", "a6", "--main", "--", "sleep", "1000"]
    sac.run("get", "agents")
    with running_in_terminal(argv, sac.env) as process:
        deadline = time.monotonic() + 20
        while "a6" not in sac.run("get", "agents").stdout:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
    assert "a6" not in sac.run("get", "agents").stdout


@contextmanager
def running_in_terminal(argv: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    ours, theirs = pty.openpty()
    with subprocess.Popen(argv, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        yield process
        process.kill()
    os.close(ours)


def test_a_session_is_deleted_by_its_kind_and_the_agent_stays(sac: Sac) -> None:
    printed = sac.run("run", "shell", "--detach", "--name", "a3").stdout.split()
    name = printed[1].removeprefix("session/")
    sac.run("delete", "session", name)
    assert name not in sac.run("get", "sessions").stdout
    assert "a3" in sac.run("get", "agents").stdout
    sac.run("delete", "a3")


def test_watch_prints_changes_as_they_come(sac: Sac, agent: str) -> None:
    argv = [*sac.argv, "get", "agents", "-w"]
    with subprocess.Popen(argv, env=sac.env, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("NAME")
        sac.run("run", "shell", "--detach", "--name", "a4")
        sac.run("delete", "a4")
        lines: list[str] = []
        while not lines or "(deleted)" not in lines[-1]:
            lines.append(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
    assert watching.returncode == 130
    assert any(line.split()[:2] == ["a4", "Running"] for line in lines)


def test_console_prints_a_link_whose_code_signs_in_once(sac: Sac) -> None:
    import httpx2

    link = sac.run("console").stdout.strip()
    url, _, code = link.partition("/#code=")
    origin = {"Origin": url}
    first = httpx2.post(f"{url}/api/v1/signin", json={"code": code}, headers=origin, trust_env=False)
    second = httpx2.post(f"{url}/api/v1/signin", json={"code": code}, headers=origin, trust_env=False)
    assert (first.status_code, second.status_code) == (200, 410)


def test_plugins_and_doctor(sac: Sac, agent: str) -> None:
    assert "not a sandbox" in sac.run("plugins").stdout
    text = sac.run("doctor").stdout
    assert "answers" in text
    assert "version" in text


def test_the_token_file_opens_the_server_by_its_address(sac: Sac, agent: str) -> None:
    url = json.loads((sac.folder / "server.json").read_text())["url"]
    token = (sac.folder / "token").read_text()
    elsewhere = sac.folder / "elsewhere"
    argv = ["--server", url, "--data-dir", str(elsewhere), "get", "agents", "-o", "name"]
    refused = sac.run(*argv, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert sac.run("--token", token, *argv).stdout == "agent/a1\n"


def test_doctor_works_where_nothing_is_and_starts_nothing(fresh: Sac) -> None:
    done = fresh.run("doctor")
    assert "none runs" in done.stdout
    assert not fresh.folder.exists()


def test_doctor_finds_a_folder_open_to_others_and_a_server_that_was_killed(fresh: Sac) -> None:
    fresh.run("get", "agents")
    os.kill(json.loads((fresh.folder / "server.json").read_text())["pid"], signal.SIGKILL)
    fresh.folder.chmod(0o755)
    done = fresh.run("doctor", check=False)
    assert done.returncode == 1
    assert "ended without a word" in done.stdout
    assert f"chmod 700 {fresh.folder}" in done.stdout


def test_many_commands_at_once_start_one_server(fresh: Sac) -> None:
    argv = [*fresh.argv, "get", "agents"]
    running = [
        subprocess.Popen(argv, env=fresh.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ended = [(one.communicate(timeout=60), one.returncode) for one in running]
    assert ended == [(("No agents.\n", ""), 0)] * 4
    assert stat.S_IMODE((fresh.folder / "server.log").stat().st_mode) == 0o600


def test_agents_survive_down_and_are_found_again(fresh: Sac) -> None:
    fresh.run("run", "shell", "--detach", "--name", "a1")
    pid = fresh.run("exec", "a1", "--", "sh", "-c", "echo $PPID").stdout
    assert "agents go on" in fresh.run("down").stdout
    assert fresh.run("down").stdout == "No server runs.\n"
    assert fresh.run("exec", "a1", "--", "sh", "-c", "echo $PPID").stdout == pid


def test_a_server_that_cannot_start_says_why(fresh: Sac) -> None:
    fresh.folder.parent.mkdir(exist_ok=True)
    fresh.folder.write_text("a file")
    done = fresh.run("get", "agents", check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "SAC_DATA_DIR" in done.stderr


def test_up_serves_in_front_until_interrupted(fresh: Sac) -> None:
    with subprocess.Popen([*fresh.argv, "up"], env=fresh.env, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        lines = [up.stdout.readline() for _ in range(3)]
        assert "http://127.0.0.1:" in lines[2]
        assert "/#code=" in lines[2]
        second = fresh.run("up", check=False)
        assert second.returncode == 1
        assert "in use" in second.stderr
        up.send_signal(signal.SIGINT)
        began = time.monotonic()
        up.wait(timeout=20)
    assert up.returncode == 0
    assert time.monotonic() - began < 10
    assert not (fresh.folder / "server.json").exists()
