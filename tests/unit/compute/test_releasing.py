from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.compute import statements
from ringfence.compute.model import Containment, ReleaseState
from ringfence.kernel.commitment import commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, Unavailable
from ringfence.testing.nodes import ANNA, BERT, TENANT, World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def compute(world):
    return world.compute()


@pytest.fixture
def node(world, compute):
    made = world.ready(compute)
    compute.quarantine(TENANT, made.id, reason="tried", finding="f-1")
    return made


def approve(world, compute, node, request, *, by=BERT):
    return compute.releasing.approve(by, "alpha", world.approval(node, request, by=by), None)


def test_two_people_give_back_exactly_what_was_there(world, compute, node):
    request = world.request(compute, node)
    done = approve(world, compute, node, request.digest)
    assert (done.state, done.asked_by, done.approved_by) == (ReleaseState.RELEASED, ANNA.id, BERT.id)
    assert world.provider.ports[node.id].policy == "admitted"
    assert world.half_open() == []
    (claims,) = world.claims("quarantine.released")
    assert claims["request"] == str(request.digest)
    assert claims["before"] == world.claims("quarantine.confirmed")[0]["before"]
    assert claims["bootstrap"] is False


def test_a_release_in_the_first_day_says_that_it_is_one(world, compute, node):
    world.credential_age, world.established = timedelta(hours=1), 1
    assert approve(world, compute, node, world.request(compute, node).digest).state is ReleaseState.RELEASED
    assert world.claims("quarantine.released")[0]["bootstrap"] is True


class TestRefused:
    def test_the_same_person_twice(self, world, compute, node):
        request = world.request(compute, node)
        with pytest.raises(Refused):
            approve(world, compute, node, request.digest, by=ANNA)
        assert world.provider.isolated() == {node.id}

    @pytest.mark.parametrize("lost", [ANNA, BERT])
    def test_one_who_may_not_release_any_more(self, world, compute, node, lost):
        request = world.request(compute, node)
        world.releasers.discard(lost.id)
        with pytest.raises(Refused, match="may not release"):
            approve(world, compute, node, request.digest)

    @pytest.mark.parametrize(("person", "enroller"), [(ANNA, BERT), (BERT, ANNA)])
    def test_one_whom_the_other_enrolled(self, world, compute, node, person, enroller):
        request = world.request(compute, node)
        world.enrolled[person.id] = enroller.id
        with pytest.raises(Refused, match="enrolled"):
            approve(world, compute, node, request.digest)

    def test_one_whose_credential_is_younger_than_a_day_where_others_have_older_ones(self, world, compute, node):
        world.credential_age = timedelta(hours=24) - timedelta(milliseconds=1)
        request = world.request(compute, node)
        with pytest.raises(Refused, match="younger than 24 hours"):
            approve(world, compute, node, request.digest)
        assert world.rows["releases"][request.digest].state is ReleaseState.ASKED
        assert world.claims("quarantine.release_approved") == []

    def test_a_day_later(self, world, compute, node):
        request = world.request(compute, node)
        world.clock.advance(timedelta(hours=24, milliseconds=1))
        with pytest.raises(Refused, match="24 hours"):
            approve(world, compute, node, request.digest)

    def test_an_approval_that_says_anything_else(self, world, compute, node):
        request = world.request(compute, node)
        row = world.row(node)
        right = statements.release_approval(row.id, row.subject, 1, request.digest)
        for claims in ({"number": 2}, {"node": "n-ffffffff"}, {"more": 1}):
            envelope, _ = world.signed(replace(right, claims=dict(right.claims) | claims), BERT)
            with pytest.raises(MalformedInput):
                compute.releasing.approve(BERT, "alpha", envelope, None)
        assert world.provider.isolated() == {node.id}

    def test_a_request_that_nobody_made(self, world, compute, node):
        with pytest.raises(Refused):
            approve(world, compute, node, Digest.of(b"made up"))

    def test_an_approval_that_is_replayed_after_a_new_quarantine(self, world, compute, node):
        request = world.request(compute, node)
        approval = world.approval(node, request.digest)
        compute.releasing.approve(BERT, "alpha", approval, None)
        compute.quarantine(TENANT, node.id, reason="again", finding="f-2")
        with pytest.raises(Refused):
            compute.releasing.approve(BERT, "alpha", approval, None)
        assert world.provider.isolated() == {node.id}

    def test_a_request_that_is_replayed_after_a_new_quarantine(self, world, compute, node):
        envelope, opening = world.signed_request(compute, node)
        compute.releasing.ask(ANNA, "alpha", envelope, opening)
        approve(world, compute, node, envelope.digest)
        compute.quarantine(TENANT, node.id, reason="again", finding="f-2")
        with pytest.raises((Refused, MalformedInput)):
            compute.releasing.ask(ANNA, "alpha", envelope, opening)

    def test_another_statement_under_a_key_that_was_used(self, world, compute, node):
        envelope, opening = world.signed_request(compute, node)
        world.rows["admitted"][envelope.statement.issuance.idempotency_key] = Digest.of(b"another")
        with pytest.raises(Refused, match="repeats"):
            compute.releasing.ask(ANNA, "alpha", envelope, opening)
        assert world.rows["releases"] == {}

    @pytest.mark.usefixtures("node")
    def test_a_statement_about_another_node(self, world, compute):
        other = world.ready(compute, "beta")
        compute.quarantine(TENANT, other.id, reason="tried", finding="f-2")
        envelope, opening = world.signed_request(compute, other)
        with pytest.raises(MalformedInput):
            compute.releasing.ask(ANNA, "alpha", envelope, opening)
        request = world.request(compute, other)
        with pytest.raises((Refused, MalformedInput)):
            compute.releasing.approve(BERT, "alpha", world.approval(other, request.digest), None)

    def test_a_node_that_is_free(self, world, compute, node):
        request = world.request(compute, node)
        envelope, opening = world.signed_request(compute, node)
        approve(world, compute, node, request.digest)
        with pytest.raises(Conflict):
            compute.releasing.ask(ANNA, "alpha", envelope, opening)

    @pytest.mark.parametrize("details", [None, {}, {"reason": ""}, {"reason": "a\nb"}, {"reason": "x", "more": 1}])
    def test_a_request_without_a_reason(self, world, compute, node, details):
        row = world.row(node)
        before = compute.desk.quarantine(row).before
        draft = replace(statements.release_request(row.id, row.subject, 1, before, "x"), details=details or {})
        envelope, _ = world.signed(draft, ANNA)
        with pytest.raises(MalformedInput):
            compute.releasing.ask(ANNA, "alpha", envelope, commit(details, b"s" * 32) if details else None)


