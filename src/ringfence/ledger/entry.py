"""Log entries: what one leaf says. It binds an envelope's digest to the time at which the log took it in.

Since version 2 it also binds the envelope's place among its tenant's statements, so that whoever gets some of them can
tell that the others are there. Format: docs/specs/tlog-entry.md. The payload stays beside the log, so an entry holds
nothing to erase, and the name of a tenant only under a salt.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import SIZE, Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant

TIME = 8
COUNT = 8
SIZES = {1: 1 + TIME + SIZE, 2: 1 + TIME + SIZE + COUNT + SIZE}  # bytes of each version
MAX_MILLIS = to_millis(datetime.max.replace(tzinfo=UTC))  # the last instant that a datetime can hold: year 9999
MAX_ENTRY = MAX_SEQUENCE = 2**53  # beyond it neither our JSON nor every database holds the number
_TAG = b"urn:ringfence:tenant:v1\n"


@dataclass(frozen=True, slots=True)
class Place:
    """Which statement of its tenant an entry is; the tag stands for the tenant."""

    tag: bytes
    sequence: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What one leaf says: this envelope, taken in at this time; since version 2 also: at this place."""

    recorded_at: datetime
    envelope: Digest
    place: Place | None = None

    @property
    def version(self) -> int:
        """Return the version of the format."""
        return 1 if self.place is None else 2


def tenant_tag(salt: bytes, tenant: Tenant) -> bytes:
    """Return what stands for a tenant in the entries of a log; who lacks the salt cannot guess the name."""
    return sha256(_TAG + salt + tenant.encode("ascii")).digest()


def encode(recorded_at: datetime, envelope: Digest, place: Place | None = None) -> bytes:
    """Print the leaf data of an entry; `recorded_at` is rounded down to milliseconds."""
    millis = to_millis(recorded_at)
    if millis < 0:
        raise MalformedInput("an entry cannot be recorded before 1970")
    if place is None:
        return b"\x01" + millis.to_bytes(TIME, "big") + envelope.value
    if len(place.tag) != SIZE or not 1 <= place.sequence <= MAX_SEQUENCE:
        raise MalformedInput(
            f"a tenant's tag has {SIZE} bytes, and its statements are counted from 1 to {MAX_SEQUENCE}"
        )
    return b"\x02" + millis.to_bytes(TIME, "big") + place.tag + place.sequence.to_bytes(COUNT, "big") + envelope.value


def decode(data: bytes) -> Entry:
    """Parse the leaf data of an entry, or raise `MalformedInput`."""
    size = SIZES.get(data[0]) if data else None
    if size is None:
        raise MalformedInput(f"log entries of version {data[0] if data else 'none'} are not known here")
    if len(data) != size:
        raise MalformedInput(f"a log entry of version {data[0]} has {size} bytes, not {len(data)}")
    millis = int.from_bytes(data[1 : 1 + TIME], "big")
    if millis > MAX_MILLIS:
        raise MalformedInput("the log entry is dated beyond the year 9999")
    return Entry(from_millis(millis), Digest(data[-SIZE:]), _place(data) if data[0] == 2 else None)


def _place(data: bytes) -> Place:
    start = 1 + TIME + SIZE
    sequence = int.from_bytes(data[start : start + COUNT], "big")
    if not 1 <= sequence <= MAX_SEQUENCE:
        raise MalformedInput(f"a tenant's statements are counted from 1 to {MAX_SEQUENCE}, not {sequence}")
    return Place(data[1 + TIME : start], sequence)
