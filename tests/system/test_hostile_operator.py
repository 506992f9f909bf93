"""The operator is root and holds every online key. What a stranger with one kept head, or a witness, still catches.

The stranger holds a trust file: the root's fingerprint, the log's keys, and either one head that was handed out, or the
key of a witness that somebody else runs. The attacks are those of grc.md 8; what cannot be caught must be *said*.
"""

import copy
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.entry import Place, tenant_tag
from ringfence.reports.service import compose
from ringfence.reports.verify import NEVER_RECORDED, NO_HEADS, verify
from ringfence.testing.home import observed, signed
from ringfence.testing.ledger import LabLog
from ringfence.testing.misnumbering import SCOPE
from ringfence.testing.tampering import edited

BAD = "finding.raised"
OUTSIDE = {"tower": "University of Example"}


def installation(**changes):
    """A log that took in a bad statement, then others; a head went outside in between."""
    log = LabLog(**changes)
    log.state("dataset.sealed", {"objects": 3})
    log.advance(minutes=1)
    log.state(BAD, {"severity": "high"}, by="control")
    log.advance(minutes=1)
    log.export_head()
    log.cosign("tower")
    log.advance(minutes=1)
    log.state("dataset.opened", {"purpose": "training"})
    log.advance(minutes=1)
    return log


def refused(pack, *trusts):
    """Return every reason, in words; each of the strangers must refuse."""
    said = []
    for trust in trusts:
        outcome = verify(pack, trust)
        assert not outcome.ok, outcome.notices
        said += [str(failure) for failure in outcome.failures]
    return "\n".join(said)


def strangers(log):
    """Who holds one head, and who holds nothing but the key of a witness and asks for its word."""
    return log.trust(), log.trust(heads=(), witnesses=OUTSIDE, quorum=1)


def without(pack, wanted):
    def drop(lines):
        lines[:] = [line for line in lines if not wanted(line)]
        lines[0]["records"] = sum("entry" in line for line in lines)

    return edited(pack, drop)


def is_bad(line):
    return line.get("statement", {}).get("predicateType") == f"urn:ringfence:{BAD}:v1"


# (a) One bad statement is left out of the pack


def test_a_statement_that_is_left_out_is_a_gap():
    log = installation()
    said = refused(without(log.pack(), is_bad), *strangers(log))
    assert "statement 5 is missing or unreadable, as the log numbers this tenant's" in said


def test_not_even_the_last_one_of_its_issuer_can_be_left_out():
    """Version 1 could not tell: nothing followed it in its issuer's numbering, and it came after the count."""
    log = installation()
    reported, preview = log.report()
    log = installation()
    log.state(BAD, {"severity": "high"}, by="control")  # it arrives while the report is being signed
    reported, _ = log.report()
    log.entries[-1] = (*log.entries[-1][:1], *_signed_over(log, preview))
    pack = compose(log, log.trust(heads=()), log.tenant, reported.entry, preview)
    assert verify(pack, log.trust()).ok
    newest = max(json.loads(line)["entry"] for line in pack.splitlines() if is_bad(json.loads(line)))
    said = refused(without(pack, lambda line: is_bad(line) and line["entry"] == newest), *strangers(log))
    assert "is missing or unreadable, as the log numbers this tenant's" in said


def _signed_over(log, preview):
    from ringfence.reports.service import draft_of

    made = draft_of(preview.to_json())
    number = log.entries[-1][1].statement.issuance.sequence
    return log.sign(made.predicate, made.claims, subjects=made.subjects, sequence=number)


def test_nor_can_its_digest_be_left_out_of_a_pack_with_a_scope():
    log = installation()
    pack = log.pack(extent=SCOPE)
    assert verify(pack, log.trust()).outlined == 2
    said = refused(without(pack, lambda line: line.get("tenantSequence") == 5), *strangers(log))
    assert "statement 5 is missing" in said


