"""`sac plugins`: what is installed, and what failed to load."""

from __future__ import annotations

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import connected
from sac_core.cli.groups import group
from sac_core.cli.progress import printable
from sac_core.cli.tables import aligned


async def plugins(*, common: Common = HERE) -> int:
    """List the plugins of the server; exit status 1 when one failed to load."""
    async with connected(common) as sac:
        found = await sac.plugins()
    rows = [["NAME", "FAMILY", "STATE", "FROM", "SUMMARY"]]
    for plugin in sorted(found, key=lambda item: (item.family, item.name)):
        origin = f"{plugin.distribution} {plugin.version}".strip()
        text = plugin.summary if plugin.state == "loaded" else plugin.message
        if plugin.isolated is False and "not a sandbox" not in text:
            text += " [not a sandbox]"
        rows.append([printable(part) for part in (plugin.name, plugin.family, plugin.state, origin, text)])
    print("\n".join(aligned(rows)))
    return int(any(plugin.state == "failed" for plugin in found))


app = group("plugins", plugins)
