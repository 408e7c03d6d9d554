"""`sac image`: the image of a runtime, built before it is needed, or otherwise than it would be."""

from __future__ import annotations

from contextlib import aclosing
from typing import Literal

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import connected
from sac_core.cli.progress import Progress, printable


async def image(
    verb: Literal["build"],
    runtime: str,
    /,
    *,
    base: str | None = None,
    tag: str | None = None,
    executor: str | None = None,
    common: Common = HERE,
) -> int:
    """Build the image of a runtime's agents; those that name no image have it from their next start on.

    Parameters
    ----------
    verb
        What to do: build.
    runtime
        The kind of agent, for example claude-code.
    base
        The image to begin with; without it, the executor's own choice.
    tag
        Its name, for agents that name it as their image; without it, the one of agents that name none.
    executor
        What builds it, or EXECUTOR/TARGET; without it, the first one that runs images.
    """
    last = ""
    async with connected(common) as sac:
        with Progress(f"Building the image of {runtime}") as progress:
            async with aclosing(sac.build_image(runtime, executor=executor, base=base, tag=tag)) as lines:
                async for last in lines:
                    progress.show(last)
    print(printable(last))
    return 0
