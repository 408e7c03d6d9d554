"""Tasks that work behind a context: cancelled at its end, and unseen by who uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup


@asynccontextmanager
async def background() -> AsyncIterator[TaskGroup]:
    """A task group whose tasks end with the block; what the block raises comes out as it is, not wrapped in a group."""
    raised: BaseException | None = None
    async with anyio.create_task_group() as group:
        try:
            yield group
        except BaseException as error:  # raised again below, outside the group
            raised = error
        finally:
            group.cancel_scope.cancel()
    if raised is not None:
        raise raised
