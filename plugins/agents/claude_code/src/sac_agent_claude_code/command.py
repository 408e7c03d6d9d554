"""The command line of Claude Code: its program, its flags, and what is made ready before it begins."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sac_agent_claude_code.environment import has_secret
from sac_agent_claude_code.options import ClaudeOptions
from sac_core.models.agent import Agent

FOLDER = ".sac/claude-code"
"""Where in the workspace an agent with a token of its own keeps what Claude Code remembers."""

# A configuration that has been through the first run, and has agreed to the key (it knows one by its last 20
# signs). It is written anew when the key is another one: only then would there be a question again.
_SCRIPT = f"""
dir={FOLDER}/$1
shift
for each in .sac {FOLDER} "$dir"; do
  [ ! -L "$each" ] || {{ echo "sac: $each is a link: move it away" >&2; exit 1; }}
done
(
  umask 077
  mkdir -p "$dir" || exit 1
  [ -e .sac/.gitignore ] || echo '*' > .sac/.gitignore
  key=$(printf %s "${{ANTHROPIC_API_KEY-}}" | tail -c 20 | tr -cd 'A-Za-z0-9_-')
  known=
  [ ! -f "$dir/.claude.json" ] || known=$(cat "$dir/.claude.json")
  case $known in
    ?*"$key"*) ;;
    *) printf '{{"hasCompletedOnboarding":true,"customApiKeyResponses":{{"approved":["%s"]}}}}' "$key" \\
         > "$dir/.claude.json" ;;
  esac
) || exit 1
CLAUDE_CONFIG_DIR=$PWD/$dir
export CLAUDE_CONFIG_DIR
exec "$@"
"""


def command(agent: Agent, options: ClaudeOptions, *flags: str) -> tuple[str, ...]:
    """Claude Code in the workspace, with what the options say and with further flags."""
    argv = (options.program, *_flags(options), *flags)
    if not has_secret(options):
        return argv
    return ("/bin/sh", "-c", _SCRIPT, "sh", agent.metadata.uid, *argv)


def _flags(options: ClaudeOptions) -> Iterator[str]:
    if options.mcp_servers:
        servers = {name: server.model_dump(exclude_defaults=True) for name, server in options.mcp_servers.items()}
        for name, server in options.mcp_servers.items():
            servers[name]["type"] = server.type
        yield from ("--mcp-config", json.dumps({"mcpServers": servers}))
    if options.permission_mode is not None:
        yield from ("--permission-mode", options.permission_mode)
    settings = _settings(options)
    if settings:
        yield from ("--settings", json.dumps(settings))


def _settings(options: ClaudeOptions) -> dict[str, object]:
    rules = {"allow": list(options.allowed_tools), "deny": list(options.denied_tools)}
    settings: dict[str, object] = {}
    if any(rules.values()):
        settings["permissions"] = {kind: found for kind, found in rules.items() if found}
    if options.permission_mode == "bypassPermissions":
        settings["skipDangerousModePermissionPrompt"] = True
    return settings
