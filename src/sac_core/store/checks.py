"""What a database says of itself."""

from __future__ import annotations

from sqlalchemy import text

from sac_core.errors import UnavailableError
from sac_core.models.body import Finding
from sac_core.store.connection import Run
from sac_core.store.migrate import newest_known

_CHECK = "database"
_REVISION = text("SELECT version_num FROM alembic_version")


async def revision_finding(run: Run) -> Finding:
    """Whether the tables are those that this SAC knows: another SAC may have changed them meanwhile."""
    try:
        found = [row[0] for row in await run(_REVISION)]
    except UnavailableError as error:
        return Finding(level="error", check=_CHECK, message=error.message, advice=error.hint or "")
    if found == [newest_known()]:
        return Finding(level="ok", check=_CHECK, message=f"it answers, at revision {found[0]}")
    message = f"it is at revision {', '.join(found) or 'none'}, this server knows {newest_known()}"
    advice = "restart the server with the newest SAC that used it"
    return Finding(level="error", check=_CHECK, message=message, advice=advice)
