"""The contract of executors as a pytest class: subclass it, say how yours is opened, run pytest.

    pytest_plugins = ["sac_core.testing.pytest_plugin"]

    class TestAcme(ExecutorContract):
        def open_executor(self, context):
            return open_acme(AcmeSettings(), context)

Level ``full`` is everything; ``level = "core"`` leaves the long tests out. A skip names the capability that is missing.
"""

from __future__ import annotations

from sac_core.testing.promises.archives import Archives
from sac_core.testing.promises.cancellation import Cancellation
from sac_core.testing.promises.control import Control
from sac_core.testing.promises.dialing import Dialing
from sac_core.testing.promises.flow import Flow
from sac_core.testing.promises.images import Images
from sac_core.testing.promises.labels import Labels
from sac_core.testing.promises.omission import Omission
from sac_core.testing.promises.one_body import OneBody
from sac_core.testing.promises.optional import Optional
from sac_core.testing.promises.refusal import Refusal
from sac_core.testing.promises.secrecy import Secrecy
from sac_core.testing.promises.secret_files import SecretFiles
from sac_core.testing.promises.streams import Streams
from sac_core.testing.promises.waiting import Waiting


class ExecutorContract(
    OneBody,
    Labels,
    Cancellation,
    Omission,
    Waiting,
    Streams,
    Flow,
    Control,
    Refusal,
    Secrecy,
    SecretFiles,
    Optional,
    Dialing,
    Archives,
    Images,
):
    """All ten promises. What may be overridden is in `promises.base.ContractBase`."""
