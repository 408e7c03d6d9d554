"""What this distribution offers to SAC. It is imported at every start: keep it quick."""

from __future__ import annotations

from sac_agent_claude_code.options import SUBSCRIPTION, ClaudeOptions
from sac_agent_claude_code.runtime import ClaudeRuntime
from sac_core.hooks import hookimpl
from sac_core.hooks.records import RuntimePlugin


@hookimpl
def sac_runtimes() -> list[RuntimePlugin]:
    summary = "Claude Code, with its own token, models, tools and instructions."
    secrets = {"claude-subscription": SUBSCRIPTION}
    return [
        RuntimePlugin(name="claude-code", summary=summary, make=ClaudeRuntime, options=ClaudeOptions, secrets=secrets)
    ]
