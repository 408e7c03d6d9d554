"""Kinds as people write them: ``agent``, ``agents``, ``Agent``."""

from __future__ import annotations

from collections.abc import Sequence

from sac_core.client.kinds import RemoteKind
from sac_core.errors import NotFoundError


def kind_named(kinds: Sequence[RemoteKind], name: str) -> RemoteKind:
    """The kind that is meant; raises `NotFoundError` that names those there are."""
    found = find_kind(kinds, name)
    if found is None:
        known = ", ".join(kind.plural for kind in kinds)
        raise NotFoundError(f"there is no kind {name!r}", field="kind", hint=f"known: {known}")
    return found


def find_kind(kinds: Sequence[RemoteKind], name: str) -> RemoteKind | None:
    """The kind that is meant, if any."""
    wanted = name.lower()
    return next((kind for kind in kinds if wanted in (kind.plural, kind.singular, kind.kind.lower())), None)
