"""What a database is asked at start: to take the form that this SAC knows, and who it is."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable

from sqlalchemy import Connection, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from sac_core.store.faults import translated
from sac_core.store.migrate import migrate, one_at_a_time
from sac_core.store.tables import counter, installation


async def prepare(engine: AsyncEngine, *, before: Callable[[Connection], None] | None = None) -> tuple[str, int]:
    """Migrate, in one transaction that begins with ``before``; the installation's id and the newest version."""
    with translated():
        async with one_at_a_time(), engine.begin() as connection:
            if before is not None:
                await connection.run_sync(before)
            await connection.run_sync(migrate)
            identity: str | None = await connection.scalar(select(installation.c.id))
            if identity is None:
                identity = base64.b32encode(secrets.token_bytes(10)).decode().lower()[:12]
                await connection.execute(insert(installation), {"id": identity})
            return identity, (await connection.execute(select(counter.c.rv))).scalar_one()
