"""Resolutions in a real installation: who votes, with what, how often; and what nobody can change."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.resolutions.model import Attached, Proposal, Shown
from ringfence.governance.resolutions.statements import APPROVAL, OPENED, VOTED, ended, voted
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, RingfenceError
from ringfence.kernel.statement import Draft, Strength
from ringfence.kernel.voting import Choice, Outcome
from ringfence.obligations.results import State
from ringfence.testing.clock import FakeClock
from ringfence.testing.governing import join, seated, sitting
from ringfence.testing.home import TENANT, signed

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def sat(made_home, tmp_path_factory):
    """An installation with a body of three, whose passkeys are enrolled; and these three."""
    home, clock = made_home.copy(tmp_path_factory.mktemp("sat") / "home"), FakeClock()
    with home.services(clock) as services:
        return home, sitting(services, home, 3).members


@pytest.fixture
def home(sat, tmp_path):
    return sat[0].copy(tmp_path / "home")


@pytest.fixture
def body(sat, services, home):
    return seated(sat[1], services, home)


def stated(services, predicate):
    services.ledger.integrate()
    return services.ledger.statements(TENANT, (predicate,))


def rule(services, name):
    board = services.status.board(TENANT)
    parts = next(one for one in board.controls if one.control.id == "GOV-05").requirements
    return next(one.verdict for one in parts if one.requirement.id == name)


def test_every_vote_is_a_statement_and_the_last_one_ends_it(services, body):
    put = body.put()
    for member in body.members:
        body.vote(put, member, Choice.AGREE)
    ended = body.one(put)
    assert ended.closing.outcome is Outcome.APPROVED
    (decision,) = stated(services, APPROVAL)
    claims, votes = decision.envelope.statement.claims, stated(services, VOTED)
    assert claims["votes"] == sorted(str(vote.envelope.digest) for vote in votes)
    assert claims["opening"] == str(stated(services, OPENED)[0].envelope.digest)
    assert (claims["members"], claims["inFavour"], claims["youngKeys"]) == (3, 3, 3)
    assert {vote.issuer.person for vote in votes} == {member.person.id for member in body.members}


def test_the_control_is_met_by_what_the_members_signed(services, body):
    put = body.put()
    for member in body.members[:2]:
        body.vote(put, member, Choice.AGREE)
    assert rule(services, "gov-05.approval").state is State.NOT_SATISFIED
    body.vote(put, body.members[2], Choice.DISAGREE)
    services.ledger.integrate()
    for name in ("approval", "oversight", "votes", "resolution", "current"):
        assert rule(services, f"gov-05.{name}").state is State.SATISFIED, name


def test_a_service_by_itself_decides_nothing(services, body):
    """The statement of an approval that nobody voted for, signed by the control plane's own key."""
    put = body.put()
    with services.ledger.publishable():
        forged = replace(put, votes={})
        draft = ended(forged, Outcome.APPROVED, services.clock.now(), young=0, later_versions=0, incidents=0)
        votes = {"inFavour": 3, "voted": 3, "votes": [str(Digest.of(b"1"))]}
        services.outbox.record(replace(draft, claims=dict(draft.claims) | votes), tenant=TENANT)
    services.ledger.integrate()
    found = rule(services, "gov-05.approval")
    assert found.state is State.NOT_SATISFIED
    assert "counted otherwise" in found.because


def test_dissent_is_kept_with_its_sentence(services, body):
    put = body.put()
    with pytest.raises(MalformedInput, match="dissent"):
        body.vote(put, body.members[0], Choice.DISAGREE, sentence="")
    body.vote(put, body.members[0], Choice.DISAGREE, sentence="The budget does not cover it.")
    told = services.governing.told(TENANT, [body.one(put)])[put.id]
    assert told.sentences == {body.members[0].person.id: "The budget does not cover it."}
    assert "budget" not in str(stated(services, VOTED)[0].envelope.statement.claims)


