"""The contract of stores as a pytest class: subclass it, say how yours is opened, run pytest.

pytest_plugins = ["sac_core.testing.pytest_plugin"]

class TestAcme(StoreContract):
    def open_store(self, place, now):
        return open_acme_store(place / "acme.db", clock=now)
"""

from __future__ import annotations

from sac_core.testing.promises.store_bytes import Bytes
from sac_core.testing.promises.store_causes import Timelines
from sac_core.testing.promises.store_changes import Feed
from sac_core.testing.promises.store_lists import Lists
from sac_core.testing.promises.store_records import Records
from sac_core.testing.promises.store_states import States
from sac_core.testing.promises.store_units import Units


class StoreContract(Records, Units, Lists, Feed, States, Timelines, Bytes):
    """All promises of stores. What may be overridden is in `promises.stores.StoreBase`."""
