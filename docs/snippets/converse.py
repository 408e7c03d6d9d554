import sys

import anyio

import sac_core
from sac_core.models.conversation import Completed, Decision, Permission, Started, Text


async def main(agent: str) -> None:
    async with sac_core.open() as sac:
        async with sac.agents.converse(agent) as conversation:
            async for event in conversation.send("Write a haiku into haiku.txt."):
                match event:
                    case Started():
                        print("to resume:", event.conversation)
                    case Text():
                        print(event.text, end="")
                    case Permission():
                        await conversation.answer(event.request, Decision(allow=event.tool == "Write"))
                    case Completed():
                        print(f"\n[{event.outcome}]")


anyio.run(main, sys.argv[1])
