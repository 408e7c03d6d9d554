import anyio

import sac_core
from sac_core.wire.terminal import Exited, Gap, Output


async def main() -> None:
    async with sac_core.open() as sac:
        await sac.agents.create("counter")
        await sac.agents.wait("counter")
        counting = ["sh", "-c", "for n in 1 2 3 4 5; do echo $n; sleep 0.1; done"]
        session = (await sac.sessions.create("counter", command=counting)).metadata.name

        async with sac.sessions.attach(session, mode="view") as terminal:
            async for event in terminal:
                if isinstance(event, Output):
                    break  # leaving ends nothing but this view
            next_byte = terminal.offset

        async with sac.sessions.attach(session, since=next_byte, mode="view") as terminal:
            async for event in terminal:
                match event:
                    case Output():
                        print(event.data.decode(errors="replace"), end="")
                    case Gap():
                        print(f"[{event.end - event.start} bytes are no longer kept]")
                    case Exited():
                        print(f"[ended with {event.code}]")

        await sac.agents.delete("counter")
        await sac.agents.wait("counter", "absent")


anyio.run(main)
