"""Bring a database to the form that this SAC knows."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from sac_core.errors import ConfigurationError


def migrate(connection: Connection) -> None:
    """Apply what is missing, in the open transaction; a database of a newer SAC is a `ConfigurationError`."""
    config = Config()
    config.set_main_option("script_location", "sac_core.store:migrations")
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