class TestInBetween:
    def test_the_same_request_twice_is_one(self, world, compute, node):
        envelope, opening = world.signed_request(compute, node)
        first = compute.releasing.ask(ANNA, "alpha", envelope, opening)
        assert compute.releasing.ask(ANNA, "alpha", envelope, opening) == first

    def test_a_new_quarantine_voids_the_request(self, world, compute, node):
        old = world.request(compute, node)
        approve(world, compute, node, world.request(compute, node).digest)
        compute.quarantine(TENANT, node.id, reason="again", finding="f-2")
        assert world.rows["releases"][old.digest].state is ReleaseState.VOID
        with pytest.raises(Refused):
            approve(world, compute, node, old.digest)

    def test_a_policy_that_was_changed_under_the_cut_keeps_it_and_uses_the_request_up(self, world, compute, node):
        request = world.request(compute, node)
        world.provider.ports[node.id].policy = "widened"
        with pytest.raises(Conflict, match="stays quarantined"):
            approve(world, compute, node, request.digest)
        assert world.row(node).containment is Containment.QUARANTINED
        assert world.provider.isolated() == {node.id}
        assert world.said("quarantine.released") == []
        with pytest.raises(Refused, match="used"):
            approve(world, compute, node, request.digest)

    def test_a_provider_that_is_away_is_asked_again_by_the_next_round(self, world, compute, node):
        request = world.request(compute, node)
        world.provider.broken["restore"] = Unavailable("the helper does not run")
        with pytest.raises(Unavailable):
            approve(world, compute, node, request.digest)
        assert world.row(node).containment is Containment.RELEASING
        assert compute.sweep().problems == ("the helper does not run",)
        world.provider.broken.clear()
        assert compute.sweep().problems == ()
        assert world.half_open() == []
        assert world.said("quarantine.released") == ["quarantine.released"]

    def test_without_the_database_nobody_is_freed(self, world, compute, node):
        request = world.request(compute, node)
        approval = world.approval(node, request.digest)
        world.database = "full"
        with pytest.raises(Unavailable):
            compute.releasing.approve(BERT, "alpha", approval, None)
        assert world.provider.isolated() == {node.id}
