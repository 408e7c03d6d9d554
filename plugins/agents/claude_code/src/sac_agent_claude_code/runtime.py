"""The runtime ``claude-code``: the body that Claude Code needs, and how it is begun in a terminal."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from sac_agent_claude_code.command import command
from sac_agent_claude_code.conversation import FLAGS, open_claude, resume_flags
from sac_agent_claude_code.environment import DEFAULTS, SECRETS, chosen
from sac_agent_claude_code.image import RECIPE
from sac_agent_claude_code.options import ClaudeOptions
from sac_agent_claude_code.outlets import SOCKET, outlets
from sac_core.contracts.conversation import Conversation, Programs
from sac_core.contracts.runtime import Runtime
from sac_core.errors import InvalidError
from sac_core.models.agent import Agent, AgentSpec
from sac_core.models.base import parse
from sac_core.models.launch import Binding, Launch
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe
from sac_core.models.workspace import Places

ADVICE = (
    "install Claude Code where the agent runs: npm install -g @anthropic-ai/claude-code, "
    "or curl -fsSL https://claude.ai/install.sh | bash; or say where it is: runtimeOptions.program"
)
_PLACES = Places(instructions=".claude/rules/sac.md", skills=".claude/skills/{name}/SKILL.md")


class ClaudeRuntime(Runtime):
    """A body that waits, or runs ``spec.command``; terminals are Claude Code."""

    def launch(self, agent: Agent) -> Launch:
        spec, options = agent.spec, options_of(agent)
        return Launch(
            generation=agent.metadata.generation,
            template=spec.template(),
            binding=Binding(env=_environment(spec, options), outlets=outlets(spec, options)),
        )

    def places(self, agent: Agent) -> Places:
        return _PLACES

    def programs(self, agent: Agent) -> dict[str, str]:
        return {options_of(agent).program: ADVICE}

    def variables(self, agent: Agent) -> dict[str, str]:
        return SECRETS

    def recipe(self) -> Recipe:
        return RECIPE

    def terminal(self, agent: Agent) -> Command:
        return Command(argv=command(agent, options_of(agent)))

    def open_conversation(
        self, agent: Agent, programs: Programs, resume: str | None
    ) -> AbstractAsyncContextManager[Conversation]:
        argv = command(agent, options_of(agent), *FLAGS, *resume_flags(resume))
        return open_claude(programs, argv, resume)


def options_of(agent: Agent) -> ClaudeOptions:
    """An agent's options; raises `InvalidError` that names the field."""
    return parse(ClaudeOptions, agent.spec.runtime_options, field="spec.runtimeOptions")


def _environment(spec: AgentSpec, options: ClaudeOptions) -> dict[str, str]:
    ours = chosen(options)
    secret = {SECRETS[name] for name in options.to_wire() if name in SECRETS}
    for name in (*spec.env, *(use.env for use in spec.secrets if use.env)):
        if name in ours or name in secret or name == SOCKET:
            field = f"spec.env.{name}" if name in spec.env else "spec.secrets"
            raise InvalidError(f"{name} is set by SAC, or by spec.runtimeOptions", field=field, hint="say it once")
    return {**DEFAULTS, **spec.env, **ours}
