import os

import anyio

import sac_core
from sac_core.wire.terminal import Output


async def main() -> None:
    async with sac_core.connect(os.environ["SAC_SERVER"], os.environ["SAC_TOKEN"]) as sac:
        await sac.agents.create("hello", {"runtime": "shell"})
        await sac.agents.wait("hello")
        print((await sac.exec("hello", ["uname", "-s"])).stdout)

        session = await sac.sessions.create("hello", command=["sh"])
        async with sac.sessions.attach(session.metadata.name) as terminal:
            await terminal.write(b"echo $((6 * 7)); exit\n")
            async for event in terminal:
                if isinstance(event, Output):
                    print(event.data.decode(errors="replace"), end="")

        await sac.agents.delete("hello")
        await sac.agents.wait("hello", "absent")


anyio.run(main)
