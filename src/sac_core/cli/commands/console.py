"""`sac console`: a fresh sign-in link."""

from __future__ import annotations

import webbrowser

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.cli.place import announced, named, settings_of
from sac_core.errors import UnavailableError


async def console(*, open: Switch = False, common: Common = HERE) -> int:
    """Print a link that signs a browser in once, within ten minutes.

    Parameters
    ----------
    open
        Open it in the browser.
    """
    settings = settings_of(common)
    async with connected(common) as sac:
        code = await sac.sign_in_code()
    server = named(settings) or announced(settings.data_dir)
    if server is None:
        raise UnavailableError("the server ended meanwhile", hint="try again")
    link = f"{server.url}/#code={code}"
    print(link)
    if open:
        webbrowser.open(link)
    return 0
