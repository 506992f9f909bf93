"""Tampering with what is stored, and what the audit says about it."""

import pytest

from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Strength
from ringfence.ledger import entry, tiling, tree
from ringfence.ledger.audit import Stored, audit_chain, chain_verified, heartbeat
from ringfence.ledger.succession import LogKeys
from ringfence.storage.rows import Filed, Kept
from ringfence.testing.home import TENANT, draft, observed
from ringfence.testing.ledger import LabLog


@pytest.fixture
def filled(services):
    """A log with a full tile, so that its head rests on tiles of two levels."""
    with services.database.transaction():
        for number in range(270):
            services.outbox.record(observed(claims={"n": number}), tenant=TENANT)
    services.ledger.integrate()
    return services


def sql(home, statement, *values):
    assert home.alter(statement, *values) == 1


def sql_all(home, statement):
    home.alter(statement)


def failures(services):
    return services.ledger.audit().failures


def test_an_untouched_log_is_clean(filled):
    audit = filled.ledger.audit()
    assert audit.failures == ()
    assert audit.size == filled.ledger.head().checkpoint.size > 256
    assert audit.checkpoints == len(filled.ledger.checkpoints.all())
    assert audit.oldest_entry_at == filled.clock.now()


def test_a_changed_envelope_is_named(filled, home):
    sql(home, "UPDATE statements SET envelope = envelope || ' ' WHERE entry = 7")
    assert failures(filled) == ("entry 7: its envelope was changed after the log took it in",)


def test_an_envelope_that_is_gone_is_named(filled, home):
    sql(home, "DELETE FROM statements WHERE entry = 9")
    assert failures(filled) == ("entry 9: its envelope is missing from the database",)


def test_a_changed_time_is_named(filled, home):
    sql(home, "UPDATE statements SET recorded_at = recorded_at - 1000 WHERE entry = 8")
    (found,) = failures(filled)
    assert found.startswith("entry 8: the database says that it was recorded at")


def test_a_changed_checkpoint_is_named(filled, home):
    size = filled.ledger.head().checkpoint.size
    sql(
        home,
        "UPDATE ledger_checkpoints SET note = replace(note, ?, ?) WHERE size = ?",
        f"\n{size}\n",
        f"\n{size - 1}\n",
        size,
    )
    found = failures(filled)
    assert any(text.startswith(f"checkpoint of size {size}:") for text in found)


def test_a_checkpoint_with_another_size_beside_it_is_named(filled, home):
    first = filled.ledger.checkpoints.all()[0].checkpoint.size
    sql(home, "UPDATE ledger_checkpoints SET size = size + 1 WHERE size = ?", first)
    assert any(text.startswith(f"checkpoint of size {first + 1}:") for text in failures(filled))


def test_another_note_before_the_world_is_named(filled, home):
    path = home.path / "log" / "checkpoint"
    note = path.read_text()
    path.write_text(note[:-3] + ("A" if note[-3] != "A" else "B") + note[-2:])
    assert failures(filled) == ("the published checkpoint is not one that this log has signed",)


def tile(home, kind, number, width=256):
    return home.path / "log" / tiling.path_of(kind, number, width)


