"""The log's own keys are replaced: by whom, from which head on, and after any kill there is one pair that signs."""

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from ringfence import log_keys
from ringfence.installation import open_home
from ringfence.kernel.errors import NotFound, Refused, Unavailable, UsageError
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import trust as trust_file
from ringfence.ledger.model import Standing
from ringfence.ledger.succession import KEYS_REPLACED, keys_of
from ringfence.log_keys import finish_begun, renew
from ringfence.rotation import Ending, rotate
from ringfence.signing.keyring import LEDGER
from ringfence.signing.mark import MARK, MarkFile
from ringfence.signing.model import Mark
from ringfence.storage import keyfile
from ringfence.storage.replacement import NEXT
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.home import TENANT, observed
from ringfence.testing.tenancy import root_of


@pytest.fixture
def root(home):
    return root_of(home).signer


def stated(services, number):
    with services.database.transaction():
        services.outbox.record(observed(claims={"n": number}), tenant=TENANT)
    return services.ledger.integrate()


SCHEMA = Path(__file__).parents[2] / "docs" / "specs" / "predicates" / "ledger.keys_replaced.schema.json"


class Ticking:
    """A clock that goes on by a millisecond whenever it is read."""

    def __init__(self, clock):
        self.clock = clock

    def now(self):
        return self.clock.advance(timedelta(milliseconds=1))


def service_file(home):
    return keyfile.load(home.path / "keys" / "service.json", None)


@pytest.mark.databases
def test_a_new_pair_signs_from_the_newest_head_on_and_the_whole_log_holds(home, root, clock):
    with home.services(clock) as services:
        before, old = stated(services, 1), services.ledger.log_keys
        held = trust_file.parse((home.path / "trust.json").read_bytes())
    clock.advance(timedelta(minutes=1))
    done = renew(home.settings(), root, "superseded", clock=clock)
    clock.advance(timedelta(minutes=1))
    with home.services(clock) as services:
        after, keys = stated(services, 2), services.ledger.keys()
        assert (keys.first, keys.current, services.ledger.log_keys) == (old, done.pair, done.pair)
        last = keys.successions[0]
        assert (last.size, last.root) == (before.checkpoint.size, before.checkpoint.root)
        assert [keys.open(head.note).checkpoint for head in (before, done.head, after)]
        assert services.ledger.audit().failures == ()
        claims = services.ledger.statements(TENANT, [KEYS_REPLACED])[0].envelope.statement.claims
        jsonschema.validate(dict(claims), json.loads(SCHEMA.read_text(encoding="utf-8")))
        assert {logged.standing for logged in services.ledger.statements(TENANT)} == {Standing.TRUSTED}
        ledgers = [each for each in services.keys.history(TENANT) if each.role is KeyRole.LEDGER]
        assert [(each.state.value, each.reason) for each in ledgers] == [("revoked", "superseded"), ("in force", "")]
    assert not [name for name in service_file(home).secrets if not name.endswith(("plane", "ency", LEDGER, "44"))]
    told = trust_file.parse((home.path / "trust.json").read_bytes())
    assert told.heads[:-1] == held.heads
    assert keys_of(told) == keys
    trust_file.open_heads(told)


def test_it_is_done_again_and_again(home, root, clock):
    pairs = []
    for reason in ("superseded", "compromised"):
        clock.advance(timedelta(minutes=1))
        pairs.append(renew(home.settings(), root, reason, clock=clock).pair)
    with home.services(clock) as services:
        assert services.ledger.keys().pairs[1:] == tuple(pairs)
        assert services.ledger.audit().failures == ()


def test_another_root_replaces_nothing(home, clock):
    before = service_file(home)
    with pytest.raises(UsageError, match="another home"):
        renew(home.settings(), Ed25519Signer.from_seed(bytes(32)), "superseded", clock=clock)
    assert service_file(home) == before


@pytest.mark.parametrize("gone", ["pair", "file"])
def test_lost_keys_are_followed_by_new_ones(home, root, clock, gone):
    path = home.path / "keys" / "service.json"
    with home.services(clock) as services:
        last = stated(services, 1)
        with services.database.transaction():
            services.outbox.record(observed(claims={"n": 2}), tenant=TENANT)  # no head covers it when they are lost
    left = {name: value for name, value in service_file(home).secrets.items() if not name.startswith(LEDGER)}
    path.unlink()
    if gone == "pair":
        keyfile.create(path, left, None)
    with pytest.raises((UsageError, NotFound), match="lost"):
        renew(home.settings(), root, "superseded", clock=clock)
    clock.advance(timedelta(minutes=1))
    renew(home.settings(), root, "lost", clock=Ticking(clock))
    clock.advance(timedelta(minutes=1))
    with home.services(clock) as services:
        stated(services, 3)
        assert services.ledger.keys().successions[0].size == last.checkpoint.size
        assert services.ledger.audit().failures == ()
        assert {logged.standing for logged in services.ledger.statements(TENANT)} == {Standing.TRUSTED}


