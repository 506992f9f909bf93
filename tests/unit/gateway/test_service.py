from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.gateway import keys, statements
from ringfence.gateway.deployments import MAX_DEPLOYMENTS, Attach, Seen
from ringfence.gateway.keys import KeyState, Wanted
from ringfence.gateway.model import Basis, DeploymentState, Protocol, ServedModel, Upstream
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, RingfenceError, Unavailable
from ringfence.testing.callers import ANNA, CARL, OTHER, TENANT, World
from ringfence.testing.gateway import deployment

URL = "http://127.0.0.1:8000/v1"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def issued(world):
    return world.gateway.issue_key(CARL, Wanted("anna", ()))


def told(world, key):
    return next(one for one in world.snapshots.held.keys if one.id == key.id)


def said(world):
    return [draft.predicate for draft in world.stated]


# Keys


def test_an_issued_key_is_stated_and_told_to_the_gateway_at_once(world, issued):
    assert keys.matches(told(world, issued.key), keys.presented(issued.secret))
    (draft,) = world.stated
    assert (draft.predicate, draft.claims["key"], draft.details) == ("apikey.issued", issued.key.id, {"name": "anna"})
    assert issued.secret not in repr(draft) + repr(issued)


def test_a_key_that_could_not_be_told_yet_is_issued_all_the_same(world):
    world.full = True
    assert world.gateway.issue_key(CARL, Wanted("anna", ())).secret
    world.full = False
    assert len(world.gateway.publish().keys) == 1


def test_without_the_database_no_key_is_issued(world):
    world.away = True
    with pytest.raises(Unavailable):
        world.gateway.issue_key(CARL, Wanted("anna", ()))
    assert world.snapshots.held is None


def test_a_revoked_key_is_told_before_it_is_journalled(world, issued):
    done = world.gateway.revoke_key(ANNA, issued.key.id)
    assert done is not None
    assert told(world, issued.key).revoked_at is not None
    (draft,) = world.journalled
    assert (draft.predicate, draft.claims["snapshotWritten"], draft.details) == ("apikey.revoked", True, {})
    assert world.keys.get(TENANT, issued.key.id).revoked_at == world.clock.now()
    world.gateway.publish()
    assert world.marks.held == []
    assert world.gateway.revoke_key(ANNA, issued.key.id) is None
    assert len(world.journalled) == 1


def test_detection_blocks_without_a_database_and_the_row_follows(world, issued):
    world.away = True
    assert world.gateway.block_key(TENANT, issued.key.id, because="guessing", finding="f-1") is not None
    assert told(world, issued.key).blocked == "blocked"
    world.away = False
    assert world.gateway.keys(TENANT)[0].blocked == ""
    world.gateway.settle()
    assert world.gateway.keys(TENANT)[0].blocked == "finding f-1"
    world.gateway.publish()
    assert world.marks.held == []


def test_what_could_not_be_told_stays_marked_until_it_is(world, issued):
    world.full = True
    world.gateway.block_key(TENANT, issued.key.id, because="x", finding="f-1")
    world.full, world.away = False, True
    world.gateway.publish()
    assert told(world, issued.key).blocked == "blocked"


def test_a_change_of_something_else_forgets_no_block_that_the_rows_do_not_have_yet(world, issued):
    world.away = True
    world.gateway.block_key(TENANT, issued.key.id, because="x", finding="f-1")
    world.away = False
    world.gateway.issue_key(CARL, Wanted("bert", ()))
    world.gateway.publish()
    assert told(world, issued.key).blocked == "blocked"


def test_a_block_says_why_and_whose_it_is(world, issued):
    world.gateway.block_key(TENANT, issued.key.id, because="guessing", finding="f-1")
    assert world.gateway.key(TENANT, issued.key.id).blocked == "guessing"
    (draft,) = world.journalled
    assert draft.claims == {"key": issued.key.id, "cause": "finding", "finding": "f-1", "snapshotWritten": True}
    assert world.gateway.block_key(TENANT, issued.key.id, because="again", finding="f-2") is None