class TestWhoVotes:
    def test_nobody_who_is_not_named(self, services, body):
        put = body.put(members=tuple(one.person.id for one in body.members[:2]))
        with pytest.raises(Refused, match="only the members"):
            body.vote(put, body.members[2], Choice.AGREE)
        assert put.terms.eligible == 3
        assert stated(services, VOTED) == []

    def test_no_owner_for_the_body(self, services, home, body):
        put = body.put()
        draft = voted(put.id, put.opening, Choice.AGREE)
        with pytest.raises(Refused, match="does not permit"):
            services.acting.desk.prepare(home.actor(), draft, put.id)
        envelope, opening = signed(services, home.people[Role.OWNER], draft)
        with pytest.raises(Refused, match="only the members"):
            services.governing.vote(home.actor(), put.id, envelope, opening)

    def test_no_member_with_a_key_in_a_file(self, services, body):
        put, member = body.put(), body.members[0]
        envelope, opening = signed(services, member.person, voted(put.id, put.opening, Choice.AGREE))
        with pytest.raises(Refused, match="passkey"):
            services.governing.vote(member.actor, put.id, envelope, opening)
        assert body.one(put).votes == {}
        assert stated(services, VOTED) == []

    def test_nobody_in_the_name_of_another(self, services, body):
        put, (anna, bert, _) = body.put(), body.members
        envelope, opening = signed(services, bert.person, voted(put.id, put.opening, Choice.AGREE))
        with pytest.raises(Refused, match="signed it"):
            services.governing.vote(anna.actor, put.id, envelope, opening)

    def test_nobody_who_was_removed(self, services, home, body):
        put, gone = body.put(), body.members[1]
        act = services.acting.desk.prepare(gone.actor, voted(put.id, put.opening, Choice.AGREE), put.id)
        services.identity.remove(gone.person.id, by=home.actor(), left_at=None, reason="left")
        services.ledger.integrate()
        with pytest.raises(RingfenceError):
            body.vote(put, gone, Choice.AGREE)
        envelope, opening = signed(services, gone.person, act.draft)
        with pytest.raises(Refused, match="any more"):
            services.governing.vote(gone.actor, put.id, envelope, opening)

    def test_a_vote_stays_when_its_member_leaves_and_the_quorum_counts_those_named(self, services, home, clock, body):
        put = body.put(quorum=3)
        anna, bert, carl = body.members
        body.vote(put, bert, Choice.AGREE)
        services.ledger.integrate()
        clock.advance(DAY)
        services.identity.remove(bert.person.id, by=home.actor(), left_at=None, reason="left")
        services.ledger.integrate()
        body.vote(put, anna, Choice.AGREE)
        body.vote(put, carl, Choice.AGREE)
        claims = stated(services, APPROVAL)[0].envelope.statement.claims
        assert (claims["members"], claims["inFavour"], claims["outcome"]) == (3, 3, "approved")
        assert rule(services, "gov-05.approval").state is State.SATISFIED


class TestOneMemberOneVote:
    def test_a_second_vote_is_refused_unless_it_corrects_the_first(self, services, body):
        put, member = body.put(), body.members[0]
        body.vote(put, member, Choice.AGREE)
        with pytest.raises(Conflict, match="one vote"):
            body.vote(put, member, Choice.AGREE, corrects=None)
        with pytest.raises(Conflict, match="does not stand"):
            body.vote(put, member, Choice.AGREE, corrects=Digest.of(b"another"))
        body.vote(put, member, Choice.ABSTAIN)
        assert [ballot.choice for ballot in body.one(put).votes.values()] == [Choice.ABSTAIN]
        assert len(stated(services, VOTED)) == 2

    def test_of_two_votes_at_once_one_counts(self, services, body):
        put, member, gate = body.put(), body.members[0], threading.Barrier(2)

        def cast(choice):
            gate.wait(10)
            with suppress(RingfenceError):
                body.vote(put, member, choice, corrects=None)
                return True
            return False

        with ThreadPoolExecutor(2) as pool:
            taken = list(pool.map(cast, (Choice.AGREE, Choice.ABSTAIN)))
        assert sum(taken) == len(body.one(put).votes) == len(stated(services, VOTED)) == 1

    def test_a_corrected_vote_counts_as_corrected(self, services, body):
        put = body.put()
        anna, bert, carl = body.members
        body.vote(put, anna, Choice.AGREE)
        body.vote(put, anna, Choice.DISAGREE)
        body.vote(put, bert, Choice.AGREE)
        body.vote(put, carl, Choice.DISAGREE)
        assert body.one(put).closing.outcome is Outcome.REJECTED
        assert rule(services, "gov-05.approval").state is State.NOT_SATISFIED


