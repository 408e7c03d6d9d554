"""Bring a database to the form that this SAC knows."""

from __future__ import annotations

from functools import lru_cache

import anyio
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from anyio.lowlevel import RunVar
from sqlalchemy import Connection

from sac_core.errors import ConfigurationError

_TURN: RunVar[anyio.Lock] = RunVar("sac_migrating")


def one_at_a_time() -> anyio.Lock:
    """Held while a database is migrated: Alembic works through globals, and a program may open several SACs."""
    try:
        return _TURN.get()
    except LookupError:
        lock = anyio.Lock()
        _TURN.set(lock)
        return lock


@lru_cache(maxsize=1)
def newest_known() -> str | None:
    """The newest revision that this SAC knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "sac_core.store:migrations")
    return config


def migrate(connection: Connection) -> None:
    """Apply what is missing, in the open transaction; a database of a newer SAC is a `ConfigurationError`."""
    if MigrationContext.configure(connection).get_current_heads() == (newest_known(),):
        return
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "locate revision" not in str(error):
            raise
        raise ConfigurationError(
            "the database was written by a newer SAC than this one",
            reason="NewerDatabase",
            hint="upgrade sac-core, or give another SAC_DATA_DIR",
        ) from None
