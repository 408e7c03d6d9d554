"""The client of the holder: calls, channels and processes over any byte stream to a body.

Belongs here: `open_link` and what it yields; for executors, where the holder's program is and how one on this machine
is reached. Does not belong here: how bodies are made and reached elsewhere (executors know that), who may use a process
(the service decides that). All that comes from a holder is hostile bytes and checked.
"""

from sac_core.held.link import HolderLink, open_link
from sac_core.held.process import HeldProcess
from sac_core.held.records import ProcessRecord
from sac_core.held.silence import Silence

__all__ = ["HeldProcess", "HolderLink", "ProcessRecord", "Silence", "open_link"]
