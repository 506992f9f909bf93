"""Anchoring against witnesses that are there, away, lying, or hold more than we do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.errors import NotFound
from ringfence.kernel.evidence import Stage
from ringfence.kernel.identifier import Tenant
from ringfence.ledger import tree
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness, Reply
from ringfence.ledger.anchoring.service import WITNESS_CONFLICT, Anchoring
from ringfence.ledger.custody import anchored_until
from ringfence.ledger.model import Checkpoint
from ringfence.testing.anchors import FakeRemote, LabAuthority, cosigned_by, witness_keys, witnessing
from ringfence.testing.home import TENANT, draft, signed

ONE, TWO = "https://one.example", "https://two.example"


def asked(url: str, seed: int, party: str) -> AskedWitness:
    keys = witness_keys(f"w.example/{seed}", seed)
    return AskedWitness(keys[0].public.name, tuple(str(key.public) for key in keys), url, party)


@pytest.fixture
def remote() -> FakeRemote:
    return FakeRemote()


@pytest.fixture
def anchoring(services, remote) -> Anchoring:
    services.ledger.integrate()
    return replace(services.anchored.service, remote=remote)


def watch(anchoring, remote, url=ONE, seed=41, party="Auditor", quorum=None):
    witness = witnessing(anchoring.trust.log_keys, anchoring.clock, name=f"w.example/{seed}", seed=seed)
    remote.serve(url, witness)
    with anchoring.transaction():
        anchoring.rows.put_witness(asked(url, seed, party))
        if quorum is not None:
            anchoring.rows.put_quorum(quorum)
    return witness


def grow(services, home) -> int:
    envelope, opening = signed(services, home.people[Role.OWNER], draft())
    with services.database.transaction():
        services.outbox.admit(envelope, opening, by=home.actor())
    entry = services.ledger.published(envelope.digest).entry
    assert entry is not None
    return entry


def test_a_head_is_cosigned_and_what_it_covers_is_witnessed(services, home, anchoring, remote, clock) -> None:
    watch(anchoring, remote, quorum=1)
    entry = grow(services, home)
    assert anchoring.stage(TENANT, entry).stage is Stage.PUBLISHED
    anchoring.turn()
    assert anchoring.stage(TENANT, entry).stage is Stage.WITNESSED
    (head,) = anchoring.heads()
    assert [each.party for each in head.judged.cosigned] == ["Auditor", "Auditor"]
    assert anchored_until([head]) == head.head.signed_at
    assert services.ledger.anchors(head.head.checkpoint.size) == head.anchors
    assert services.ledger.anchored() == [head.head.checkpoint.size]
    later = grow(services, home)
    assert anchoring.stage(TENANT, later).stage is Stage.PUBLISHED
    clock.advance(timedelta(seconds=10))
    anchoring.turn()
    assert anchoring.stage(TENANT, later).stage is Stage.WITNESSED


def test_an_entry_is_vouched_for_since_the_first_head_that_covers_it(services, home, anchoring, remote, clock) -> None:
    watch(anchoring, remote)
    anchoring.turn()
    first = clock.now()
    clock.advance(timedelta(hours=2))
    entry = grow(services, home)
    anchoring.turn()
    assert anchoring.vouched(0) == first
    assert anchoring.vouched(entry) == clock.now()
    assert anchoring.vouched(entry + 1) is None


def test_another_party_is_seen_behind_many_heads_that_the_operator_cosigned(
    services, home, anchoring, remote, clock
) -> None:
    watch(anchoring, remote, url=ONE, seed=41, party="operator")
    other = watch(anchoring, remote, url=TWO, seed=42, party="Auditor")
    del remote.witnesses[TWO]
    entry = grow(services, home)
    for _ in range(52):
        grow(services, home)
        clock.advance(timedelta(hours=1))
        anchoring.turn()
    remote.serve(TWO, other)
    clock.advance(timedelta(hours=1))
    anchoring.turn()
    since, outside = clock.now(), anchoring.log.head().signed_at
    assert anchoring.vouched(entry) == since
    del remote.witnesses[TWO]
    for _ in range(52):
        grow(services, home)
        clock.advance(timedelta(hours=1))
        anchoring.turn()
    assert anchored_until(anchoring.heads()) == outside


def test_no_more_heads_are_listed_than_asked_for(services, home, anchoring, remote, clock) -> None:
    watch(anchoring, remote, url=ONE, seed=41)
    watch(anchoring, remote, url=TWO, seed=42)
    for url in (ONE, TWO, ONE, TWO):
        kept = remote.witnesses.pop(url)
        grow(services, home)
        clock.advance(timedelta(hours=1))
        anchoring.turn()
        remote.witnesses[url] = kept
    grow(services, home)
    newest = anchoring.log.head().checkpoint.size
    for limit in (1, 2, 3, 4):
        found = [head.head.checkpoint.size for head in anchoring.heads(limit=limit)]
        assert (len(found), found[0]) == (limit, newest)
        assert found == sorted(found, reverse=True)
    every = anchoring.heads()
    assert anchoring.heads(limit=3)[1:] == every[1:3]
    assert anchoring.until() == anchored_until(every) is not None


def test_nobody_learns_of_another_tenants_statement(services, home, anchoring) -> None:
    entry = grow(services, home)
    with pytest.raises(NotFound):
        anchoring.stage(Tenant("other"), entry)


def test_the_operators_own_witness_makes_nothing_witnessed(services, home, anchoring, remote) -> None:
    watch(anchoring, remote, party="operator")
    entry = grow(services, home)
    anchoring.turn()
    (head,) = anchoring.heads()
    assert not any(each.outside for each in head.judged.cosigned)
    assert anchored_until([head]) is None
    assert anchoring.stage(TENANT, entry).stage is Stage.PUBLISHED


def test_each_is_asked_every_ten_seconds_at_the_most(services, home, anchoring, remote, clock) -> None:
    watch(anchoring, remote)
    anchoring.turn()
    grow(services, home)
    anchoring.turn()
    clock.advance(timedelta(seconds=9))
    anchoring.turn()
    assert len(remote.asked) == 1
    clock.advance(timedelta(seconds=1))
    anchoring.turn()
    anchoring.turn()
    assert len(remote.asked) == 2


def test_a_witness_that_is_away_delays_no_other(anchoring, remote, clock) -> None:
    watch(anchoring, remote, ONE, 41)
    watch(anchoring, remote, TWO, 42)
    del remote.witnesses[ONE]
    anchoring.turn()
    first, second = anchoring.rows.witnesses()
    assert "nothing answers" in first.progress.trouble
    assert second.progress.size == anchoring.log.head().checkpoint.size
    remote.serve(ONE, witnessing(anchoring.trust.log_keys, clock, name="w.example/41"))
    clock.advance(timedelta(minutes=1))
    anchoring.turn()
    assert not any(each.progress.trouble for each in anchoring.rows.witnesses())


@pytest.mark.parametrize(
    "lie",
    [
        Reply(200, "text/plain", "yes\n"),
        Reply(200, "text/plain", ""),
        Reply(500, "text/plain", "no"),
        Reply(302, "text/html", ""),
        Reply(409, "text/x.tlog.size", "many\n"),
        Reply(409, "text/plain", "5\n"),
    ],
)
def test_what_is_no_cosignature_is_not_kept(anchoring, remote, lie) -> None:
    watch(anchoring, remote)
    remote.witnesses[ONE] = lambda _: lie
    anchoring.turn()
    (witness,) = anchoring.rows.witnesses()
    assert witness.progress.trouble
    assert anchoring.rows.sizes() == []


def test_a_cosignature_of_another_head_is_not_kept(anchoring, remote, clock) -> None:
    watch(anchoring, remote)
    other = Checkpoint(anchoring.trust.log, 3, bytes(32))
    lines = cosigned_by(witness_keys("w.example/41", 41), other, clock.now())
    remote.witnesses[ONE] = lambda _: Reply(200, "text/plain", "".join(f"{line}\n" for line in lines))
    anchoring.turn()
    assert anchoring.rows.sizes() == []
    assert "does not match" in anchoring.rows.witnesses()[0].progress.trouble


def conflicts(services) -> list[dict[str, object]]:
    found = services.ledger.statements(TENANT, [WITNESS_CONFLICT])
    return [dict(logged.envelope.statement.claims) for logged in found]


def test_a_witness_that_holds_more_than_we_do_is_stated_once(services, anchoring, remote, clock) -> None:
    """The log was restored from a backup together with everything on its machine: only the witness remembers."""
    witness = watch(anchoring, remote)
    size = anchoring.log.head().checkpoint.size
    witness.heads.kept[anchoring.trust.log] = Checkpoint(anchoring.trust.log, size + 100, bytes(32))
    for _ in range(3):
        anchoring.turn()
        services.ledger.integrate()
        clock.advance(timedelta(minutes=2))
    (claims,) = conflicts(services)
    assert claims == {
        "witness": "w.example/41",
        "party": "Auditor",
        "kind": "larger-head",
        "size": size,
        "witnessSize": size + 100,
    }
    assert "rolled back" in anchoring.rows.witnesses()[0].progress.trouble
    assert anchoring.rows.sizes() == []


def test_a_witness_that_names_another_size_each_time_does_not_fill_the_log(services, anchoring, remote, clock) -> None:
    watch(anchoring, remote)
    sizes = iter(range(1000, 2000))
    remote.witnesses[ONE] = lambda _: Reply(409, "text/x.tlog.size", f"{next(sizes)}\n")
    for _ in range(5):
        anchoring.turn()
        services.ledger.integrate()
        clock.advance(timedelta(minutes=2))
    assert [claims["witnessSize"] for claims in conflicts(services)] == [1000]


def test_what_a_quorum_cosigned_stays_witnessed_while_one_of_them_is_away(
    services, home, anchoring, remote, clock
) -> None:
    watch(anchoring, remote, url=ONE, seed=41, party="Auditor")
    watch(anchoring, remote, url=TWO, seed=42, party="Customer", quorum=2)
    entry = grow(services, home)
    anchoring.turn()
    assert anchoring.stage(TENANT, entry).stage is Stage.WITNESSED
    del remote.witnesses[TWO]
    both = anchoring.log.head().checkpoint.size
    for _ in range(4):
        grow(services, home)
        clock.advance(timedelta(minutes=2))
        anchoring.turn()
        assert anchoring.stage(TENANT, entry).stage is Stage.WITNESSED
        assert anchoring.anchored(both).judged.quorum_met  # so that a pack can show it too
    for _ in range(52):  # beyond what is listed
        grow(services, home)
        clock.advance(timedelta(hours=1))
        anchoring.turn()
    assert anchoring.stage(TENANT, entry).stage is Stage.WITNESSED
    assert len(anchoring.rows.sizes(limit=100)) < 60


def test_those_who_cosign_at_different_times_are_a_quorum_for_what_all_of_them_cover(
    services, home, anchoring, remote, clock
) -> None:
    watch(anchoring, remote, url=ONE, seed=41, party="Auditor")
    other = watch(anchoring, remote, url=TWO, seed=42, party="Customer", quorum=2)
    del remote.witnesses[TWO]
    entry = grow(services, home)
    anchoring.turn()
    del remote.witnesses[ONE]
    remote.serve(TWO, other)
    later = grow(services, home)
    clock.advance(timedelta(minutes=2))
    anchoring.turn()
    assert anchoring.stage(TENANT, entry).stage is Stage.WITNESSED
    assert anchoring.stage(TENANT, later).stage is Stage.PUBLISHED


def test_a_rebuilt_log_of_the_same_size_is_stated(services, anchoring, remote) -> None:
    witness = watch(anchoring, remote)
    size = anchoring.log.head().checkpoint.size
    witness.heads.kept[anchoring.trust.log] = Checkpoint(anchoring.trust.log, size, bytes(32))
    anchoring.turn()
    services.ledger.integrate()
    assert [claims["kind"] for claims in conflicts(services)] == ["other-root"]


def test_a_rebuilt_log_that_has_grown_on_is_stated(services, anchoring, remote) -> None:
    witness = watch(anchoring, remote)
    size = anchoring.log.head().checkpoint.size
    witness.heads.kept[anchoring.trust.log] = Checkpoint(anchoring.trust.log, size - 1, bytes(32))
    anchoring.turn()
    services.ledger.integrate()
    assert [claims["kind"] for claims in conflicts(services)] == ["not-a-continuation"]


def test_a_witness_that_knows_less_is_brought_up_to_date(services, home, anchoring, remote, clock) -> None:
    witness = watch(anchoring, remote)
    anchoring.turn()
    earlier = witness.heads.kept[anchoring.trust.log]
    grow(services, home)
    clock.advance(timedelta(minutes=1))
    anchoring.turn()
    witness.heads.kept[anchoring.trust.log] = earlier  # it was restored from a backup, not we
    grow(services, home)
    clock.advance(timedelta(minutes=1))
    anchoring.turn()
    assert not anchoring.rows.witnesses()[0].progress.trouble
    assert witness.heads.kept[anchoring.trust.log].size == anchoring.log.head().checkpoint.size
    assert conflicts(services) == []


def test_without_anybody_to_ask_nothing_is_read(anchoring, remote) -> None:
    anchoring.turn()
    assert remote.asked == []


# Time stamps: openssl stamps with the machine's time, so the home is one of now


@pytest.fixture
def stamping(home_now, remote, tmp_path):
    authority = LabAuthority.make(tmp_path / "tsa")
    remote.authorities[TWO] = authority.answer
    with home_now.services() as services:
        found = replace(services.anchored.service, remote=remote)
        with found.transaction():
            certificate = authority.certificate
            found.rows.put_authority(AskedAuthority(tree.leaf_hash(certificate), certificate, TWO, "Stamps AG"))
        yield found


def test_a_head_is_stamped_with_the_time(stamping) -> None:
    stamping.turn()
    (head,) = stamping.heads()
    assert [(each.authority, each.party) for each in head.judged.stamped] == [("CN=Lab stamps", "Stamps AG")]
    assert anchored_until([head]) is not None


def test_an_authority_that_is_down_is_shown(stamping, remote) -> None:
    del remote.authorities[TWO]
    head = stamping.collect(witnesses=False, timestamps=True)
    assert head.anchors.timestamps == ()
    assert "nothing answers" in stamping.rows.authorities()[0].progress.trouble


def test_a_replayed_answer_is_not_kept(stamping, remote) -> None:
    kept: list[bytes] = []
    answer = remote.authorities[TWO]

    def replayed(request: bytes) -> bytes:
        kept.append(answer(request))
        return kept[0]

    remote.authorities[TWO] = replayed
    first = stamping.collect(witnesses=False, timestamps=True)
    again = stamping.collect(witnesses=False, timestamps=True)
    assert again.anchors == first.anchors
    assert "nonce" in stamping.rows.authorities()[0].progress.trouble


def test_another_policy_than_the_wanted_one_is_not_kept(stamping) -> None:
    (authority,) = stamping.rows.authorities()
    with stamping.transaction():
        stamping.rows.put_authority(replace(authority, policy="1.2.3.4.2"))
    stamping.turn()
    assert stamping.rows.sizes() == []
    assert "policy" in stamping.rows.authorities()[0].progress.trouble


def test_a_stamp_by_somebody_else_is_not_kept(stamping, remote, tmp_path) -> None:
    remote.authorities[TWO] = LabAuthority.make(tmp_path / "other", name="Other").answer
    stamping.turn()
    assert stamping.rows.sizes() == []
    assert "somebody else" in stamping.rows.authorities()[0].progress.trouble


def test_a_stamp_far_from_our_time_is_not_kept(stamping) -> None:
    class Elsewhen:
        def now(self):
            return stamping.clock.now() + timedelta(hours=1)

    elsewhere = replace(stamping, clock=Elsewhen())
    elsewhere.turn()
    assert elsewhere.rows.sizes() == []
    assert "clock" in elsewhere.rows.authorities()[0].progress.trouble
