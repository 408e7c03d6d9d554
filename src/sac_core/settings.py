"""What an operator may set, and the only reader of SAC's environment variables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from sac_core.errors import ConfigurationError

DEFAULT_PORT = 8765
ORIGIN = r"^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$"
_DOMAIN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"


def _data_dir() -> Path:
    import os

    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "sac"


class Settings(BaseSettings):
    """SAC's settings. Each is read from ``SAC_<NAME>`` unless given; unknown keyword arguments are refused."""

    model_config = SettingsConfigDict(env_prefix="SAC_", extra="forbid", frozen=True)

    data_dir: Path = Field(default_factory=_data_dir)
    """Where everything is kept that a restart may not lose. Mode 0700."""

    host: str = "127.0.0.1"
    """The address to listen on. Another than loopback needs ``origins`` and a ``token``, or another authenticator."""

    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535, examples=["8765"])
    """The TCP port; 0 takes a free one."""

    origins: tuple[Annotated[str, Field(pattern=ORIGIN)], ...] = Field(
        default=(), examples=['["https://sac.example.com"]']
    )
    """Where others reach this server, besides loopback; with https:// a proxy of the operator's ends TLS there."""

    token: SecretStr | None = None
    """A token of the user's choosing for scripts, at least 16 characters."""

    keys: SecretStr | None = None
    """Root keys of what is kept sealed: 32 bytes each in base64, with commas between, the active one first."""

    keys_file: Path | None = None
    """A file of root keys, one a line; none, and no ``keys``: SAC makes the file ``key`` in the data directory."""

    server: str | None = None
    """The address of a server for the command; none means the server of the data directory."""

    database: SecretStr | None = None
    """The URL of a PostgreSQL database, which several servers may share; none means SQLite in the data directory."""

    lease: float = Field(default=30.0, ge=3, examples=["30"])
    """Seconds for which a server may be silent until another one on its database takes over its agents."""

    default_executor: str | None = None
    """The executor of an agent that names none; none: one that is ready for it when SAC starts, else ``process``."""

    resync: float = Field(default=30.0, gt=0, examples=["30"])
    """Seconds between comparisons of what is declared with what runs; each with 10 % jitter."""

    recording: Literal["off", "best_effort", "strict"] = Field(default="off", examples=["best_effort"])
    """Whether sessions are recorded: ``off``, ``best_effort`` or ``strict``; a session may ask for more."""

    recording_days: float = Field(default=30.0, gt=0, examples=["30"])
    """Days that a recording is kept after its session has ended."""

    ports_domain: str = Field(default="localhost", pattern=_DOMAIN, examples=["ports.example.com"])
    """The domain below which ports of agents have host names of their own, ``p<port>-<uid>``."""

    private_endpoints: tuple[str, ...] = Field(default=(), examples=['["gateway.internal:8443"]'])
    """Hosts, or ``host:port``, that agents without a network may reach through SAC though they are not public."""

    plugins: dict[str, dict[str, Any]] = Field(default_factory=dict, examples=['{"process": {"nice": 10}}'])
    """Settings of plugins by name; a plugin named here must load, or SAC does not start."""


def load_settings(**given: Any) -> Settings:
    """The settings from the environment and ``given``; raises `ConfigurationError` that names the variable."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise _misset(error) from None
    except SettingsError as error:  # what should be JSON and is not
        name = next((name for name in Settings.model_fields if f'"{name}"' in str(error)), "")
        raise _refused((name,), "it is not JSON", None) from None
    if settings.token is not None and len(settings.token.get_secret_value()) < 16:
        raise ConfigurationError(
            "the token is too short",
            field="SAC_TOKEN",
            hint="use at least 16 characters, for example: openssl rand -hex 16",
        )
    return settings


def _misset(error: ValidationError) -> ConfigurationError:
    """What is wrong with which variable, what was given, and what could be given instead."""
    first = error.errors(include_url=False)[0]
    place = tuple(map(str, first["loc"]))
    secret = place[:1] in (("token",), ("keys",), ("database",))
    given = first["input"] if isinstance(first["input"], str | int | float) and not secret else None
    return _refused(place, _WORDS.get(first["type"], first["msg"]), given)


def _refused(place: tuple[str, ...], why: str, given: str | float | None) -> ConfigurationError:
    field = Settings.model_fields.get(place[0])
    example = field.examples[0] if field and field.examples else None
    variable = f"SAC_{place[0].upper()}"
    hint = f"for example: {variable}='{example}'" if example else "see docs/reference/settings.md"
    shown = f"{given!r} cannot be used: {why}" if given is not None else why
    return ConfigurationError(shown, field=".".join((variable, *place[1:])), hint=hint)


_WORDS = {
    "int_parsing": "it is not a whole number",
    "float_parsing": "it is not a number",
    "less_than_equal": "it is too big",
    "greater_than_equal": "it is too small",
    "greater_than": "it is too small",
    "string_pattern_mismatch": "it has not the form that it should have, in lower case",
}
