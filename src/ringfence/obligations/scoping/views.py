"""The scope in force as front ends show it: what it says today, what its signature changed, and what changed since."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.obligations.scope.difference import Change, between
from ringfence.obligations.scoping.service import Scopes, Signed, SystemOf, classified


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to see."""

    signed: Signed | None
    document: Mapping[str, Any] | None  # what the rules say today, or on the day that was asked for
    changed: tuple[Change, ...]  # by the newest signature, against the one before
    drifted: tuple[Change, ...]  # by the law and by time, since the newest signature
    systems: tuple[SystemOf, ...]


def seen(scopes: Scopes, tenant: Tenant, at: datetime | None = None) -> Seen:
    """Return the scope in force now, or as it was at a time."""
    found = scopes.signatures(tenant, at)
    if not found:
        return Seen(None, None, (), (), ())
    signed, before = found[0], found[1] if len(found) > 1 else None
    document = _on(signed, at.date() if at else scopes.today())
    return Seen(
        signed,
        document,
        _between(before, signed.document),
        between(signed.document, document) if signed.document and document else (),
        tuple(scopes.systems(tenant, at)),
    )


def _on(signed: Signed, on: Any) -> Mapping[str, Any] | None:
    try:
        return classified(signed.profile, on) if signed.profile else None
    except MalformedInput:
        return None


def _between(before: Signed | None, document: Mapping[str, Any] | None) -> tuple[Change, ...]:
    if document is None or (before is not None and before.document is None):
        return ()
    return between(before.document, document) if before else ()
