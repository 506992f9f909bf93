"""Who calls, and how much of what the key allows is used up."""

import hmac
from collections import deque
from collections.abc import Iterable
from math import ceil

from ringfence.gateway import keys
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.keys import KeyState, Presented
from ringfence.gateway.model import ApiKey, ApiKeyId, Limits
from ringfence.kernel.clock import to_millis

WINDOW = 60.0
# Compared with when nobody has the key that is shown, so that both cases take the same time.
_NOBODY = bytes(32)
_REFUSALS = {
    KeyState.BLOCKED: (403, "blocked_api_key", "this API key was blocked; a person can unblock it"),
    KeyState.REVOKED: (401, "revoked_api_key", "this API key was revoked"),
    KeyState.EXPIRED: (401, "expired_api_key", "this API key has expired"),
}


class Usage:
    """What one key has running, and when its last requests were let in."""

    __slots__ = ("_recent", "running")

    def __init__(self) -> None:
        self.running = 0
        self._recent: deque[float] = deque()

    def enter(self, limits: Limits, now: float) -> None:
        """Count a request in; `leave` counts it out.

        Raises:
            Problem: 429 with the time after which it may be tried again.
        """
        if self.running >= limits.concurrent:
            raise Problem(429, "too_many_running", f"this key has {limits.concurrent} requests running", retry_after=1)
        recent = self._recent
        while recent and recent[0] <= now - WINDOW:
            recent.popleft()
        if len(recent) >= limits.requests_per_minute:
            wait = max(1, ceil(recent[0] + WINDOW - now))
            text = f"this key has {limits.requests_per_minute} requests a minute; try again in {wait} s"
            raise Problem(429, "rate_limit_exceeded", text, retry_after=wait)
        recent.append(now)
        self.running += 1

    def leave(self) -> None:
        """Count a request out."""
        self.running -= 1


class Caller:
    """A key of the snapshot, and whether it may be used, as numbers."""

    __slots__ = ("_ends", "_problem", "key", "usage")

    def __init__(self, key: ApiKey, usage: Usage) -> None:
        self.key = key
        self.usage = usage
        state = keys.state(key, key.created_at)  # apart from its end: it depends on the time, and is compared below
        self._problem = None if state is KeyState.ACTIVE else state
        self._ends = to_millis(key.expires_at) * 1_000_000

    def check(self, now: int) -> None:
        """Raise `Problem` where the key is blocked, revoked or expired; `now` is in nanoseconds."""
        if self._problem is not None:
            raise Problem(*_REFUSALS[self._problem])
        if now >= self._ends:
            raise Problem(*_REFUSALS[KeyState.EXPIRED])


class Callers:
    """The keys of one snapshot; what they have used outlives snapshots."""

    known: dict[ApiKeyId, Caller]

    def __init__(self, known: Iterable[ApiKey], before: "Callers | None" = None) -> None:
        counted = before.known if before else {}
        self.known = {key.id: Caller(key, _usage(counted.get(key.id))) for key in known}

    def proven(self, shown: Presented) -> Caller | None:
        """Return whose key was shown, whatever its state; None where it is nobody's."""
        caller = self.known.get(shown.id)
        if caller is None:
            hmac.compare_digest(_NOBODY, shown.secret_hash)
            return None
        return caller if keys.matches(caller.key, shown) else None


def _usage(before: Caller | None) -> Usage:
    return before.usage if before else Usage()


class Shown:
    """What a connection showed last: most show the same key with every request, and hashing it once is enough."""

    __slots__ = ("_caller", "_callers", "_header", "_presented")

    def __init__(self) -> None:
        self._header: bytes | None = None
        self._presented: Presented | None = None
        self._callers: Callers | None = None  # among whom it was proven
        self._caller: Caller | None = None

    def again(self, authorization: bytes | None) -> Presented:
        """Return what this header shows; it still has to be proven.

        Raises:
            Problem: 401; it shows no key.
        """
        if self._presented is None or authorization != self._header:
            self._callers = None
            self._presented = presented(authorization)
            self._header = authorization
        return self._presented

    def proven(self, callers: Callers) -> Caller | None:
        """Return whose key it is among the keys of a snapshot; None where it is nobody's."""
        if callers is not self._callers:
            self._caller = callers.proven(self._presented) if self._presented else None
            self._callers = callers
        return self._caller


def presented(authorization: bytes | None) -> Presented:
    """Return what a request shows as its key.

    Raises:
        Problem: 401; it shows none.
    """
    scheme, _, text = (authorization or b"").decode("latin-1").partition(" ")
    shown = keys.presented(text.strip(" ")) if scheme.lower() == "bearer" else None
    if shown is None:
        raise Problem(401, "missing_api_key", "send your API key as `Authorization: Bearer rfk-...`")
    return shown
