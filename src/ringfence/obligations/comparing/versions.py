"""Which versions of the rules a tenant's own statements name. Pure."""

from collections.abc import Iterable

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.comparing.model import Naming, Version

CLAIM = "rulesDigest"


def versions(counts: Digest, ships: Digest, statements: Iterable[LoggedStatement]) -> list[Version]:
    """Return the version that counts, the one that ships, and each other one that was named, newest first."""
    named: dict[Digest, list[Naming]] = {counts: [], ships: []}
    for logged in statements:
        if (version := _named(logged)) is not None:
            named.setdefault(version, []).append(Naming(logged.entry, logged.recorded_at))
    found = [_version(digest, counts, ships, namings) for digest, namings in named.items()]
    return sorted(found, key=lambda one: (not one.counts, not one.ships, -one.last.entry if one.last else 0))


def _version(digest: Digest, counts: Digest, ships: Digest, namings: list[Naming]) -> Version:
    first, last = (namings[0], namings[-1]) if namings else (None, None)
    return Version(digest, digest == counts, digest == ships, len(namings), first, last)


def _named(logged: LoggedStatement) -> Digest | None:
    value = logged.envelope.statement.claims.get(CLAIM)
    try:
        return Digest.parse(value) if isinstance(value, str) else None
    except MalformedInput:
        return None
