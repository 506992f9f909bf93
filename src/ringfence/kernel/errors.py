"""The error family, with the exit code and the HTTP status of each branch.

    RingfenceError                     exit  HTTP
    ├─ UsageError                        2    400   the request itself cannot be carried out as given
    │  ├─ MalformedInput                 2    422   untrusted bytes that do not parse; names file and position
    │  ├─ NotFound                       2    404
    │  ├─ Conflict                       2    409   it exists already, or somebody was faster
    │  └─ Misdirected                    2    421   it was asked for under the name of another host
    ├─ VerificationFailed                1    409   a negative verdict: the thing was checked and is not right
    ├─ Refused                           3    403   a policy says no
    │  ├─ Unauthenticated                3    401
    │  ├─ StepUpRequired                 3    403   this person may, once their passkey has confirmed it
    │  └─ TooManyAttempts                3    429   guesses are slowed down
    ├─ Unavailable                       4    503   a component or resource that is needed is missing; it is named
    └─ InternalError                     5    500

Every message is one sentence that a person can act on. Front ends show `str(error)` and nothing else.
"""

from typing import ClassVar


class RingfenceError(Exception):
    """The root: anything that Ringfence itself reports."""

    exit_code: ClassVar[int] = 5
    http_status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"


class UsageError(RingfenceError):
    """The request cannot be carried out as it was given."""

    exit_code = 2
    http_status = 400
    slug = "usage"


class MalformedInput(UsageError):
    """Untrusted input does not parse: says where it came from and at which position."""

    http_status = 422
    slug = "malformed-input"

    def __init__(self, message: str, *, source: str = "", line: int | None = None, column: int | None = None) -> None:
        self.source = source
        self.line = line
        self.column = column
        place = ":".join(str(part) for part in (source or None, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class NotFound(UsageError):
    """The thing that was named is not here."""

    http_status = 404
    slug = "not-found"


class Conflict(UsageError):
    """It exists already, or another writer was faster."""

    http_status = 409
    slug = "conflict"


class Misdirected(UsageError):
    """The request names another host than this one."""

    http_status = 421
    slug = "misdirected"


class VerificationFailed(RingfenceError):
    """A check ran to its end and its verdict is negative."""

    exit_code = 1
    http_status = 409
    slug = "verification-failed"


class Refused(RingfenceError):
    """A policy refuses the act."""

    exit_code = 3
    http_status = 403
    slug = "refused"


class Unauthenticated(Refused):
    """Nobody, or nobody known, is asking."""

    http_status = 401
    slug = "unauthenticated"


class StepUpRequired(Refused):
    """The act needs a passkey that confirmed it within the last minutes."""

    slug = "step-up-required"


class TooManyAttempts(Refused):
    """Too many attempts to sign in failed; the next one has to wait."""

    http_status = 429
    slug = "too-many-attempts"


class Unavailable(RingfenceError):
    """A component or a resource that is needed is missing."""

    exit_code = 4
    http_status = 503
    slug = "unavailable"


class InternalError(RingfenceError):
    """An invariant of our own does not hold."""


def by_slug(slug: str) -> type[RingfenceError]:
    """Return the branch whose problem slug is `slug`; unknown slugs are internal errors."""
    known: list[type[RingfenceError]] = [RingfenceError]
    for kind in known:
        if kind.slug == slug and kind is not RingfenceError:
            return kind
        known.extend(kind.__subclasses__())
    return InternalError