def test_the_log_without_it_numbered_anew_contradicts_the_head():
    log, other = installation(), LabLog()
    other.state("dataset.sealed", {"objects": 3})
    other.advance(minutes=2)
    other.state("log.heartbeat", {"gaps": 0}, by="control")  # in the place of the bad one
    other.export_head()
    other.state("dataset.opened", {"purpose": "training"})
    other.advance(minutes=2)
    assert "rebuilt or forked" in refused(other.pack(), log.trust())
    assert "cosigned by 1 other parties, as you ask" in refused(other.pack(), strangers(log)[1])


# (b) The tail is cut


def test_a_log_cut_below_the_head_is_refused():
    log, short = installation(), LabLog()
    short.state("dataset.sealed", {"objects": 3})
    short.advance(minutes=5)
    assert "its tail was cut" in refused(short.pack(), replace(log.trust(), heads=(log.head().note,)))
    assert "as you ask" in refused(short.pack(), strangers(log)[1])


# (c) The log is made again


def test_a_log_made_again_with_the_same_keys_is_refused():
    log, again = installation(), installation(now=installation().now)
    said = refused(again.pack(), log.trust())
    assert "rebuilt or forked" in said


def test_a_witness_does_not_cosign_the_log_that_was_made_again():
    """It remembers; so the operator can only move its cosignature, and it is over another tree."""
    log, again = installation(), installation(now=installation().now)
    again.said = {size: log.said[size] for size in log.said}
    said = refused(again.pack(), log.trust(heads=(), witnesses=OUTSIDE, quorum=1))
    assert "does not match the checkpoint" in said
    again.said = {}
    assert "as you ask" in refused(again.pack(), log.trust(heads=(), witnesses=OUTSIDE, quorum=1))


# (d) Back-dating


def test_an_entry_dated_back_stands_out_of_its_order():
    log = installation()
    envelope, opening = log.sign("dataset.sealed", {"objects": 9}, issued_at=log.now - timedelta(minutes=3))
    log.append(envelope, opening, at=log.now - timedelta(minutes=3))
    assert "back-dated" in refused(log.pack(), *strangers(log))


def test_a_statement_signed_with_an_old_date_is_named():
    log = installation()
    log.state("dataset.sealed", {"objects": 9}, issued_at=log.now - timedelta(days=2))
    assert "back-dated: issued" in refused(log.pack(), *strangers(log))


def test_times_changed_in_the_whole_log_contradict_the_head():
    log, moved = installation(), installation()
    moved.entries = [(at - timedelta(hours=1), envelope, opening) for at, envelope, opening in moved.entries]
    moved.said = {}
    assert "rebuilt or forked" in refused(moved.pack(), log.trust())


# (e) An old backup is restored, and the log goes on from there


def test_a_restored_backup_that_went_on_is_refused():
    log = installation()
    backup = copy.deepcopy(log)
    log.state(BAD, {"severity": "critical"}, by="control")
    log.export_head()
    log.cosign("tower")
    backup.advance(minutes=9)
    backup.state("log.heartbeat", {"gaps": 0}, by="control")
    backup.pack()
    assert "rebuilt or forked" in refused(backup.pack(), replace(log.trust(), heads=(log.heads[-1].note,)))


def test_the_real_log_restored_from_a_backup_is_refused_by_who_holds_a_head(home, tmp_path, clock):
    """Everything is restored, the log directory too, so that the installation itself cannot know it."""
    backup = home.copy(tmp_path / "backup")
    with home.services(clock) as services:
        with services.database.transaction():
            services.outbox.record(observed(claims={"bad": True}), tenant=services.home.tenant)
        services.ledger.integrate()
        kept = services.ledger.head()
    with backup.services(clock) as services:
        for number in range(2):
            with services.database.transaction():
                services.outbox.record(observed(claims={"n": number}), tenant=services.home.tenant)
            services.ledger.integrate()
        pack, trust = _exported(services, backup)
        assert verify(pack, trust).ok  # alone it is a good log: nothing in it tells
    said = refused(pack, replace(trust, heads=(kept.note,)))
    assert "rebuilt or forked" in said


