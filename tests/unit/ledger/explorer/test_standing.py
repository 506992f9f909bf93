"""Standing as windows in time: never another verdict than the fold's own."""

from datetime import timedelta
from itertools import product

import pytest

from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.explorer.model import UNTRUSTED, Query
from ringfence.ledger.explorer.standing import MAX_KEYS, STANDINGS, actor, resolve, windows_of
from ringfence.ledger.issuers import fold
from ringfence.ledger.model import Standing, Vouched
from ringfence.testing.ledger import PERSON, LabLog


def issuers(log):
    """Return the keys of a log of which another party vouched for the first seven entries before anything ended."""
    logged = [(at, envelope, entry) for entry, (at, envelope, _) in enumerate(log.entries)]
    return fold(logged, log.public("root")).proven(lambda when: Vouched(15, "Auditor", when))


@pytest.fixture
def log():
    """Keys of every fate: in force, not yet valid, expired, revoked, compromised, and enrolled by such ones."""
    log = LabLog()
    now = log.now
    log.enrol("later", KeyRole.OPERATOR, valid_from=now + timedelta(days=2))
    log.enrol("short", KeyRole.OPERATOR, valid_until=now + timedelta(days=1))
    log.enrol("lost", KeyRole.OPERATOR)
    log.enrol("never", KeyRole.OPERATOR, valid_from=now + timedelta(days=5))
    log.enrol("anna", KeyRole.OPERATOR)
    log.enrol("bert", KeyRole.OPERATOR)
    log.enrol("carl", KeyRole.OPERATOR)
    log.enrol_passkey("of-anna", by="anna")
    log.enrol_passkey("of-that", by="of-anna")
    log.enrol_passkey("of-carl", by="carl")
    log.advance(hours=12)
    log.enrol_passkey("of-bert", by="bert")
    log.advance(days=1)
    log.revoke("anna")
    log.revoke("bert", at=now + timedelta(hours=3))
    log.revoke("carl", reason="lost")
    log.revoke("lost", at=now + timedelta(hours=3), reason="lost")
    log.revoke("never")
    log.revoke("short")
    return log


@pytest.mark.parametrize("standing", sorted(STANDINGS))
def test_windows_say_what_the_fold_says_at_every_time(log, standing):
    known, start = issuers(log), log.entries[0][0]
    windows = windows_of(standing, known)
    named = ("root", "ops", "control", "later", "short", "lost", "never", "stranger", "anna", "bert", *log.passkeys)
    seen = set()
    for name, hours, entry in product(named, range(-6, 200, 3), (6, 7, 14, 15)):
        at, key = start + timedelta(hours=hours), log.key_id(name)
        real = known.at(key, at, entry)[0]
        wanted = real is not Standing.TRUSTED if standing == UNTRUSTED else real.value == standing
        assert windows.holds(key, at, entry) is wanted, (name, hours, real)
        seen.add(real)
    assert seen == set(Standing)


def test_an_actor_is_a_role_a_person_or_a_key(log):
    known = issuers(log)
    assert actor("control-plane", known) == {log.key_id("control")}
    assert log.key_id("ops") in actor(PERSON, known)
    assert actor(log.key_id("ops")[:8], known) == {log.key_id("ops")}
    assert actor("person-ffffffffffff", known) == frozenset()


@pytest.mark.parametrize("text", ["ops", "abc1234", "Root", "%", "' OR 1=1", "person-", "f" * 65])
def test_anything_else_is_refused_without_repeating_it(log, text):
    with pytest.raises(MalformedInput, match="an actor is a role") as refused:
        actor(text, issuers(log))
    assert text not in str(refused.value) or len(text) < 8


def test_a_key_that_nobody_enrolled_is_searched_by_its_digits(log):
    asked = resolve(Query(actor="f" * 64), issuers(log))
    assert (asked.keys, asked.beginning) == (None, "f" * 64)


def test_more_keys_than_one_search_compares_are_refused(log):
    for number in range(MAX_KEYS + 1):
        log.enrol(f"many-{number}", KeyRole.OPERATOR)
    with pytest.raises(UsageError, match="name a person or a key"):
        resolve(Query(standing="trusted"), issuers(log))
    assert resolve(Query(standing="trusted", actor="control-plane"), issuers(log)).windows is not None
