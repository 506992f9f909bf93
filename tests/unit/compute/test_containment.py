from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.compute import forensics
from ringfence.compute.model import Containment, Intent, NodeState
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.testing.nodes import ANNA, TENANT, World
from ringfence.testing.sandboxes import CLOSED, OPEN

CHAIN = ["quarantine.requested", "forensics.collected", "quarantine.confirmed"]
ABOUT = ("quarantine", "forensics")


@pytest.fixture
def world():
    return World()


@pytest.fixture
def compute(world):
    return world.compute()


@pytest.fixture
def node(world, compute):
    return world.ready(compute)


def cut(compute, node, **changes):
    given = {"reason": "guessed, then in", "finding": "f-1"} | changes
    return compute.quarantine(TENANT, node.id, **given)


class TestCut:
    def test_states_the_whole_chain_once(self, world, compute, node):
        since = world.clock.now() - timedelta(milliseconds=700)
        done = cut(compute, node, triggered_at=since)
        assert (done.confirmed, done.fresh, done.number, done.micros, done.milliseconds) == (True, True, 1, 1500, 700)
        assert world.said(*ABOUT) == CHAIN
        (claims,) = world.claims("quarantine.confirmed")
        assert claims["millisecondsFromTrigger"] == 700
        assert claims["probes"][0] == {"path": "peer-to-node", "expected": "blocked", "observed": "blocked", "ok": True}

    def test_reason_and_person_stay_out_of_the_envelope(self, world, compute, node):
        cut(compute, node, reason="mallory from 203.0.113.7", finding="", by=ANNA)
        for _, draft in world.stated[-3:]:
            assert "mallory" not in str(draft)
            assert draft.details == {}
        assert world.claims("quarantine.requested")[0]["cause"] == "person"
        assert compute.desk.quarantine(world.row(node)).reason == "mallory from 203.0.113.7"

    def test_again_changes_nothing(self, world, compute, node):
        cut(compute, node)
        again = cut(compute, node, finding="f-2")
        assert (again.fresh, again.confirmed, again.number) == (False, True, 1)
        assert world.said(*ABOUT) == CHAIN
        assert len(world.provider.cuts) == 1

    def test_many_at_once_cut_once(self, world, compute, node):
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda i: cut(compute, node, finding=f"f-{i}"), range(8)))
        assert sum(one.fresh for one in done) == 1
        assert all(one.confirmed for one in done)
        assert {one.number for one in done} == {1}
        assert len(world.provider.cuts) == 1
        assert world.said(*ABOUT) == CHAIN

    def test_another_tenant_finds_nothing_to_cut(self, compute, node):
        with pytest.raises(NotFound):
            compute.quarantine(Tenant("other"), node.id, reason="x")

    def test_what_has_ended_is_not_cut(self, compute, node):
        compute.stop(ANNA, "alpha")
        with pytest.raises(Conflict):
            cut(compute, node)

    def test_the_wish_is_durable_before_the_evidence_and_the_cut(self, world, compute, node):
        before = len(world.effects)
        cut(compute, node)
        assert world.effects[before : before + 2] == ["intent", "isolate"]
        assert world.intents[node.id] == Intent(1, "f-1", "")


class TestEvidence:
    def test_is_what_was_stated(self, world, compute, node):
        cut(compute, node)
        items, salt = world.evidence[node.id, 1]
        (claims,) = world.claims("forensics.collected")
        found = forensics.verify_chain(items, salt, Digest.parse(claims["chain"]))
        assert [item.name for item in found.items] == ["log-tail", "processes", "sockets"]
        assert claims["beforeCut"] is True
        assert claims["kept"] is True

    def test_losing_it_does_not_keep_the_node_connected(self, world, compute, node):
        world.provider.broken["collect"] = Unavailable("the node does not answer")
        assert cut(compute, node).confirmed
        assert world.said(*ABOUT) == [CHAIN[0], CHAIN[2]]

    def test_a_full_disk_is_admitted(self, world, compute, node):
        world.disk_full = True
        assert cut(compute, node).confirmed
        assert world.claims("forensics.collected")[0]["kept"] is False