def test_a_block_that_could_not_be_told_says_so(world, issued):
    world.full = True
    world.gateway.block_key(TENANT, issued.key.id, because="by hand", by=ANNA.id)
    assert world.journalled[0].claims == {
        "key": issued.key.id,
        "cause": "person",
        "by": ANNA.id,
        "snapshotWritten": False,
    }
    world.full = False
    world.gateway.publish()
    assert told(world, issued.key).blocked == "blocked"


def test_a_person_unblocks_also_what_was_blocked_while_the_database_was_away(world, issued):
    world.away = True
    world.gateway.block_key(TENANT, issued.key.id, because="x", finding="f-1")
    world.away = False
    world.gateway.unblock_key(ANNA, issued.key.id)
    assert keys.state(told(world, issued.key), world.clock.now()) is KeyState.ACTIVE
    assert said(world) == ["apikey.issued", "apikey.unblocked"]
    assert world.stated[-1].details == {"because": "finding f-1"}
    with pytest.raises(Conflict):
        world.gateway.unblock_key(ANNA, issued.key.id)


def test_a_revoked_key_is_not_unblocked(world, issued):
    world.gateway.block_key(TENANT, issued.key.id, because="x")
    world.gateway.revoke_key(ANNA, issued.key.id)
    with pytest.raises(Conflict):
        world.gateway.unblock_key(ANNA, issued.key.id)


