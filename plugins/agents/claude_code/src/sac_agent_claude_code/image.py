"""How an image with Claude Code is made. The program may not be passed on, so each user's engine builds its own."""

from __future__ import annotations

from sac_core.models.recipe import Recipe

_TOOLS = "git less procps ripgrep"
_SETUP = (
    "command -v git >/dev/null || (apt-get update"
    f" && apt-get install --yes --no-install-recommends {_TOOLS} && rm -rf /var/lib/apt/lists/*)"
    " || (command -v apk >/dev/null && apk add --no-cache bash git less procps ripgrep)"
    " || echo 'no git in this image: give a base that has it'"
)
# The package for Python carries the program itself, and a base with a Python is what SAC wants anyway.
_INSTALL = (
    "if command -v pip >/dev/null; then"
    " pip install --no-cache-dir --no-deps --target /opt/claude-code claude-agent-sdk"
    " && ln -s /opt/claude-code/claude_agent_sdk/_bundled/claude /usr/local/bin/claude;"
    " elif command -v npm >/dev/null; then npm install --global @anthropic-ai/claude-code;"
    " else echo 'this base has neither pip nor npm' >&2; exit 1; fi"
)
RECIPE = Recipe(name="claude-code", setup=_SETUP, program="claude", install=_INSTALL, version=("claude", "--version"))
