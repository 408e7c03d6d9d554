import anyio

import sac_core
from sac_core.models.change import Change
from sac_core.wire.terminal import Exited


async def main() -> None:
    async with sac_core.open() as sac:
        await sac.agents.create("painter")
        await sac.agents.wait("painter")
        session = await sac.sessions.create("painter", command=["echo", "hello"], recording="best_effort")
        name = session.metadata.name
        async with sac.sessions.attach(name, mode="view") as terminal:
            async for event in terminal:
                if isinstance(event, Exited):
                    break
        async for change in sac.recordings.watch():
            if isinstance(change, Change) and change.object.status.phase == "Complete":
                break
        async for piece in sac.recordings.cast(name):
            print(piece.decode(), end="")

        await sac.agents.delete("painter")
        await sac.agents.wait("painter", "absent")


anyio.run(main)
