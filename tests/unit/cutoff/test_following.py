from datetime import timedelta

import pytest

from ringfence.cutoff.following import LOOKED_BACK, Following
from ringfence.incidents.model import FactKind
from ringfence.incidents.register import Register
from ringfence.testing.incidents import TENANT, LabIncidents
from ringfence.testing.nodes import ANNA, BERT, World


class Both:
    """Nodes and incidents of one tenant at one time."""

    def __init__(self):
        self.lab, self.world = LabIncidents(), World()
        self.world.clock = self.lab.clock
        self.compute = self.world.compute()
        self.following = Following(self.compute, self.lab.watch, Register(self.lab.service))
        self.node = self.world.ready(self.compute)
        self.incident = self.lab.detect(subject=self.node.id)

    def cut(self, by):
        self.compute.quarantine(TENANT, self.node.id, reason="looks wrong", by=by)

    def release(self):
        request = self.world.request(self.compute, self.node, by=ANNA)
        self.compute.releasing.approve(BERT, "alpha", self.world.approval(self.node, request.digest, by=BERT), None)

    def facts(self):
        self.following.turn(TENANT)
        return [fact.kind for fact in self.lab.room(self.incident).incident.facts]

    def registers(self):
        return [kept for kept, _ in self.lab.log.kept if kept.statement.predicate == "incident.register"]


@pytest.fixture
def both():
    return Both()


def test_what_people_do_to_a_node_stands_in_the_incident_about_it_once(both):
    both.cut(ANNA)
    assert both.facts() == [FactKind.ISOLATED]
    both.release()
    assert both.facts() == both.facts() == [FactKind.ISOLATED, FactKind.RELEASED]


def test_a_cut_by_the_response_was_told_by_the_watch_already(both):
    both.cut(None)
    assert both.facts() == []


def test_what_is_long_past_is_history(both):
    both.cut(ANNA)
    both.lab.clock.advance(LOOKED_BACK)
    assert both.facts() == []


def test_the_register_follows_every_change_and_nothing_else(both):
    both.facts()
    both.facts()
    assert len(both.registers()) == 1
    both.cut(ANNA)
    both.facts()
    both.facts()
    assert len(both.registers()) == 2


def test_clocks_warn_in_the_same_turn(both):
    both.lab.clock.advance(timedelta(hours=23))
    both.facts()
    assert both.lab.alerts
