"""The table of commands, and how the command line begins and ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from sac_core import __version__
from sac_core.cli.arguments import rearranged
from sac_core.cli.progress import printable
from sac_core.errors import SacError

SUMMARY = "Run AI coding agents in isolated sandboxes."
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

COMMANDS = (
    ("up", "Run the server here, with the console.", "[OPTIONS]"),
    ("down", "End the server of the data directory; agents go on.", "[OPTIONS]"),
    ("console", "Print a fresh sign-in link of the console.", "[OPTIONS]"),
    ("run", "Create an agent and open its terminal.", "[OPTIONS] RUNTIME [FOLDER] [-- CMD...]"),
    ("attach", "Attach this terminal to an agent or a session.", "[OPTIONS] AGENT|SESSION"),
    ("exec", "Run a command in an agent.", "[OPTIONS] AGENT -- CMD..."),
    ("cp", "Copy files from or to an agent.", "[OPTIONS] SOURCE TARGET"),
    ("ask", "Say something to an agent, without a terminal.", "[OPTIONS] AGENT [TEXT]"),
    ("open", "Print a link to a port of an agent.", "[OPTIONS] AGENT [PORT]"),
    ("get", "List things of a kind, or show one.", "[OPTIONS] KIND [NAME]"),
    ("describe", "Tell all about an agent, and why it is so.", "[OPTIONS] [agent] AGENT"),
    ("start", "Start stopped agents.", "[OPTIONS] AGENT..."),
    ("stop", "Stop agents and keep what they have.", "[OPTIONS] AGENT..."),
    ("restart", "Replace the bodies of agents.", "[OPTIONS] AGENT..."),
    ("delete", "Delete agents, or things of another kind.", "[OPTIONS] [KIND] NAME..."),
    ("logs", "Print the output of an agent's main process.", "[OPTIONS] AGENT"),
    ("secrets", "Keep secrets for agents: put, list, get, delete.", "[OPTIONS] put|list|get|delete [NAME]"),
    ("targets", "Declare places where agents can run.", "[OPTIONS] VERB [NAME]"),
    ("keys", "Show root keys, or change to a new one.", "[OPTIONS] status|rotate"),
    ("recordings", "List recordings of sessions.", "[OPTIONS] [AGENT]"),
    ("replay", "Play a recording in this terminal.", "[OPTIONS] RECORDING"),
    ("image", "Build the image of a runtime's agents.", "[OPTIONS] build RUNTIME"),
    ("doctor", "Check this installation and say what to do.", "[OPTIONS]"),
    ("deploy", "Write what runs SAC itself on a cluster.", "[OPTIONS] kustomize"),
    ("plugins", "List the plugins, and those that failed to load.", "[OPTIONS]"),
    ("plugins new", "Make the folder of a new plugin.", "[OPTIONS] FAMILY NAME"),
)
"""Name, summary, usage. A name of two words is a command below another one, which `groups.group` makes."""


def make_app() -> App:
    """The command line; nothing of a command is imported before it is used."""
    app = App(name="sac", help=SUMMARY, version=__version__, help_format="plaintext", result_action="return_value")
    groups = {name.split()[0] for name, _, _ in COMMANDS if " " in name}
    for order, (name, summary, usage) in enumerate(COMMANDS):
        if name in groups:
            app.command(f"sac_core.cli.commands.{name}:app", name=name, help=summary, sort_key=order)
        elif " " not in name:
            path = f"sac_core.cli.commands.{name}:{name}"
            app.command(path, name=name, help=summary, usage=f"Usage: sac {name} {usage}", sort_key=order)
    return app


# as a shell says that there is no such program
_STATUS = {"Usage": USAGE, "CommandNotFound": 127}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `sac`; returns the exit status.

    1 for an error, 2 for wrong usage, 127 when there is no such program, 130 after Ctrl-C, else the command's own.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in given[: given.index("--")] if "--" in given else "--debug" in given
    try:
        return _ended(make_app()(rearranged(given), exit_on_error=False, print_error=False))
    except CycloptsError as error:
        return _complain(str(error).strip().replace("\n", " "), status=USAGE, hint="sac --help tells what there is")
    except SacError as error:
        if debug:
            raise
        return _complain(str(error).replace("\n", " "), status=_STATUS.get(error.reason, 1))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _pipe_broke()


def _ended(result: object) -> int:
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _complain(message: str, *, status: int, hint: str = "") -> int:
    advice = f" ({hint})" if hint else ""
    print(printable(f"sac: {message}{advice}"), file=sys.stderr)
    return status


def _pipe_broke() -> int:
    """Whoever read our output has gone: say nothing, also when the interpreter flushes at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    return BROKEN_PIPE
