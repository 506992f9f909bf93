"""What serves is looked at again: a difference is contained first and stated then; an honest engine costs little."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.compute.model import Containment
from ringfence.gateway.model import DeploymentState, deployment_name
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import PredicateName
from ringfence.soc.faults import ENGINE_CHANGED
from ringfence.testing.engines import EngineLab, signed_model, twice, wanted
from ringfence.testing.home import TENANT
from ringfence.workloads import shipping
from ringfence.workloads.rechecking import CHANGED, EVERY, SAME, SILENT, Rechecking

SMALL = deployment_name("small")


@pytest.fixture
def lab(services, home, tmp_path):
    made = EngineLab(services)
    model = signed_model(tmp_path / "model", {"twice.onnx": twice()})
    made.deploying.start(home.actor(Role.ENGINEER), wanted("small", model))
    services.ledger.integrate()
    return made


@pytest.fixture
def rechecking(lab):
    services = lab.services
    return Rechecking(lab.keeping, services.ledger, services.outbox, services.ledger.publishable, services.clock)


def stated(lab):
    lab.services.ledger.integrate()
    found = lab.services.ledger.statements(TENANT, [PredicateName("deployment.rechecked")])
    return [one.envelope.statement.claims for one in found]


def looks(lab):
    return [command for command in lab.shell.commands if command[3] == shipping.RECHECK]


def test_nothing_is_looked_at_before_it_is_due(lab, rechecking, clock):
    assert rechecking.turn() == ""
    clock.advance(EVERY - timedelta(minutes=1))
    assert rechecking.turn() == ""
    clock.advance(timedelta(minutes=2))
    assert rechecking.turn() == SAME
    assert rechecking.turn() == ""
    assert len(looks(lab)) == 1


def test_an_honest_engine_is_stated_to_have_the_same_bytes(lab, rechecking, clock):
    clock.advance(EVERY)
    assert rechecking.turn() == SAME
    (said,) = stated(lab)
    assert (said["outcome"], said["expected"], said["measured"]) == (SAME, str(Digest.of(twice())), said["expected"])
    assert said["bytes"] == len(twice())
    assert lab.services.serving.gateway.deployment(TENANT, SMALL).state is DeploymentState.SERVING
    assert looks(lab)[0][-2:] == ["ringfence-engine=small", str(rechecking.rate)]


@pytest.mark.parametrize(
    "how",
    [
        lambda shell: setattr(shell, "now", b"other bytes"),
        lambda shell: setattr(shell, "now", b""),
        lambda shell: setattr(shell, "sealed", False),
    ],
    ids=["other bytes", "no such memory", "not sealed"],
)
def test_a_difference_cuts_the_node_off_and_refuses_callers(lab, rechecking, clock, how):
    how(lab.shell)
    clock.advance(EVERY)
    assert rechecking.turn() == CHANGED
    (node,) = lab.compute.all(TENANT)
    assert node.containment in {Containment.ENTERING, Containment.QUARANTINED}
    known = lab.services.serving.gateway.deployment(TENANT, SMALL)
    assert (known.state, "other bytes" in known.because) == (DeploymentState.FAILED, True)
    (said,) = stated(lab)
    assert said["outcome"] == CHANGED
    (fault,) = [one for one in lab.services.cutoff.not_working(TENANT) if one["rule"] == ENGINE_CHANGED]
    assert "small" in fault["because"]


def test_containment_comes_before_the_statement_and_does_not_wait_for_it(lab, rechecking, clock):
    lab.shell.now = b"other bytes"
    clock.advance(EVERY)

    def broken():
        raise Unavailable("the database is away")

    with pytest.raises(Unavailable):
        replace(rechecking, transaction=broken).turn()
    (node,) = lab.compute.all(TENANT)
    assert node.cut_off


def test_a_difference_is_stated_also_where_the_node_cannot_be_cut_off(lab, rechecking, clock):
    class Stuck:
        def __getattr__(self, name):
            return getattr(lab.keeping.compute, name)

        def quarantine(self, *_, **__):
            raise Unavailable("the network's keeper is away")

    lab.shell.now = b"other bytes"
    clock.advance(EVERY)
    with pytest.raises(Unavailable, match="keeper"):
        replace(rechecking, keeping=replace(lab.keeping, compute=Stuck())).turn()
    assert lab.services.serving.gateway.deployment(TENANT, SMALL).state is DeploymentState.FAILED
    assert [said["outcome"] for said in stated(lab)] == [CHANGED]


def test_a_node_that_does_not_answer_is_stated_and_not_cut_off(lab, rechecking, clock):
    lab.shell.away = True
    clock.advance(EVERY)
    assert rechecking.turn() == SILENT
    (said,) = stated(lab)
    assert (said["outcome"], said["measured"]) == (SILENT, "")
    (node,) = lab.compute.all(TENANT)
    assert not node.cut_off
    lab.shell.away, lab.shell.silent = False, True
    clock.advance(EVERY)
    assert rechecking.turn() == SILENT


def test_a_fault_ends_once_another_engine_serves_under_the_name(lab, rechecking, clock, home, tmp_path):
    lab.shell.now = b"other bytes"
    clock.advance(EVERY)
    rechecking.turn()
    lab.services.ledger.integrate()
    assert [one["rule"] for one in lab.services.cutoff.not_working(TENANT)].count(ENGINE_CHANGED) == 1
    lab.keeping.turn()
    lab.shell.now = None
    lab.deploying.start(home.actor(Role.ENGINEER), wanted("small", tmp_path / "model"))
    lab.services.ledger.integrate()
    assert ENGINE_CHANGED not in [one["rule"] for one in lab.services.cutoff.not_working(TENANT)]


def test_what_has_ended_is_not_looked_at(lab, rechecking, clock, home):
    lab.keeping.stop(home.actor(Role.ENGINEER), SMALL)
    clock.advance(EVERY)
    assert rechecking.turn() == ""
    assert looks(lab) == []