def _exported(services, home):
    from ringfence.kernel.actor import Role
    from ringfence.reports.service import draft_of

    preview = services.packs.preview(services.home.tenant)
    envelope, opening = signed(services, home.people[Role.OWNER], draft_of(preview.to_json()))
    return services.packs.issue(envelope, opening, by=home.actor(Role.OWNER)), services.packs.trust


# (f) The keys that the reader is to trust are exchanged


def test_other_keys_than_those_trusted_are_refused():
    log, stranger = installation(), installation(seed="stranger")
    said = refused(stranger.pack(), log.trust())
    assert "another root key" in said
    assert "other keys than those you trust" in said


def test_a_header_that_names_the_trusted_keys_over_another_log_is_refused():
    log, stranger = installation(), installation(seed="stranger")
    ours = json.loads(log.pack().splitlines()[0])

    def swap(lines):
        lines[0] |= {"root": ours["root"], "logKeys": ours["logKeys"]}

    assert "the head of the log" in refused(edited(stranger.pack(), swap), log.trust())


# (g) A statement is presented as another tenant's


def test_another_tenants_statement_is_refused():
    log, other = installation(), Tenant("other")
    log.enrol("theirs", KeyRole.OPERATOR, tenant=other)
    log.state("dataset.sealed", {"objects": 1}, by="theirs", tenant=other)
    theirs = len(log.entries) - 1
    reported, preview = log.report()
    pack = compose(log, log.trust(heads=()), log.tenant, reported.entry, preview)
    assert verify(pack, log.trust()).ok
    foreign = compose(log, log.trust(heads=()), other, theirs, preview).splitlines()[2]

    def insert(lines):
        lines.insert(lines[0]["records"], json.loads(foreign))
        lines[0]["records"] += 1

    said = refused(edited(pack, insert), *strangers(log))
    assert "belongs to tenant other" in said
    assert "does not lead" in said  # the log's entry bears the other tenant's tag


def test_a_statement_logged_under_another_tenants_number_is_a_gap_in_its_own():
    """The host may write any number into a new entry; then one is missing here, or stands twice there."""
    log, other = installation(), Tenant("other")
    moved = log.state(BAD, {"severity": "critical"}, by="control").entry
    log.places[moved] = Place(tenant_tag(log.tenant_salt(other), other), 1)
    pack = without(log.pack(), lambda line: line.get("entry") == moved)
    assert "is missing" in refused(pack, *strangers(log))


# (h) The numbers are changed


def test_numbers_cannot_be_changed_once_a_head_went_outside():
    log = installation()
    renumbered = copy.deepcopy(log)
    hidden = next(index for index, (_, e, _) in enumerate(log.entries) if e.statement.predicate == BAD)
    for index in range(hidden, len(log.entries) + 2):
        tag = tenant_tag(log.tenant_salt(), log.tenant)
        renumbered.places[index] = Place(tag, max(index, 1)) if index > hidden else Place(tag, 99)
    pack = without(renumbered.pack(), is_bad)
    said = refused(pack, *strangers(log))
    assert "rebuilt or forked" in said


# What nobody can catch is said


def test_what_was_never_recorded_is_said_to_be_open():
    log = installation()
    outcome = verify(log.pack(), log.trust())
    assert outcome.ok
    assert NEVER_RECORDED in outcome.notices
    assert "never recorded at all" in NEVER_RECORDED
    assert "before its next head goes outside" in NEVER_RECORDED


def test_the_end_of_the_log_can_be_changed_until_the_next_head_goes_outside_and_the_notice_says_up_to_where():
    log, cut = installation(), installation()
    log.state(BAD, {"severity": "critical"}, by="control")  # after the head: a log without it is as good
    cut.state("log.heartbeat", {"gaps": 0}, by="control")
    outcome = verify(cut.pack(), log.trust())
    assert outcome.ok
    assert any(
        notice.startswith("anchored outside: the 5 entries below the head signed at 2026-11-22T01:04:03.000Z")
        for notice in outcome.notices
    )