class TestNothingChangesAfterwards:
    def test_a_vote_on_another_text_is_refused(self, body):
        put, other = body.put(), body.put(text="We approve everything, for ever.")
        with pytest.raises(Refused, match="another text"):
            body.sign(body.members[0], voted(put.id, other.opening, Choice.AGREE), put.id)
        assert body.one(put).votes == {}

    def test_the_same_resolution_is_opened_once(self, services, home, body):
        draft = body.proposed(quorum=3)
        envelope, opening = signed(services, home.people[Role.OWNER], draft)
        services.governing.open(home.actor(), envelope, opening)
        lower = replace(draft, claims=dict(draft.claims) | {"quorum": 1})
        envelope, opening = signed(services, home.people[Role.OWNER], lower)
        with pytest.raises(Conflict, match="open already"):
            services.governing.open(home.actor(), envelope, opening)

    def test_what_has_ended_takes_no_vote_and_ends_once(self, services, home, body):
        put = body.put()
        for member in body.members:
            body.vote(put, member, Choice.AGREE)
        with pytest.raises(Conflict, match="has ended"):
            body.vote(put, body.members[0], Choice.DISAGREE)
        with pytest.raises(Conflict, match="has ended"):
            services.governing.close(home.actor(), put.id)
        assert len(stated(services, APPROVAL)) == 1
        assert len(stated(services, VOTED)) == 3

    def test_a_quorum_that_is_lowered_in_the_decision_does_not_count(self, services, clock, body):
        put = body.put(quorum=3, agreements=3)
        body.vote(put, body.members[0], Choice.AGREE)
        terms = replace(put.terms, rule=replace(put.terms.rule, quorum=1, agreements=1))
        with services.ledger.publishable():
            draft = ended(
                replace(body.one(put), terms=terms),
                Outcome.APPROVED,
                clock.now(),
                young=1,
                later_versions=0,
                incidents=0,
            )
            services.outbox.record(draft, tenant=TENANT)
        services.ledger.integrate()
        found = rule(services, "gov-05.approval")
        assert (found.state, "quorum is another" in found.because) == (State.NOT_SATISFIED, True)


class TestTheEnd:
    def test_it_ends_at_its_date_with_the_votes_that_there_are(self, services, clock, body):
        put = body.put(quorum=2, agreements=2, days=1)
        body.vote(put, body.members[0], Choice.AGREE)
        assert services.governing.sweep() == 0
        clock.advance(DAY)
        with pytest.raises(Conflict, match="has ended"):
            body.vote(put, body.members[1], Choice.AGREE)
        assert services.governing.sweep() == 1
        assert services.governing.sweep() == 0
        assert body.one(put).closing.outcome is Outcome.NO_QUORUM
        assert rule(services, "gov-05.approval").state is State.NOT_SATISFIED

    def test_nobody_ends_it_while_a_missing_vote_can_turn_it(self, services, home, body):
        put = body.put()
        body.vote(put, body.members[0], Choice.AGREE)
        with pytest.raises(Conflict, match="can still turn it"):
            services.governing.close(home.actor(), put.id)
        body.vote(put, body.members[1], Choice.AGREE)
        assert services.governing.close(home.actor(), put.id).closing.outcome is Outcome.APPROVED

    def test_measures_that_changed_meanwhile_are_counted(self, services, body):
        put = body.put(days=1)
        other = replace(services.governing, matters=Changed(services.governing.matters))
        for member in body.members[:2]:
            body.vote(put, member, Choice.AGREE)
        other.close(body.home.actor(), put.id)
        services.ledger.integrate()
        assert stated(services, APPROVAL)[0].envelope.statement.claims["laterVersions"] == 1
        assert rule(services, "gov-05.approval").state is State.NOT_SATISFIED


