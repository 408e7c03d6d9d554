"""Archives in and out of a body, by a process in it: the body's own tar, or its python3 where it has no tar.

Belongs here: the commands, how their streams are moved (bounded, with deadlines for stalls), what their ends mean.
Does not belong here: who may do it (`service.files`), unpacking: nothing is ever extracted outside of the body.
"""

from sac_core.service.archives.moving import read_archive, stat_path, write_archive
from sac_core.service.archives.tools import Reach

__all__ = ["Reach", "read_archive", "stat_path", "write_archive"]
