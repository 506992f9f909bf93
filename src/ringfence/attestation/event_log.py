"""The firmware's log of what it measured, read and replayed to PCR values.

Source: TCG, PC Client Platform Firmware Profile, 1.05, sections 3.3.3 (PCR usage), 9 and 10 (crypto-agile log).
A log proves nothing by itself: only that its digests, in this order, give the PCRs of a signed quote. Of an event's
type and data nothing is signed; `boot` reads them with that in mind.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.attestation.cursor import Cursor
from ringfence.attestation.tpm_structures import PCRS, SHA256
from ringfence.kernel.errors import MalformedInput

MAX_LOG = 2 * 2**20
MAX_EVENTS = 10_000
NO_ACTION = 0x00000003
_SIGNATURE = b"Spec ID Event03\0"
_LOCALITY = b"StartupLocality\0"
_LOCALITIES = frozenset({0, 3, 4})
_MAX_EVENT = 512 * 1024
_SHA1_SIZE = 20
_MAX_ALGORITHMS = 8
_MAX_DIGEST = 64
_SIZES = {0x0004: 20, 0x000B: 32, 0x000C: 48, 0x000D: 64, 0x0012: 32}


@dataclass(frozen=True, slots=True)
class Event:
    """One measurement: what extended which PCR, and what the firmware says that it was."""

    pcr: int
    kind: int
    digest: bytes  # SHA-256
    data: bytes


def parse(data: bytes) -> list[Event]:
    """Parse a crypto-agile log that has SHA-256 digests; raise `MalformedInput`."""
    if len(data) > MAX_LOG:
        raise MalformedInput(f"the event log has {len(data)} bytes; the limit is {MAX_LOG}")
    cursor = Cursor(data, "the event log")
    sizes = _header(cursor)
    events: list[Event] = []
    while cursor.left:
        if len(events) >= MAX_EVENTS:
            raise MalformedInput(f"the event log has more than {MAX_EVENTS} events")
        events.append(_event(cursor, sizes))
    return events


def _header(cursor: Cursor) -> dict[int, int]:
    """Read the first event, which is in the old form and names the algorithms of those that follow."""
    if cursor.little(4, "the first PCR") != 0 or cursor.little(4, "the first type") != NO_ACTION:
        raise MalformedInput("the event log: its first event does not say how it is written")
    cursor.zeros(_SHA1_SIZE, "the first digest")
    inner = Cursor(cursor.take(cursor.little(4, "the first size"), "the first event"), "the event log's first event")
    if inner.take(len(_SIGNATURE), "the signature") != _SIGNATURE:
        raise MalformedInput("the event log: it is not a crypto-agile one (TPM 2.0)")
    inner.take(8, "class and version")
    count = inner.little(4, "the number of algorithms")
    if not 0 < count <= _MAX_ALGORITHMS:
        raise MalformedInput(f"the event log: it names {count} algorithms")
    pairs = [(inner.little(2, "an algorithm"), inner.little(2, "its size")) for _ in range(count)]
    inner.take(inner.little(1, "the size of the maker's part"), "the maker's part")
    inner.end()
    sizes = dict(pairs)
    if len(sizes) != count or SHA256 not in sizes or any(_SIZES.get(name, size) != size for name, size in pairs):
        raise MalformedInput("the event log: its algorithms are not right, or SHA-256 is not among them")
    if any(not 0 < size <= _MAX_DIGEST for size in sizes.values()):
        raise MalformedInput("the event log: a digest of it has an impossible size")
    return sizes


def _event(cursor: Cursor, sizes: dict[int, int]) -> Event:
    pcr, kind = cursor.little(4, "a PCR"), cursor.little(4, "a type")
    count = cursor.little(4, "the number of digests")
    if pcr >= PCRS or count != len(sizes):
        raise MalformedInput(f"the event log: an event extends PCR {pcr} with {count} digests")
    found: dict[int, bytes] = {}
    for _ in range(count):
        algorithm = cursor.little(2, "an algorithm")
        if algorithm not in sizes or algorithm in found:
            raise MalformedInput(f"the event log: an event has the algorithm 0x{algorithm:04x} twice or unannounced")
        found[algorithm] = cursor.take(sizes[algorithm], "a digest")
    size = cursor.little(4, "the size of an event")
    if size > _MAX_EVENT:
        raise MalformedInput(f"the event log: an event has {size} bytes; the limit is {_MAX_EVENT}")
    return Event(pcr, kind, found[SHA256], cursor.take(size, "an event"))


def replay(events: Iterable[Event]) -> dict[int, bytes]:
    """Return what PCR 0 to 15 hold after these events, from a start of the machine on; raise `MalformedInput`."""
    values = {number: bytes(32) for number in range(16)}
    started = False
    for event in events:
        if event.kind == NO_ACTION:
            if event.pcr == 0 and event.data.startswith(_LOCALITY):
                values[0] = _initial(event.data, started=started)
                started = True
            continue
        started = started or event.pcr == 0
        if event.pcr in values:
            values[event.pcr] = extended(values[event.pcr], event.digest)
    return values


def _initial(data: bytes, *, started: bool) -> bytes:
    """Return what PCR 0 holds where the platform started at another locality than 0."""
    if started or len(data) != len(_LOCALITY) + 1 or data[-1] not in _LOCALITIES:
        raise MalformedInput("the event log: the locality at the start is told too late, twice, or is none")
    return bytes(31) + data[-1:]


def extended(value: bytes, digest: bytes) -> bytes:
    """Return what a PCR of the SHA-256 bank holds after it was extended."""
    return hashlib.sha256(value + digest).digest()
