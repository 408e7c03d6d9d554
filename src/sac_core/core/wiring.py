"""Opens SAC: one exit stack that yields a ready `Core`, and closes all of it in reverse."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from anyio.abc import ByteStream

from sac_core import __version__
from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.context import utc_now
from sac_core.contracts.sac import Sac
from sac_core.contracts.store import Scope, Store
from sac_core.core.data_dir import local_token, make_private
from sac_core.core.databases import open_store
from sac_core.core.hosting import open_hosting
from sac_core.core.place import Place
from sac_core.core.plugins import Opener, needed_stages
from sac_core.core.reach import keep_within_reach
from sac_core.core.root_keys import open_keys
from sac_core.core.standard import named_executor, standard_executor
from sac_core.core.targets import HostedTargets
from sac_core.core.watchdog import open_watchdog
from sac_core.errors import NotFoundError, UnauthenticatedError, UnavailableError
from sac_core.hooks.loader import load
from sac_core.hooks.registry import Registry
from sac_core.models.principal import LOCAL, Principal
from sac_core.service import ports
from sac_core.service.bodies import open_bodies
from sac_core.service.chronicle import open_chronicle
from sac_core.service.hub import open_hub
from sac_core.service.leasing import open_leasing
from sac_core.service.outlets import open_outlets
from sac_core.service.reconciler import open_reconciler
from sac_core.service.recording.archive import Archive
from sac_core.service.recording.recorder import RecordingOffers
from sac_core.service.services import Services
from sac_core.service.signins import SignIns
from sac_core.service.stages import open_stages
from sac_core.service.surface import LocalSac
from sac_core.service.target_keeper import open_targets
from sac_core.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Core:
    """A running SAC. ``sac`` gives its surface in the name of a principal."""

    settings: Settings
    registry: Registry
    signins: SignIns
    authenticators: tuple[Authenticator, ...]
    services: Services
    place: Place

    def sac(self, principal: Principal, tenant: str | None = None, *, origin: str = "from this program") -> Sac:
        """The surface for one principal, in one of its tenants; raises `NotFoundError` for a tenant of others.

        ``origin`` is told in timelines: where its requests come from.
        """
        tenant = tenant or principal.tenant
        if not principal.may_enter(tenant):
            raise NotFoundError(f"there is no tenant {tenant!r}", field="namespace")
        return LocalSac(self.services, Scope(principal, tenant, origin), version=__version__)

    async def dial(self, principal: Principal, uid: str, port: int) -> ByteStream:
        """A stream to a port of the agent with this uid, in whichever of the principal's tenants it is."""
        return await ports.dial(self.services, principal, uid, port)

    async def require_port(self, principal: Principal, uid: str, port: int) -> None:
        """Raise `NotFoundError` or `ForbiddenError` unless the principal may dial this port of the agent."""
        await ports.require(self.services, principal, uid, port)

    async def authenticate(self, credentials: Credentials) -> Principal:
        """Who has these credentials; raises `UnauthenticatedError`.

        One authenticator that fails leaves it to the others; `UnavailableError` when none of them knows.
        """
        failure: UnavailableError | None = None
        for authenticator in self.authenticators:
            try:
                principal = await authenticator.authenticate(credentials)
            except UnavailableError as error:
                failure = error
            else:
                if principal is not None:
                    return principal
        if failure is not None and credentials.bearer is not None:
            raise failure
        raise UnauthenticatedError(
            "these credentials are not known here",
            hint="use SAC_TOKEN as the server was started with, or the file `token` of its data directory",
        )


@asynccontextmanager
async def open_core(
    settings: Settings | None = None,
    *,
    plugins: Iterable[tuple[str, object]] = (),
    around: Callable[[Store], Store] = lambda store: store,
) -> AsyncIterator[Core]:
    """Open SAC with ``settings`` (none: from the environment), ready to serve, until the context is left.

    ``plugins`` are (name, module or object) pairs used besides the installed ones; ``around`` may put something of
    tests around the store, as `sac_core.testing.faulty`. Agents go on running afterwards.
    Raises `ConfigurationError` when the data directory is in use or a plugin that is needed does not work.
    """
    settings = settings or load_settings()
    async with AsyncExitStack() as stack:
        folder = make_private(settings.data_dir)
        server_id = uuid.uuid4().hex[:12]
        store = around(await stack.enter_async_context(open_store(settings, folder, server_id)))
        sealing, rotation = await stack.enter_async_context(open_keys(settings, folder, store.data_keys()))
        recording = RecordingOffers(Archive(store, sealing, utc_now), folder, days=settings.recording_days)
        needed = {named_executor(settings), *settings.plugins}
        registry = load(required={*needed, *needed_stages(settings)}, extra=[("recording", recording), *plugins])
        tokens = [local_token(folder), *([settings.token] if settings.token else [])]
        await stack.enter_async_context(open_watchdog(registry))
        hosting = await stack.enter_async_context(open_hosting())
        opener = Opener(hosting, registry, settings, store, folder)
        authenticators = await opener.authenticators(tokens)
        targets = await opener.targets()
        if settings.database is not None:
            await keep_within_reach(targets, store, needed=needed)
        # outside all that works: nothing is given up while something still acts on it
        leases = open_leasing(store.leases(server_id), store, targets.keys, settings.lease)
        leasing = await stack.enter_async_context(leases)
        bodies = await stack.enter_async_context(open_bodies(server_id))
        hub = await stack.enter_async_context(open_hub(store.state("sessions"), server_id, leasing.others))
        opened, failed = await opener.stages()
        stages = await stack.enter_async_context(open_stages(utc_now, opened, failed))
        hub.on_resize = stages.resized
        chronicle = await stack.enter_async_context(open_chronicle(store, utc_now, server_id))
        tell, places = chronicle.note, frozenset(settings.private_endpoints)
        outlets = await stack.enter_async_context(open_outlets(tell, places))
        services = Services(
            store,
            sealing,
            rotation,
            registry,
            targets,
            bodies,
            outlets,
            hub,
            stages,
            chronicle,
            leasing,
            utc_now,
            standard_executor(settings, targets),
            settings.recording,
        )
        await stack.enter_async_context(open_targets(services, HostedTargets(opener)))
        await stack.enter_async_context(open_reconciler(services, resync=settings.resync))
        yield Core(settings, registry, SignIns(store.state("sac")), authenticators, services, Place(folder))


@asynccontextmanager
async def open(settings: Settings | None = None) -> AsyncIterator[Sac]:
    """Embed SAC in this program, as its local user."""
    async with open_core(settings) as core:
        yield core.sac(LOCAL)
