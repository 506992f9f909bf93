"""Log entries: 41 bytes that bind an envelope's digest to the time at which the log took it in.

Format: docs/specs/tlog-entry.md. The payload stays beside the log, so that an entry holds nothing to erase.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import SIZE, Digest
from ringfence.kernel.errors import MalformedInput

VERSION = 1
ENTRY_SIZE = 1 + 8 + SIZE
MAX_MILLIS = to_millis(datetime.max.replace(tzinfo=UTC))  # the last instant that a datetime can hold: year 9999


@dataclass(frozen=True, slots=True)
class Entry:
    """What one leaf says: this envelope, taken in at this time."""

    recorded_at: datetime
    envelope: Digest


def encode(recorded_at: datetime, envelope: Digest) -> bytes:
    """Print the leaf data of an entry; `recorded_at` is rounded down to milliseconds."""
    millis = to_millis(recorded_at)
    if millis < 0:
        raise MalformedInput("an entry cannot be recorded before 1970")
    return bytes((VERSION,)) + millis.to_bytes(8, "big") + envelope.value


def decode(data: bytes) -> Entry:
    """Parse the leaf data of an entry, or raise `MalformedInput`."""
    if len(data) != ENTRY_SIZE:
        raise MalformedInput(f"a log entry has {ENTRY_SIZE} bytes, not {len(data)}")
    if data[0] != VERSION:
        raise MalformedInput(f"log entries of version {data[0]} are not known here")
    millis = int.from_bytes(data[1:9], "big")
    if millis > MAX_MILLIS:
        raise MalformedInput("the log entry is dated beyond the year 9999")
    return Entry(from_millis(millis), Digest(data[9:]))
