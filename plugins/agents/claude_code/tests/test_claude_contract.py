"""The promises of runtimes, and what every distribution of plugins has to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sac_agent_claude_code.runtime import ClaudeRuntime
from sac_core.contracts.runtime import Runtime
from sac_core.testing.packaging import PackagingContract
from sac_core.testing.runtime_suite import RuntimeContract

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestClaude(RuntimeContract):
    def make_runtime(self) -> Runtime:
        return ClaudeRuntime()

    def bad(self) -> Sequence[tuple[Mapping[str, Any], str]]:
        return (
            ({"runtime_options": {"baseUrl": "nowhere"}}, "spec.runtimeOptions.baseUrl"),
            ({"runtime_options": {"apiKey": "a", "gatewayToken": "b"}}, "spec.runtimeOptions"),
            ({"runtime_options": {"apiKey": "a"}, "env": {"ANTHROPIC_API_KEY": "b"}}, "spec.env.ANTHROPIC_API_KEY"),
            ({"runtime_options": {"proxies": {"https": "http://a:b@c"}}}, "spec.runtimeOptions.proxies.https"),
            ({"runtime_options": {"mcpServers": {"w": {"url": "http://c"}}}}, "spec.runtimeOptions.mcpServers.w"),
            ({"runtime_options": {"colour": "red"}}, "spec.runtimeOptions.colour"),
        )


class TestPackaging(PackagingContract):
    project = Path(__file__).parents[1]