def test_without_a_head_and_without_a_witness_a_rebuilt_log_is_good_and_the_notice_says_so():
    again = installation(now=installation().now)
    outcome = verify(again.pack(), again.trust(heads=()))
    assert outcome.ok
    assert NO_HEADS in outcome.notices
    assert "rebuild or rollback not excluded" in NO_HEADS


def test_a_witness_of_the_operators_counts_as_the_operator():
    log = installation()
    outcome = verify(log.pack(), log.trust(heads=(), witnesses={"tower": "operator"}))
    assert outcome.ok
    assert NO_HEADS in outcome.notices
    assert any("that counts as the operator" in notice for notice in outcome.notices)


def test_a_foreign_witness_bounds_the_log_and_is_named():
    log = installation()
    outcome = verify(log.pack(), strangers(log)[1])
    assert outcome.ok
    assert NO_HEADS not in outcome.notices
    said = [notice for notice in outcome.notices if "University of Example" in notice]
    assert len(said) == 1
    assert said[0].startswith("anchored outside until 2026-11-22T01:04:03.000Z: the head of size 6")


class SecondBook(LabLog):
    """A log whose operator begins to number its one tenant a second time, and shows that book only."""

    begins = 0

    def tenant_salt(self, tenant=None):
        return bytes(32) if self.begins else super().tenant_salt(tenant)

    def statements(self, tenant=None, predicates=None, *, at=None):
        return [each for each in super().statements(tenant, predicates, at=at) if each.entry >= self.begins]

    def place(self, index):
        if not self.begins or index < self.begins:
            return super().place(index)
        return Place(tenant_tag(self.tenant_salt(), self.tenant), index - self.begins + 1)


@pytest.mark.parametrize(("hours", "pins", "open_to_it"), [(1, True, False), (1, False, True), (25, False, False)])
def test_a_second_book_of_the_same_tenant_is_refused_and_in_older_logs_said_to_be_open(hours, pins, open_to_it):
    log = SecondBook(pins=pins)
    log.state(BAD, {"severity": "high"}, by="control", sequence=1)  # the first book holds it, the second does not
    log.export_head(by="control")
    log.places.update({index: log.place(index) for index in range(len(log.entries))})
    enrolments, log._counts = [envelope for _, envelope, _ in log.entries[:3]], {}
    log.advance(hours=hours)
    log.begins = len(log.entries)
    for envelope in enrolments:  # the root signed them once; in older logs nothing says for which book
        log.append(envelope)
    log.state("log.heartbeat", {"gaps": 0}, by="control", sequence=1)
    log.advance(minutes=1)
    outcome = verify(log.pack(sizes=(4,)), log.trust())
    assert outcome.ok is open_to_it, outcome.failures
    assert not any(each.envelope.statement.predicate == BAD for each in outcome.statements)
    assert any("tenantSalt" in notice for notice in outcome.notices) is not pins
    assert any("this is a second book" in str(failure) for failure in outcome.failures) is pins


def test_entries_without_numbers_hide_the_last_one_of_an_issuer_and_are_said_to():
    def log():
        made = LabLog(unnumbered=10**6)  # nothing keeps an operator from beginning a log as older versions did
        made.state("dataset.sealed", {"objects": 3})
        made.state(BAD, {"severity": "high"}, by="control")
        return made

    short = without(log().pack(), is_bad)
    honest, fewer = log(), log()
    assert not verify(short, honest.trust()).ok  # the report counts what the pack holds
    shown = fewer.statements
    fewer.statements = lambda *a, **k: [each for each in shown(*a, **k) if each.envelope.statement.predicate != BAD]
    outcome = verify(fewer.pack(), fewer.trust())
    assert outcome.ok, outcome.failures
    assert any("5 of 5 records bear no number" in notice for notice in outcome.notices)
    assert not any(
        "bear no number" in notice for notice in verify(installation().pack(), installation().trust()).notices
    )