def test_measures_that_change_after_the_approval_turn_the_control_red(services, body):
    governing = services.governing
    assert governing.watch() == 0
    put = body.put()
    for member in body.members:
        body.vote(put, member, Choice.AGREE)
    services.ledger.integrate()
    assert rule(services, "gov-05.current").state is State.SATISFIED
    assert governing.watch() == 0
    assert governing.approved(TENANT).id == put.id
    other = replace(governing, matters=Changed(governing.matters))
    assert other.watch() == 1
    services.ledger.integrate()
    assert other.watch() == 0
    found = rule(services, "gov-05.current")
    assert (found.state, "changed after the body approved" in found.because) == (State.NOT_SATISFIED, True)
    assert governing.watch() == 1  # what was approved is in force again
    services.ledger.integrate()
    assert rule(services, "gov-05.current").state is State.SATISFIED


class Changed:
    """Matters in which a policy came into force meanwhile, and an incident nobody told the body of."""

    def __init__(self, real):
        self.real = real

    def measures(self, tenant):
        found = self.real.measures(tenant)
        return replace(found, policies=(*found.policies, "backup 2"))

    def significant_incidents(self, _tenant, _since):
        return 1


WRONG = {
    ("headRoot", "0" * 64): "never published",
    ("eligible", 1): "body has changed",
    ("quorum", 9): "quorum and agreements",
    ("endsAt", "2030-01-01T00:00:00.000Z"): "ends after",
    ("endsAt", "2020-01-01T00:00:00.000Z"): "ends after",
    ("about", "everything"): "is about",
    ("about", "ZZZ-99"): "no control",
    ("more", 1): "has the claims",
    ("tasksOverdue", True): "a whole number",
}
WRONG_LISTS = {
    "records": ([str(Digest.of(b"x"))], "not in this log"),
    "members": (["person-000000000000"], "quorum and agreements"),
    "shown": (["everything"], "by words that are known"),
    "files": ([str(Digest.of(b"x"))], "details of a resolution"),
}


