import io
import tarfile
from collections.abc import AsyncIterator

import anyio

import sac_core


async def archive(name: str, data: bytes) -> AsyncIterator[bytes]:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    yield made.getvalue()


async def main() -> None:
    async with sac_core.open() as sac:
        await sac.agents.create("hello", {"runtime": "shell"})
        await sac.agents.wait("hello")
        await sac.files.put("hello", ".", archive("numbers", b"1\n2\n3\n"))
        await sac.exec("hello", ["sh", "-c", "sort -r numbers > sorted"])

        back = io.BytesIO(b"".join([piece async for piece in sac.files.get("hello", "sorted")]))
        with tarfile.open(fileobj=back) as tar:
            tar.extractall("from-hello", filter="data")
        print(await anyio.Path("from-hello/sorted").read_text())

        await sac.agents.delete("hello")
        await sac.agents.wait("hello", "absent")


anyio.run(main)
