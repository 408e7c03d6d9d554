"""The command `sac`: speaks HTTP through `client`, and starts the server of the data directory when none runs.

Belongs here: arguments, finding and starting the server, tables, the terminal of the user. `commands` has one
module for each command, loaded when it is used, so that `sac --help` is quick.
Does not belong here: decisions, and imports of the server (but for `up`) or of anything below it.
"""

from sac_core.cli.app import main

__all__ = ["main"]