@pytest.mark.parametrize("away", [False, True])
def test_nobody_reaches_the_keys_of_another_tenant(world, issued, away):
    world.away = away
    for act in (
        lambda: world.gateway.block_key(OTHER, issued.key.id, because="x"),
        lambda: world.gateway.revoke_key(replace(ANNA, tenant=OTHER), issued.key.id),
        lambda: world.gateway.key(OTHER, issued.key.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert told(world, issued.key).blocked == ""


def test_what_is_no_key_is_refused(world):
    with pytest.raises(MalformedInput):
        world.gateway.block_key(TENANT, "../../etc", because="x")


# Deployments


def attach(world, **changes):
    return world.gateway.attach(CARL, Attach(**({"name": "small", "url": URL} | changes)))


def test_an_attached_engine_is_reached_at_once_and_its_digest_is_declared(world):
    model = ServedModel("tiny", Digest.of(b"weights"), Basis.LOADED)
    made, seen = attach(world, model=model, credential="secret-of-the-engine")
    assert (made.model.basis, made.model.name, seen.models) == (Basis.DECLARED, "tiny", ("tiny",))
    assert world.snapshots.held.deployments == (made,)
    (draft,) = world.stated
    assert (draft.predicate, draft.strength.text, draft.claims["basis"]) == (
        "deployment.attached",
        "declared",
        "declared",
    )
    assert world.secrets == {made.upstream.credential: "secret-of-the-engine"}
    assert "secret-of-the-engine" not in repr(draft) + repr(made)
    assert URL not in str(draft.claims)


def test_an_engine_that_does_not_answer_is_not_attached(world):
    world.seen = None
    with pytest.raises(Unavailable):
        attach(world, credential="s")
    assert (world.stated, world.secrets, world.snapshots.held) == ([], {}, None)


def test_a_credential_is_not_left_behind_where_attaching_fails(world):
    world.seen = Seen((), ready=True)
    with pytest.raises(MalformedInput):
        attach(world, credential="s")
    world.seen = Seen(("a",), ready=True)
    attach(world)
    with pytest.raises(Conflict):
        attach(world, credential="s")
    assert world.secrets == {}


def test_a_credential_is_not_left_behind_where_the_database_goes_meanwhile():
    class Falling(World):
        def ask(self, address, protocol, credential):
            self.away = True
            return super().ask(address, protocol, credential)

    world = Falling()
    with pytest.raises(Unavailable):
        attach(world, credential="s")
    assert world.secrets == {}


def test_a_stopped_deployment_is_reached_no_more_and_its_name_is_free(world):
    made, _ = attach(world, credential="s")
    world.clock.advance(timedelta(seconds=5))
    assert world.gateway.stop(CARL, made.name).state is DeploymentState.STOPPED
    assert (world.snapshots.held.deployments, world.secrets) == ((), {})
    assert world.stated[-1].claims["millisecondsLived"] == 5000
    with pytest.raises(Conflict):
        world.gateway.stop(CARL, made.name)
    again, _ = attach(world)
    assert again.subject != made.subject


def start(world):
    return world.gateway.starting(TENANT, "own", protocol=Protocol.OPENAI, node="n-00000001", by=CARL.id)


def test_an_engine_of_ours_is_asked_for_started_and_lost(world):
    start(world)
    assert world.snapshots.held.deployments[0].state is DeploymentState.STARTING
    world.clock.advance(timedelta(seconds=2))
    model = ServedModel("tiny", Digest.of(b"weights"), Basis.LOADED)
    upstream = Upstream("http://n-00000001/v1", "tunnels/own.sock")
    served = world.gateway.serving(TENANT, "own", upstream=upstream, model=model)
    assert (served.state, served.model) == (DeploymentState.SERVING, model)
    assert world.snapshots.held.deployments == (served,)
    world.gateway.failed(TENANT, "own", because="the node is gone")
    world.gateway.failed(TENANT, "own", because="again")
    assert said(world) == ["deployment.requested", "deployment.started", "deployment.failed"]
    assert world.stated[1].claims | {"millisecondsToServe": 2000, "basis": "loaded"} == world.stated[1].claims
    assert world.stated[2].claims["phase"] == "lost"
    assert world.gateway.deployment(TENANT, "own").because == "the node is gone"


def test_an_engine_that_does_not_come_failed_at_its_start(world):
    start(world)
    world.gateway.failed(TENANT, "own", because="no memory")
    assert world.stated[-1].claims["phase"] == "start"


def test_a_name_is_taken_once_and_a_tenant_has_so_many(world):
    start(world)
    with pytest.raises(Conflict):
        attach(world, name="own")
    for number in range(MAX_DEPLOYMENTS - 1):
        world.deployments.put(deployment(f"d{number}"))
    with pytest.raises(MalformedInput):
        attach(world)


def test_what_nobody_deployed_is_not_found(world):
    for act in (
        lambda: world.gateway.stop(CARL, "none"),
        lambda: world.gateway.failed(TENANT, "none", because="x"),
        lambda: world.gateway.deployment(OTHER, "small"),
    ):
        with pytest.raises(RingfenceError):
            act()


def test_every_predicate_of_ours_is_stated_somewhere_here():
    assert set(statements.ABOUT_KEYS) & set(statements.ABOUT_DEPLOYMENTS) == set()


def test_a_key_or_a_route_that_no_snapshot_could_hold_is_not_made(world):
    crowded = replace(world.gateway, publishing=replace(world.gateway.publishing, most=900))
    crowded.issue_key(CARL, Wanted("anna", ()))
    before = len(world.stated)
    for act in (
        lambda: [crowded.issue_key(CARL, Wanted(f"caller {number}", ())) for number in range(9)],
        lambda: crowded.attach(CARL, Attach("small", URL)),
        lambda: crowded.starting(TENANT, "small", protocol=Protocol.OPENAI, node="n-1"),
    ):
        with pytest.raises(Unavailable, match="the gateway reads"):
            act()
    assert world.gateway.deployments(TENANT) == []
    assert len(world.gateway.keys(TENANT)) == 1 + len(world.stated) - before
    assert crowded.publish().issued_at == world.clock.now()
    assert world.gateway.publishing.confirmation.because == ""