def change(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def test_a_changed_entry_is_named(filled, home):
    change(tile(home, "entries", 0), 3 * 83 + 2 + 60)
    found = failures(filled)
    assert any(text.startswith("hash 3 of level 0:") for text in found)
    assert "entry 3: its envelope was changed after the log took it in" in found


def test_an_entry_that_is_none_any_more_is_named(filled, home):
    change(tile(home, "entries", 0), 2)  # the version byte of the first entry
    assert "entry 0: it is not an entry of this log's format" in failures(filled)


@pytest.mark.parametrize(("level", "width"), [(0, 256), (1, 1)])
def test_a_changed_hash_in_a_tile_is_named(filled, home, level, width):
    change(tile(home, level, 0, width), 5)
    assert any(text.startswith(f"hash 0 of level {level * 8}:") for text in failures(filled))


def test_an_entry_changed_together_with_its_hash_and_its_envelope_is_found(filled, home):
    """Whoever may write everything below the highest tile is found by computing the root from the entries."""
    forged = b'{"forged":true}'
    digest = draft().subjects[0].digest.__class__.of(forged)
    found = entry.decode(next(filled.ledger.tree.entries(3, 4)))
    data = entry.encode(found.recorded_at, digest, found.place)
    bundle, hashes = tile(home, "entries", 0), tile(home, 0, 0)
    size = 2 + len(data)
    content = bundle.read_bytes()
    bundle.write_bytes(content[: 3 * size + 2] + data + content[4 * size :])
    content = hashes.read_bytes()
    hashes.write_bytes(content[: 3 * 32] + tree.leaf_hash(data) + content[4 * 32 :])
    sql(home, "UPDATE statements SET envelope = ?, digest = ? WHERE entry = 3", forged, digest.value)
    found = failures(filled)
    head = filled.ledger.head().checkpoint.size
    assert f"checkpoint of size {head}: the tree has another root" in found
    assert any(text.startswith("hash 0 of level 8:") for text in found)


@pytest.mark.parametrize("kind", ["entries", 0])
def test_a_tile_that_is_gone_or_cut_is_a_finding(filled, home, kind):
    path = tile(home, kind, 0)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert failures(filled)
    path.unlink()
    assert any("missing" in text for text in failures(filled))


# Numbers of tenants


def test_a_statement_filed_under_another_tenant_is_named(filled, home):
    sql(home, "UPDATE statements SET tenant = 'other' WHERE entry = 12")
    assert failures(filled) == (f"entry 12: the database files it under tenant other, its statement names {TENANT}",)


def test_a_number_that_was_changed_in_the_database_is_named(filled, home):
    sql(home, "UPDATE statements SET tenant_sequence = 90 WHERE entry = 12")
    assert failures(filled) == ("entry 12: the database says that it is number 90, the log 13",)


def test_another_salt_is_found_at_once(filled, home):
    sql(home, "UPDATE log_tenants SET salt = ?", bytes(32))
    found = failures(filled)
    assert len(found) == filled.ledger.head().checkpoint.size
    assert found[0] == f"entry 0: it is numbered among the statements of another tenant than {TENANT}"


def chain_of(*places):
    """Audit a log whose host put these numbers into its entries; None: an entry of version 1."""
    log = LabLog()
    while len(log.entries) < len(places):
        log.state("log.heartbeat", {"gaps": 0}, by="control")
    log.places = {index: _place(log, place) for index, place in enumerate(places)}
    rows = [
        Kept(Filed(index, at, envelope.digest, log.tenant, place if type(place) is int else None), envelope.data)
        for index, ((at, envelope, _), place) in enumerate(zip(log.entries, places, strict=True))
    ]
    leaves = [entry.encode(at, envelope.digest, log.place(i)) for i, (at, envelope, _) in enumerate(log.entries)]
    head, tags = log.head(), {log.tenant: entry.tenant_tag(log.tenant_salt(), log.tenant)}
    stored = Stored(leaves, rows, tags, [head], head.note.encode(), log._reader())
    return audit_chain(LogKeys(log.origin, log.log_keys), head, stored)


def _place(log, place):
    if place is None:
        return None
    number, tenant = place if isinstance(place, tuple) else (place, log.tenant)
    return entry.Place(entry.tenant_tag(log.tenant_salt(tenant), tenant), number)


def test_an_older_log_goes_on_with_numbers():
    found = chain_of(None, None, None, 4, 5)
    assert (found.failures, found.entries, found.tenants) == ((), 5, 1)


@pytest.mark.parametrize(
    ("places", "says"),
    [
        ((1, 2, 3, 5), "entry 3: it is number 5 of its tenant and follows number 3"),
        ((1, 2, 3, 3), "entry 3: it is number 3 of its tenant and follows number 3"),
        ((2, 3, 4, 5), "entry 0: it is number 2 of its tenant and follows number 0"),
        ((None, None, None, 1), "entry 3: it is number 1 of its tenant and follows number 3"),
        ((1, 2, 3, None), "entry 3: an entry of version 1 stands behind one of version 2"),
    ],
)
def test_a_log_whose_host_numbers_it_otherwise_is_named(places, says):
    assert chain_of(*places).failures == (says,)


def test_a_statement_numbered_among_those_of_another_tenant_is_named():
    found = chain_of(1, 2, 3, (1, Tenant("other")))
    assert "entry 3: it is numbered among the statements of another tenant than acme" in found.failures


def test_a_damaged_log_is_read_to_its_end_and_its_damage_bounded(filled, home):
    sql_all(home, "DELETE FROM statements WHERE entry > 3")
    found = filled.ledger.audit()
    assert found.entries == found.size
    assert len(found.failures) == found.size - 4


def test_the_outcome_is_stated_and_names_the_failures_in_the_side_record(filled, home):
    sql(home, "UPDATE statements SET envelope = envelope || ' ' WHERE entry = 7")
    audit = filled.ledger.audit()
    stated = chain_verified(TENANT, audit, sources=3)
    assert stated.claims["failures"] == 1
    assert stated.claims["size"] == audit.size
    assert stated.details == {"failures": list(audit.failures)}
    assert stated.strength is Strength.OBSERVED


def test_a_heartbeat_counts_gaps(filled):
    statements = filled.ledger.statements(TENANT)
    head = filled.ledger.head()
    whole = heartbeat(TENANT, statements, head).claims
    assert (whole["gaps"], whole["unexplained"], whole["late"]) == (0, 0, 0)
    assert whole["statements"] == len(statements)
    own = [s for s in statements if s.envelope.signer == filled.outbox.signer.key]
    rest = [s for s in statements if s not in (own[0], own[5])]  # the first and one in the middle
    assert heartbeat(TENANT, rest, head).claims["gaps"] == 2
