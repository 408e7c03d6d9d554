"""What the program may do wrong. These programs are not Claude Code: they stand in for it where it misbehaves."""

from __future__ import annotations

import sys
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from sac_agent_claude_code import conversation
from sac_core.contracts.sac import Sac
from sac_core.errors import ConflictError, DeadlineError, LostError, UnavailableError, UnsupportedError
from sac_core.models.conversation import Completed, Event, Failure, Text, ToolResult, Usage

BEGIN = """
import json, sys, time

def say(**message):
    print(json.dumps(message), flush=True)

def hear():
    return json.loads(sys.stdin.readline())

def listen():
    asked = hear()
    say(type="control_response", response={"subtype": "success", "request_id": asked["request_id"]})
    return hear()
"""
DONE = 'say(type="result", subtype="success", is_error=False, usage={"input_tokens": 1})\n'


async def begun(sac: Sac, folder: Path, code: str) -> None:
    """The agent a1, whose program is this code."""
    program = folder / "program"
    program.write_text(f"#!{sys.executable}\n{BEGIN}\n{code}")
    program.chmod(0o755)
    await sac.agents.create("a1", {"runtime": "claude-code", "runtimeOptions": {"program": str(program)}})
    await sac.agents.wait("a1", timeout=30)


async def said(sac: Sac, folder: Path, code: str) -> list[Event]:
    await begun(sac, folder, code)
    with anyio.fail_after(30):
        async with sac.agents.converse("a1") as talk:
            return [event async for event in talk.send("hello")]


async def test_lines_that_nobody_understands_are_passed_over(sac: Sac, folder: Path) -> None:
    code = """
listen()
print("Warning: this is no JSON {")
print("[1, 2]")
print()
sys.stdout.buffer.write(b"\\xff\\xfe\\n")
for odd in ({"type": "weather"}, {"type": 7}, {"type": "assistant"}, {"type": "assistant", "message": "text"},
            {"type": "stream_event", "event": ["x"]}, {"type": "user", "message": {"content": [7, {"type": "song"}]}},
            {"type": "system", "subtype": "news"}, {"type": "control_cancel_request"}, {"nothing": None}):
    say(**odd)
say(type="assistant", message={"id": "m", "content": [{"type": "text", "text": "still here"}, {"type": "hologram"}]})
say(type="user", message={"content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image"}]}]})
"""
    events = await said(sac, folder, code + DONE)
    assert events == [
        Text(text="still here"),
        ToolResult(id="t", text="[image]"),
        Usage(input_tokens=1),
        Completed(outcome="done"),
    ]


async def test_a_line_without_an_end_is_dropped(sac: Sac, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sac_agent_claude_code.lines.LONGEST", 100_000)
    code = """
listen()
say(type="assistant", message={"id": "m", "content": [{"type": "text", "text": "x" * 200_000}]})
say(type="assistant", message={"id": "m", "content": [{"type": "text", "text": "short"}]})
"""
    events = await said(sac, folder, code + DONE)
    assert [event.text for event in events if isinstance(event, Text)] == ["short"]


async def test_an_end_in_mid_turn_is_a_failure_with_its_last_words(sac: Sac, folder: Path) -> None:
    await begun(sac, folder, "listen()\nprint('out of memory', file=sys.stderr, flush=True)\nsys.exit(3)")
    with anyio.fail_after(30):
        async with sac.agents.converse("a1") as talk:
            events = [event async for event in talk.send("hello")]
            with pytest.raises(LostError):
                await anext(talk.send("again"))
    assert events == [Failure(reason="Ended", message="out of memory"), Completed(outcome="failed")]


async def test_one_that_does_not_begin_says_why(sac: Sac, folder: Path) -> None:
    await begun(sac, folder, "print('no such flag: -p', file=sys.stderr)\nsys.exit(1)")
    with pytest.raises(UnavailableError, match="no such flag: -p"):
        async with sac.agents.converse("a1"):
            pass


async def test_one_that_says_nothing_has_a_deadline(sac: Sac, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "READY_WITHIN", 0.5)
    await begun(sac, folder, "time.sleep(3600)")
    with pytest.raises(DeadlineError):
        async with sac.agents.converse("a1"):
            pass


async def test_one_that_heeds_no_cancel_is_ended(sac: Sac, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "CANCELLED_WITHIN", 0.5)
    heart = folder / "heart"
    code = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
listen()
say(type="assistant", message={{"id": "m", "content": [{{"type": "text", "text": "on and on"}}]}})
while True:
    open({str(heart)!r}, "a").write("x")
    time.sleep(0.05)
"""
    await begun(sac, folder, code)
    events: list[Event] = []
    with anyio.fail_after(30):
        async with sac.agents.converse("a1") as talk:
            async for event in talk.send("hello"):
                events.append(event)
                await talk.cancel()
    assert events == [Text(text="on and on"), Completed(outcome="cancelled")]
    beaten = heart.stat().st_size
    await anyio.sleep(0.5)
    assert heart.stat().st_size == beaten


async def test_what_it_asks_and_we_do_not_know_is_declined(sac: Sac, folder: Path) -> None:
    code = """
listen()
say(type="control_request", request_id="r1", request={"subtype": "mcp_message"})
answer = hear()["response"]
say(type="assistant", message={"id": "m", "content": [{"type": "text", "text": answer["subtype"]}]})
"""
    events = await said(sac, folder, code + DONE)
    assert events[0] == Text(text="error")


async def test_one_turn_at_a_time(sac: Sac, folder: Path) -> None:
    code = """
listen()
say(type="assistant", message={"id": "m", "content": [{"type": "text", "text": "first"}]})
hear()
"""
    await begun(sac, folder, code + DONE)
    with anyio.fail_after(30):
        async with sac.agents.converse("a1") as talk:
            async for event in talk.send("hello"):
                if isinstance(event, Text):
                    with pytest.raises(ConflictError):
                        await anext(talk.send("and this"))
                    await talk.cancel()
    assert event == Completed(outcome="cancelled")


async def test_leaving_in_mid_turn_leaves_no_program(sac: Sac, folder: Path) -> None:
    heart = folder / "heart"
    code = f"""
listen()
say(type="assistant", message={{"id": "m", "content": [{{"type": "text", "text": "begun"}}]}})
while True:
    open({str(heart)!r}, "a").write("x")
    time.sleep(0.05)
"""
    await begun(sac, folder, code)
    with anyio.move_on_after(20) as scope:
        async with sac.agents.converse("a1") as talk:
            async for _ in talk.send("hello"):
                scope.cancel()
    beaten = heart.stat().st_size if heart.exists() else 0
    await anyio.sleep(0.5)
    assert (heart.stat().st_size if heart.exists() else 0) == beaten


async def test_a_turn_that_was_left_is_not_mixed_into_the_next_one(surface: Sac, folder: Path) -> None:
    code = """
listen()
say(type="assistant", message={"id": "m", "content": [{"type": "text", "text": "old"}]})
say(type="assistant", message={"id": "m", "content": [{"type": "text", "text": "older"}]})
hear()
"""
    await begun(surface, folder, code + DONE)
    with anyio.fail_after(30):
        async with surface.agents.converse("a1") as talk:
            async with aclosing(talk.send("hello")) as events:
                assert await anext(events) == Text(text="old")
            with pytest.raises(LostError):
                await anext(talk.send("again"))


async def test_a_shell_holds_no_conversation(sac: Sac) -> None:
    await sac.agents.create("a1", {"runtime": "shell"})
    await sac.agents.wait("a1", timeout=30)
    with pytest.raises(UnsupportedError):
        async with sac.agents.converse("a1"):
            pass
