"""Standing and actor as conditions on key and time: what a search can ask a table. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.explorer.model import UNTRUSTED, Asked, Query, Window, Windows
from ringfence.ledger.issuers import Enrolment, Issuers
from ringfence.ledger.model import Standing

MAX_KEYS = 300  # in one search: each is a condition
STANDINGS = frozenset({UNTRUSTED, *(standing.value for standing in Standing)})
ALWAYS, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_ROLES = frozenset(role.value for role in KeyRole)
_PERSON = re.compile(r"person-[0-9a-f]{12}")
_KEY = re.compile(r"[0-9a-f]{8,64}")


def resolve(query: Query, issuers: Issuers) -> Asked:
    """Return the query with the keys of its actor and the windows of its standing.

    Raises:
        MalformedInput: its actor is no role, person or key, or its standing none.
        UsageError: it means more keys than one search compares.
    """
    keys, beginning = (actor(query.actor, issuers), "") if query.actor else (None, "")
    if keys == frozenset() and _KEY.fullmatch(query.actor):
        keys, beginning = None, query.actor  # nobody enrolled it: its statements are shown, and count for nothing
    windows = windows_of(query.standing, issuers, keys) if query.standing else None
    if max(len(windows.windows) if windows else 0, len(keys or ())) > MAX_KEYS:
        raise UsageError(f"this asks for the statements of more than {MAX_KEYS} keys; name a person or a key as actor")
    return Asked(query, keys, beginning, windows)


def actor(text: str, issuers: Issuers) -> frozenset[KeyId]:
    """Return the keys of a role, of a person, or those whose id begins so; raise `MalformedInput`."""
    known = [issuers.root, *(enrolment.issuer for enrolment in issuers.enrolments.values())]
    if text in _ROLES:
        return frozenset(issuer.key for issuer in known if issuer.role.value == text)
    if _PERSON.fullmatch(text):
        return frozenset(issuer.key for issuer in known if issuer.person == text)
    if _KEY.fullmatch(text):
        return frozenset(issuer.key for issuer in known if issuer.key.startswith(text))
    raise MalformedInput(
        f"an actor is a role ({', '.join(sorted(_ROLES))}), a person such as person-0123456789ab, or the first 8 to "
        "64 digits of a key's id",
        source="actor",
    )


def windows_of(standing: str, issuers: Issuers, keys: frozenset[KeyId] | None = None) -> Windows:
    """Return in which times statements of which keys have a standing; of `keys` only, where they are given."""
    if standing not in STANDINGS:
        raise MalformedInput(f"a standing is one of {', '.join(sorted(STANDINGS))}", source="standing")
    wanted = Standing.TRUSTED if standing == UNTRUSTED else Standing(standing)
    outside = standing in {UNTRUSTED, Standing.UNKNOWN}
    root = [Window(issuers.root.key, ALWAYS, NEVER)] if wanted in {Standing.TRUSTED, Standing.UNKNOWN} else []
    found = [
        window
        for key, enrolment in issuers.enrolments.items()
        for window in _windows(wanted, enrolment, issuers.origin(key))
    ]
    chosen = [each for each in (*root, *found) if keys is None or each.key in keys]
    return Windows(tuple(chosen), outside)


def _windows(standing: Standing, enrolment: Enrolment, origin: Standing) -> Iterator[Window]:
    """Yield when a key has a standing; of `unknown`, when it has any other. As `Issuers.at` decides.

    `origin`: what the keys were worth that led to its enrolment.
    """
    issuer, known = enrolment.issuer, enrolment.recorded_at
    first = enrolment.entry or 0  # what the log took in before it is unknown, be it of the same millisecond
    revoked = issuer.revoked_at or NEVER
    times = {
        Standing.UNKNOWN: (known, NEVER),
        Standing.NOT_YET_VALID: (known, min(issuer.valid_from, revoked)),
        Standing.TRUSTED: (max(known, issuer.valid_from), min(issuer.valid_until, revoked)),
        Standing.EXPIRED: (max(known, issuer.valid_until), revoked),
        Standing.REVOKED: (max(known, revoked), NEVER),
    }
    if standing in times and standing is not Standing.TRUSTED:
        yield from _window(issuer.key, *times[standing], least=first)
    since, until = times[Standing.TRUSTED]
    if issuer.compromised_at is not None:
        size = issuer.vouched.size if issuer.vouched else 0
        if standing is Standing.UNPROVEN:
            yield from _window(issuer.key, since, until, least=max(first, size))
        if standing is origin:
            yield from _window(issuer.key, since, until, least=first, below=size)
    elif standing is origin:
        yield from _window(issuer.key, since, until, least=first)


def _window(
    key: KeyId, since: datetime, until: datetime, *, least: int = 0, below: int | None = None
) -> Iterator[Window]:
    if since < until and below != 0:
        yield Window(key, since, until, least, below)