class TestOpening:
    def test_only_active_members_of_the_body_are_named(self, home, body):
        with pytest.raises(Refused, match="role management"):
            body.put(members=(home.people[Role.SECURITY].id,))

    def test_a_body_that_changed_meanwhile_is_asked_anew(self, services, home, body):
        envelope, opening = signed(services, home.people[Role.OWNER], body.proposed())
        join(services, home, "Another")
        with pytest.raises(Refused, match="body has changed"):
            services.governing.open(home.actor(), envelope, opening)

    def test_measures_that_changed_meanwhile_are_asked_anew(self, services, home, body):
        envelope, opening = signed(services, home.people[Role.OWNER], body.proposed())
        other = replace(services.governing, matters=Changed(services.governing.matters))
        with pytest.raises(Refused, match="measures in force has changed"):
            other.open(home.actor(), envelope, opening)

    def test_what_it_names_has_to_be_so(self, services, home, body):
        draft = body.proposed()
        wrong = [(dict([change]), says) for change, says in WRONG.items()]
        wrong += [({name: value}, says) for name, (value, says) in WRONG_LISTS.items()]
        for change, says in wrong:
            claims = dict(draft.claims) | change
            envelope, opening = signed(services, home.people[Role.OWNER], replace(draft, claims=claims))
            with pytest.raises(RingfenceError, match=says):
                services.governing.open(home.actor(), envelope, opening)
        assert services.governing.all(TENANT) == []
        assert stated(services, OPENED) == []

    def test_documents_and_records_are_named_by_salted_digests(self, services, body):
        salt = b"s" * 32
        attached = Attached("board.pdf", salt, Digest.of(salt + b"what they saw"))
        services.ledger.integrate()
        put = body.put(files=(attached,), records=(0,))
        told = services.governing.told(TENANT, [put])[put.id]
        assert told.files == ({"name": "board.pdf", "salt": salt.hex(), "digest": str(attached.digest)},)
        assert "board.pdf" not in str(stated(services, OPENED)[0].envelope.statement.claims)
        with pytest.raises(NotFound, match="no statement of this tenant"):
            body.proposed(records=(99999,))

    def test_words_that_cannot_be_kept_are_refused(self, body):
        for change in ({"title": "a\nb"}, {"text": "\x1b[2J"}, {"days": 0}, {"days": 91}, {"tasks_overdue": -1}):
            with pytest.raises(MalformedInput):
                body.proposed(**change)

    def test_without_words_there_are_ours(self, body):
        ours = body.proposed(title="", text="").details
        assert "approves the cybersecurity risk-management measures in force" in ours["text"]
        of_control = body.proposed(title="", text="", about="BCM-05").details
        assert of_control["title"].startswith("Approval of BCM-05")
        assert "does not change that status" in of_control["text"]

    def test_nobody_of_the_role_is_said_so(self, services, home, body):
        for member in body.members:
            services.identity.remove(member.person.id, by=home.actor(), left_at=None, reason="left")
        with pytest.raises(Refused, match="nobody here has the role"):
            services.governing.propose(home.actor(), Proposal("measures", "t", "x"))


def test_a_resolution_on_a_control_leaves_its_status_alone(services, body):
    before = rule(services, "gov-05.approval")
    put = body.put(about="BCM-05")
    for member in body.members:
        body.vote(put, member, Choice.AGREE)
    services.ledger.integrate()
    (decision,) = stated(services, APPROVAL)
    assert decision.envelope.statement.subjects[0].name == "control/BCM-05"
    assert rule(services, "gov-05.approval") == before


def test_incidents_that_the_body_was_not_told_of_are_counted(services, body):
    other = replace(services.governing, matters=Untold(services.governing.matters))
    for shown, since in ((frozenset(), None), (frozenset({Shown.INCIDENTS}), "opened")):
        put = body.put(shown=shown, days=1, quorum=1, agreements=1, members=(body.members[0].person.id,))
        body.services.clock.advance(DAY)
        other.close(body.home.actor(), put.id)
        assert other.matters.asked[-1] == (put.opened_at if since else None)


class Untold(Changed):
    """Matters that keep since when they were asked about."""

    asked: list = []  # noqa: RUF012

    def measures(self, tenant):
        return self.real.measures(tenant)

    def significant_incidents(self, _tenant, since):
        self.asked.append(since)
        return 2


def test_another_tenants_resolutions_are_not_found(services, body):
    put = body.put()
    stranger = Person(body.members[0].person.id, "other", Role.MANAGEMENT)
    with pytest.raises(NotFound):
        services.governing.one("other", put.id)
    with pytest.raises(NotFound):
        services.governing.close(stranger, put.id)


def test_what_else_is_signed_is_no_vote(services, body):
    put, member = body.put(), body.members[0]
    good = voted(put.id, put.opening, Choice.AGREE)
    for claims in ({"choice": "yes"}, {"more": 1}, {"opening": "x"}, {"resolution": "x"}):
        envelope, opening = signed(services, member.person, replace(good, claims=dict(good.claims) | claims))
        with pytest.raises(MalformedInput):
            services.governing.vote(member.actor, put.id, envelope, opening)
    elsewhere = Draft(VOTED, body.proposed().subjects, good.claims, Strength.DOCUMENTED)
    envelope, opening = signed(services, member.person, elsewhere)
    with pytest.raises(MalformedInput):
        services.governing.vote(member.actor, put.id, envelope, opening)
