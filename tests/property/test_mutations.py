"""Change anything of an envelope, a proof, a checkpoint, a tile or a pack: nothing of it is accepted any more.

Each change is drawn from a seed and is one that happens to files: bytes flipped, removed, added, repeated, moved.
"""

import random

import pytest

from ringfence.kernel.envelope import parse as parse_envelope
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import checkpoint
from ringfence.ledger.audit import Stored, audit_chain
from ringfence.ledger.entry import tenant_tag
from ringfence.ledger.proof import LogProof, verify_entry
from ringfence.ledger.proof import parse as parse_proof
from ringfence.ledger.succession import LogKeys
from ringfence.ledger.tiletree import TileTree
from ringfence.reports.verify import verify
from ringfence.storage.rows import Filed, Kept
from ringfence.testing.misnumbering import SCOPE
from ringfence.testing.tampering import lab
from ringfence.testing.tiles import MemoryTiles

FEW, MANY = 200, 10_000
REFUSED = (MalformedInput, VerificationFailed)
COUNTS = [FEW, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]


def flipped(data, start, _end, draw):
    return data[:start] + bytes([data[start] ^ 1 << draw.randrange(8)]) + data[start + 1 :]


def replaced(data, start, _end, draw):
    return data[:start] + bytes([draw.choice(b'0aA"{}[]\\n ,:=+/')]) + data[start + 1 :]


def removed(data, start, end, _draw):
    return data[:start] + data[end:]


def added(data, start, end, draw):
    return data[:start] + draw.randbytes(end - start) + data[start:]


def repeated(data, start, end, _draw):
    return data[:end] + data[start:end] + data[end:]


def moved(data, start, end, draw):
    rest, to = data[:start] + data[end:], draw.randrange(len(data))
    return rest[:to] + data[start:end] + rest[to:]


def changed(data, draw):
    """Return other bytes than `data`."""
    while True:
        start = draw.randrange(len(data))
        end = min(len(data), start + draw.choice([1, 1, 2, 8, 64, 512]))
        made = draw.choice([flipped, flipped, replaced, removed, added, repeated, moved])(data, start, end, draw)
        if made != data:
            return made


def changes(data, count, seed):
    draw = random.Random(seed)  # noqa: S311 - repeated by its seed
    return (changed(data, draw) for _ in range(count))


@pytest.fixture(scope="module")
def log():
    return lab()


@pytest.mark.parametrize("count", COUNTS)
def test_envelopes(log, count):
    envelope = log.entries[3][1]
    for data in changes(envelope.data, count, "envelope"):
        with pytest.raises(REFUSED):
            parse_envelope(data).verify(log.public("ops"))


@pytest.mark.parametrize("count", COUNTS)
def test_proofs(log, count):
    logged, head = log.statements()[3], log.head()
    size = head.checkpoint.size
    made = str(LogProof(3, log.inclusion_proof(3, size), head.note, logged.leaf)).encode()
    for data in changes(made, count, "proof"):
        with pytest.raises(REFUSED):
            proven(log, data)


def proven(log, data):
    found = parse_proof(data)
    signed = checkpoint.open_note(found.checkpoint, log.log_keys, log.origin)
    return verify_entry(found.extra or b"", found.index, found.hashes, signed)


@pytest.mark.parametrize("count", COUNTS)
def test_checkpoints(log, count):
    note = log.head().note.encode()
    for data in changes(note, count, "checkpoint"):
        with pytest.raises(REFUSED):
            checkpoint.open_note(text_of(data), log.log_keys, log.origin)


def text_of(data):
    try:
        return data.decode()
    except UnicodeError as error:
        raise MalformedInput("not UTF-8") from error


@pytest.mark.parametrize("count", COUNTS)
def test_tiles(log, count):
    tiles, head = MemoryTiles(), log.head()
    leaves = [logged.leaf for logged in log.statements()]
    TileTree(tiles).extend(0, leaves)
    assert audited(log, head, tiles) == ()
    paths = sorted(path for path in tiles.resources if path.startswith("tile/"))
    draw = random.Random("tile")  # noqa: S311
    for _ in range(count):
        path = draw.choice(paths)
        whole = tiles.resources[path]
        tiles.resources[path] = changed(whole, draw)
        assert audited(log, head, tiles), path
        tiles.resources[path] = whole


def audited(log, head, tiles):
    grown = TileTree(tiles)
    size = head.checkpoint.size
    rows = [
        Kept(Filed(index, at, envelope.digest, log.tenant, index + 1), envelope.data)
        for index, (at, envelope, _) in enumerate(log.entries[:size])
    ]
    tags = {log.tenant: tenant_tag(log.tenant_salt(), log.tenant)}
    stored = Stored(grown.entries(0, size), rows, tags, [head], None, grown.reader(size))
    return audit_chain(LogKeys(log.origin, log.log_keys), head, stored).failures


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("extent", ["everything", "scope"])
def test_packs(count, extent):
    log = lab()
    pack = log.pack(extent=SCOPE) if extent == "scope" else log.pack()
    trust = log.trust()
    for data in changes(pack, count // 2, extent):
        try:
            outcome = verify(data, trust)
        except MalformedInput:
            continue
        assert not outcome.ok
        assert outcome.failures