STEPS = ("begun", "decided", "switched", "signed")


def broken_off(home, root, clock, steps):
    """Do the first steps of a replacement, as a process that is killed behind them."""
    place, settings = open_home(home.path), home.settings()
    held, _ = log_keys._begun(place, "compromised", None)
    if steps > 1:
        log_keys._decide(place, settings, root, held, "compromised", clock)
    if steps > 2:
        log_keys._switched(place, held, None)
    if steps > 3:
        with home.services(clock) as services:
            services.ledger.integrate()


@pytest.mark.parametrize("serves", [False, True], ids=["by a command", "by up"])
@pytest.mark.parametrize("steps", range(1, len(STEPS) + 1), ids=STEPS)
def test_after_any_kill_one_pair_signs_on_and_the_next_call_finishes(home, root, clock, steps, serves):
    with home.services(clock) as services:
        old = services.ledger.log_keys
    broken_off(home, root, clock, steps)
    clock.advance(timedelta(seconds=1))
    if serves:
        assert finish_begun(home.settings()) is (steps == 2)
        in_file = service_file(home).secrets
        assert (LEDGER + NEXT in in_file) is (steps == 1)
    with home.services(clock) as services:
        went_on = stated(services, 1)
        assert (services.ledger.log_keys == old) is (steps == 1)
        assert services.ledger.keys().open(went_on.note)
    clock.advance(timedelta(seconds=1))
    done = renew(home.settings(), root, "compromised", clock=clock)
    assert done.resumed
    with home.services(clock) as services:
        assert services.ledger.keys().pairs == (old, done.pair)
        assert services.ledger.audit().failures == ()
        assert len(services.ledger.statements(TENANT, [KEYS_REPLACED])) == 1
        sizes = [signed.checkpoint.size for signed in services.ledger.checkpoints.all()]
        assert len(set(sizes)) == len(sizes)


def test_a_signer_that_still_has_the_old_pair_signs_nothing_once_the_root_has_spoken(home, root, clock):
    with home.services(clock) as late:
        place = open_home(home.path)
        held, _ = log_keys._begun(place, "compromised", None)
        log_keys._decide(place, home.settings(), root, held, "compromised", clock)
        before = late.ledger.head()
        with pytest.raises(Unavailable, match="were replaced"):
            late.ledger.integrate()
        assert late.ledger.head() == before


def test_where_something_newer_was_signed_nothing_is_replaced(home, root, clock):
    with home.services(clock) as services:
        head = stated(services, 1).checkpoint
    mark = MarkFile(home.path / MARK, head.origin)
    with mark.held():
        mark.put(Mark(head.size + 5, bytes(32), clock.now()))
    mark.close()
    with pytest.raises(Refused, match="older than what was signed"):
        renew(home.settings(), root, "superseded", clock=clock)
    with home.services(clock) as services:
        assert not services.ledger.successions()


def test_a_tenant_is_told_and_one_that_came_later_gets_what_the_logs_own_was_told(home, root, clock):
    renew(home.settings(), root, "superseded", clock=clock)
    with home.services(clock) as services:
        assert [e.statement.issuance.tenant for e in services.ledger.successions(TENANT)] == [TENANT]
        assert services.ledger.successions("another") == services.ledger.successions(TENANT)


def test_other_keys_are_replaced_beside_one_that_was_broken_off(home, root, clock):
    broken_off(home, root, clock, 2)
    clock.advance(timedelta(seconds=1))
    rotate(home.settings(), KeyRole.CONTROL_PLANE, root, Ending(), clock=clock)
    clock.advance(timedelta(seconds=1))
    assert renew(home.settings(), root, "compromised", clock=clock).resumed


def test_a_pair_that_is_lost_before_it_has_signed_is_followed_too(home, root, clock):
    broken_off(home, root, clock, 2)
    (home.path / "keys" / "service.json").unlink()
    clock.advance(timedelta(seconds=1))
    renew(home.settings(), root, "lost", clock=Ticking(clock))
    clock.advance(timedelta(minutes=1))
    with home.services(clock) as services:
        stated(services, 1)
        first, second = services.ledger.keys().successions
        assert (first.size, first.root) == (second.size, second.root)
        assert services.ledger.audit().failures == ()