class TestFailure:
    def test_an_open_path_is_stated_and_tried_again(self, world, compute, node):
        world.provider.probes = (*CLOSED, OPEN[0])
        done = cut(compute, node)
        assert not done.confirmed
        assert world.said(*ABOUT) == [*CHAIN[:2], "quarantine.failed"]
        assert world.claims("quarantine.failed")[0]["openPaths"] == ["peer-to-node"]
        world.provider.probes = CLOSED
        assert compute.sweep().problems == ()
        assert world.said(*ABOUT) == [*CHAIN[:2], "quarantine.failed", "quarantine.confirmed"]
        assert world.row(node).containment is Containment.QUARANTINED

    @pytest.mark.parametrize("act", ["isolate", "probe"])
    def test_a_provider_that_fails_is_stated_once_and_tried_until_it_does(self, world, compute, node, act):
        world.provider.broken[act] = Unavailable("the helper does not run")
        assert not cut(compute, node).confirmed
        compute.sweep()
        assert world.said("quarantine.failed") == ["quarantine.failed"]
        world.provider.broken.clear()
        compute.sweep()
        assert world.said(*ABOUT)[-1] == "quarantine.confirmed"
        assert world.half_open() == []

    def test_what_cannot_be_recorded_is_cut_and_not_confirmed(self, world, compute, node):
        world.journal_full = True
        done = cut(compute, node)
        assert not done.confirmed
        assert "not recorded" in done.because
        assert world.provider.isolated() == {node.id}
        world.journal_full = False
        compute.sweep()
        assert world.said(*ABOUT) == CHAIN
        assert world.claims("forensics.collected")[0]["beforeCut"] is True  # the evidence of the first attempt


@pytest.mark.parametrize("state", ["full", "away"])
class TestWithoutDatabase:
    def test_the_node_is_cut_off_and_stated_all_the_same(self, world, compute, node, state):
        world.database = state
        done = cut(compute, node)
        assert done.confirmed
        assert world.said(*ABOUT) == CHAIN

    def test_the_rows_follow_when_it_is_back(self, world, compute, node, state):
        world.database = state
        cut(compute, node)
        world.database = "up"
        assert compute.sweep().problems == ()
        row = world.row(node)
        assert (row.containment, row.quarantine) == (Containment.QUARANTINED, 1)
        assert compute.desk.quarantine(row).confirmed_at is not None
        assert world.said(*ABOUT) == CHAIN

    def test_even_if_we_were_restarted_meanwhile(self, world, compute, node, state):
        world.database = state
        cut(compute, node)
        world.database = "up"
        world.compute().sweep(first=True)
        assert world.half_open() == []
        assert world.said(*ABOUT) == CHAIN


class TestHold:
    def test_a_flushed_ruleset_is_seen_stated_and_closed_again(self, world, compute, node):
        cut(compute, node)
        world.provider.ports[node.id].cut = False
        assert compute.sweep().problems == ()
        assert world.half_open() == []
        assert world.said(*ABOUT) == [*CHAIN, "quarantine.failed", "quarantine.confirmed"]
        assert "found open" in world.claims("quarantine.failed")[0]["because"]

    def test_a_cut_that_nobody_here_knows_of_is_taken_over(self, world, compute, node):
        world.provider.isolate(node.id)
        compute.sweep()
        assert world.row(node).containment is Containment.QUARANTINED
        assert world.claims("quarantine.requested")[0]["cause"] == "provider"

    def test_a_quiet_round_does_nothing(self, world, compute, node):
        cut(compute, node)
        before = list(world.effects)
        compute.sweep()
        assert world.effects == before

    def test_the_first_round_asserts_every_cut_and_states_nothing(self, world, compute, node):
        cut(compute, node)
        before, said = len(world.effects), list(world.stated)
        world.compute().sweep(first=True)
        assert world.effects[before:] == ["isolate"]
        assert world.stated == said

    def test_a_wish_of_a_quarantine_that_is_over_is_forgotten(self, world, compute, node):
        cut(compute, node)
        free = replace(world.row(node), containment=Containment.NONE)
        world.rows["nodes"][node.id] = free
        world.provider.ports[node.id].cut = False
        compute.sweep()
        assert world.intents == {}
        assert world.provider.isolated() == frozenset()

    def test_one_node_that_fails_does_not_keep_the_others_waiting(self, world, compute, node):
        other = world.ready(compute, "beta")
        world.intents |= {node.id: Intent(1), other.id: Intent(1)}
        del world.provider.ports[node.id]
        compute.sweep()
        assert world.row(other).containment is Containment.QUARANTINED

    def test_one_that_dies_while_it_is_cut_off_stays_so_and_is_said_to_be_gone(self, world, compute, node):
        cut(compute, node)
        world.provider.ports[node.id].running = False
        compute.sweep()
        row = world.row(node)
        assert (row.state, row.containment) == (NodeState.FAILED, Containment.QUARANTINED)
        assert world.claims("node.failed")[0]["contained"] is True
        assert node.id in world.provider.existing()
        compute.sweep()
        assert node.id in world.provider.existing()
