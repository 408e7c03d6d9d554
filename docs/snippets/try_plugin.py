import anyio
import sac_agent_repl

import sac_core
from sac_core.models.principal import LOCAL
from sac_core.wire.terminal import Output


async def main() -> None:
    async with sac_core.open_core(plugins=[("repl", sac_agent_repl)]) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("prompt", {"runtime": "repl"})
        await sac.agents.wait("prompt")
        session = await sac.sessions.create("prompt")
        async with sac.sessions.attach(session.metadata.name) as terminal:
            await terminal.write(b"print(6 * 7)\nexit()\n")
            async for event in terminal:
                if isinstance(event, Output):
                    print(event.data.decode(), end="")
        await sac.agents.delete("prompt")
        await sac.agents.wait("prompt", "absent")


anyio.run(main)
