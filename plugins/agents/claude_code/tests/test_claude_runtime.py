"""What options become: variables, flags, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from sac_agent_claude_code import plugin
from sac_agent_claude_code.runtime import ClaudeRuntime
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.errors import InvalidError
from sac_core.models.agent import Agent, AgentSpec
from sac_core.models.envelope import Metadata
from sac_core.models.launch import Egress
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings


def agent(options: dict[str, Any] | None = None, **fields: Any) -> Agent:
    spec = AgentSpec(runtime="claude-code", runtime_options=options or {}, **fields)
    return Agent(metadata=Metadata(name="a1", uid="00000000-0000-4000-8000-000000000001"), spec=spec)


def variables(options: dict[str, Any], **fields: Any) -> dict[str, str]:
    return ClaudeRuntime().launch(agent(options, **fields)).binding.env


def terminal(options: dict[str, Any]) -> tuple[str, ...]:
    return ClaudeRuntime().terminal(agent(options)).argv


def test_options_become_variables() -> None:
    given = {
        "baseUrl": "https://models.example.org",
        "model": "opus",
        "models": {"haiku": "h", "sonnet": "s", "opus": "o"},
        "proxies": {"http": "http://p:1", "https": "http://p:2", "noneFor": ["a", "b"]},
    }
    assert variables(given, env={"MORE": "1", "DISABLE_AUTOUPDATER": "0"}) == {
        "ANTHROPIC_BASE_URL": "https://models.example.org",
        "ANTHROPIC_MODEL": "opus",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "h",
        "ANTHROPIC_DEFAULT_SONNET_MODEL": "s",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "o",
        "http_proxy": "http://p:1",
        "HTTP_PROXY": "http://p:1",
        "https_proxy": "http://p:2",
        "HTTPS_PROXY": "http://p:2",
        "no_proxy": "a,b",
        "NO_PROXY": "a,b",
        "MORE": "1",
        "DISABLE_AUTOUPDATER": "0",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def test_another_option_replaces_no_body() -> None:
    runtime = ClaudeRuntime()
    assert runtime.launch(agent({"model": "opus"})).hash == runtime.launch(agent({"model": "haiku"})).hash


def test_without_a_token_it_is_the_program_of_its_user() -> None:
    assert terminal({}) == ("claude",)
    assert "CLAUDE_CODE_SANDBOXED" not in variables({})


def test_tools_servers_and_the_mode_become_flags() -> None:
    flags = terminal(
        {
            "program": "/opt/claude",
            "permissionMode": "bypassPermissions",
            "allowedTools": ["Edit", "Bash(git diff:*)"],
            "deniedTools": ["WebFetch"],
            "mcpServers": {
                "weather": {"command": "weather", "args": ["-v"], "env": {"KEY": "${WEATHER_KEY}"}},
                "far": {"type": "http", "url": "https://far.example", "headers": {"A": "b"}},
            },
        }
    )
    assert (flags[0], flags[3:5]) == ("/opt/claude", ("--permission-mode", "bypassPermissions"))
    assert json.loads(flags[2])["mcpServers"] == {
        "weather": {"type": "stdio", "command": "weather", "args": ["-v"], "env": {"KEY": "${WEATHER_KEY}"}},
        "far": {"type": "http", "url": "https://far.example", "headers": {"A": "b"}},
    }
    assert json.loads(flags[6]) == {
        "permissions": {"allow": ["Edit", "Bash(git diff:*)"], "deny": ["WebFetch"]},
        "skipDangerousModePermissionPrompt": True,
    }


@pytest.mark.parametrize("use", [{"name": "b", "env": "ANTHROPIC_API_KEY"}, {"name": "b", "env": "ANTHROPIC_MODEL"}])
def test_a_variable_is_said_once(use: dict[str, str]) -> None:
    with pytest.raises(InvalidError) as refused:
        variables({"apiKey": "a", "model": "opus"}, secrets=(use,))
    assert refused.value.field == "spec.secrets"


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        (None, "api.anthropic.com", 443),
        ("https://models.example.org", "models.example.org", 443),
        ("http://10.0.0.1:8080/v1", "10.0.0.1", 8080),
        ("http://[::1]/", "::1", 80),
    ],
)
def test_without_a_network_the_model_alone_is_reached_through_sac(address: str | None, host: str, port: int) -> None:
    options = {"baseUrl": address} if address else {}
    binding = ClaudeRuntime().launch(agent(options, egress=Egress(mode="none"))).binding
    assert [(each.variable, each.host, each.port) for each in binding.outlets] == [
        ("ANTHROPIC_UNIX_SOCKET", host, port)
    ]
    assert ClaudeRuntime().launch(agent(options)).binding.outlets == ()


@pytest.mark.parametrize(
    ("options", "env", "field"),
    [
        ({"proxies": {"https": "http://p:1"}}, {}, "spec.runtimeOptions.proxies"),
        ({"baseUrl": "http://-.example"}, {}, "spec.runtimeOptions.baseUrl.host"),
        ({"baseUrl": "http://a:99999"}, {}, "spec.runtimeOptions.baseUrl"),
        ({}, {"ANTHROPIC_UNIX_SOCKET": "/tmp/mine"}, "spec.env.ANTHROPIC_UNIX_SOCKET"),
    ],
)
def test_what_cannot_be_without_a_network_is_refused(options: dict[str, Any], env: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        ClaudeRuntime().launch(agent(options, env=env, egress=Egress(mode="none")))
    assert refused.value.field == field


@pytest.mark.parametrize("program", ["../claude", "a/b", "-c", "/bin/a;b", ""])
def test_a_program_is_a_name_or_a_whole_path(program: str) -> None:
    with pytest.raises(InvalidError):
        terminal({"program": program})


def begun(folder: Path, key: str) -> str:
    """What the command line makes ready; the program itself prints where that is."""
    argv = ("printenv", "CLAUDE_CONFIG_DIR")
    made = terminal({"apiKey": "a"})
    env = {"PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": key}
    done = subprocess.run([*made[: made.index("claude")], *argv], cwd=folder, env=env, capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


def test_a_new_key_is_agreed_to_as_the_first_one_was(folder: Path) -> None:
    for key in ("first-key-aaaaaaaaaaaaaaaaaaaaaaaa", "second-key-bbbbbbbbbbbbbbbbbbbbbbb"):
        place = Path(begun(folder, key))
        known = json.loads((place / ".claude.json").read_text())
        assert known == {"hasCompletedOnboarding": True, "customApiKeyResponses": {"approved": [key[-20:]]}}
        assert (place.stat().st_mode & 0o77, place.parents[1]) == (0, folder / ".sac")


def test_what_it_has_remembered_stays_with_the_same_key(folder: Path) -> None:
    file = Path(begun(folder, "k" * 30)) / ".claude.json"
    file.write_text('{"approved": ["' + "k" * 20 + '"], "more": 1}')
    begun(folder, "k" * 30)
    assert json.loads(file.read_text())["more"] == 1


def test_it_follows_no_link_of_the_workspace(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (folder / ".sac").symlink_to(tmp_path / "outside")
    assert ".sac is a link" in begun(folder, "key")
    assert not list((tmp_path / "outside").iterdir())


TOKEN = "sk-ant-oat01-" + "Ab3_-" * 16


@pytest.fixture
async def sac(tmp_path: Path) -> AsyncIterator[Sac]:
    own: list[tuple[str, object]] = [] if entry_points(group="sac", name="claude-code") else [("claude-code", plugin)]
    async with open_core(Settings(data_dir=tmp_path / "data"), plugins=own) as core:
        yield core.sac(LOCAL)


async def test_a_subscriptions_token_is_a_type_of_secret(sac: Sac) -> None:
    made = await sac.secrets.put("mine", TOKEN, type="claude-subscription")
    assert made.spec.type == "claude-subscription"
    options = {"subscriptionToken": "mine"}
    await sac.agents.create("a1", {"runtime": "claude-code", "state": "Stopped", "runtimeOptions": options})
    with pytest.raises(InvalidError, match="give it as subscriptionToken") as refused:
        await sac.agents.patch("a1", {"spec": {"runtimeOptions": {"subscriptionToken": None, "apiKey": "mine"}}})
    assert refused.value.field == "spec.runtimeOptions.apiKey"


@pytest.mark.parametrize("value", ["sk-ant-api03-" + "a" * 40, TOKEN + "\n", "sk-ant-oat01-", f"Bearer {TOKEN}"])
async def test_what_is_no_subscriptions_token_is_not_kept_as_one(sac: Sac, value: str) -> None:
    with pytest.raises(InvalidError, match="claude setup-token") as refused:
        await sac.secrets.put("mine", value, type="claude-subscription")
    assert refused.value.field == "spec.data.value"
    assert value not in str(refused.value)
    assert (await sac.secrets.list()).items == ()


async def test_a_value_of_another_type_becomes_none_by_a_word(sac: Sac) -> None:
    await sac.secrets.put("mine", "anything")
    with pytest.raises(InvalidError) as refused:
        await sac.secrets.replace_from("mine", {"spec": {"type": "claude-subscription"}})
    assert refused.value.field == "spec.type"
