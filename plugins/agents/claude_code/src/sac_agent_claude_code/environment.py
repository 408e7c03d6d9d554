"""The variables by which Claude Code is told what to do."""

from __future__ import annotations

from collections.abc import Iterator

from sac_agent_claude_code.options import ClaudeOptions, Proxies

SECRETS = {
    "apiKey": "ANTHROPIC_API_KEY",
    "subscriptionToken": "CLAUDE_CODE_OAUTH_TOKEN",
    "gatewayToken": "ANTHROPIC_AUTH_TOKEN",
}
"""As which variable the value of each option that is a secret comes."""

DEFAULTS = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
"""What holds unless ``spec.env`` says otherwise: a body's program is not its own to replace, nor its use to report."""


def chosen(options: ClaudeOptions) -> dict[str, str]:
    """The variables that options make."""
    models = options.models
    values = {
        "ANTHROPIC_BASE_URL": options.base_url,
        "ANTHROPIC_MODEL": options.model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": models.haiku,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": models.sonnet,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": models.opus,
        **dict(_proxies(options.proxies)),
        # The folder is the one that the agent was made for: nobody is asked whether to trust it.
        "CLAUDE_CODE_SANDBOXED": "1" if has_secret(options) else None,
        # As root, Claude Code asks for this before it asks nobody any more.
        "IS_SANDBOX": "1" if options.permission_mode == "bypassPermissions" else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def has_secret(options: ClaudeOptions) -> bool:
    """Whether the agent has a token of its own."""
    return any((options.api_key, options.subscription_token, options.gateway_token))


def _proxies(proxies: Proxies) -> Iterator[tuple[str, str | None]]:
    """Programs look for them under either spelling."""
    values = {"http_proxy": proxies.http, "https_proxy": proxies.https, "no_proxy": ",".join(proxies.none_for) or None}
    for name, value in values.items():
        yield name, value
        yield name.upper(), value
