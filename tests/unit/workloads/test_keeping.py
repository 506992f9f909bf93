import os
from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from ringfence.compute.lifecycle import Order
from ringfence.compute.model import NodeClass, node_id
from ringfence.gateway.model import DeploymentState, Protocol, deployment_name
from ringfence.gateway.service import Gateway
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.testing.engines import EngineLab, signed_model, twice, wanted
from ringfence.testing.home import TENANT
from ringfence.workloads.keeping import MISSES, RESTARTED
from ringfence.workloads.patience import FIRST, LONGEST

SMALL = deployment_name("small")


@pytest.fixture
def caller(home):
    return home.actor(Role.ENGINEER)


@pytest.fixture
def lab(services, caller, tmp_path):
    made = EngineLab(services)
    made.deploying.start(caller, wanted("small", signed_model(tmp_path / "model", {"twice.onnx": twice()})))
    return made


def known(lab):
    return lab.services.serving.gateway.deployment(TENANT, SMALL)


def node(lab):
    return lab.compute.all(TENANT)[0]


def test_an_engine_that_answers_is_left_alone(lab):
    assert [lab.keeping.turn(first=number == 0) for number in range(3)] == [0, 0, 0]
    assert known(lab).state is DeploymentState.SERVING
    assert len(lab.shell.tunnels) == 1


def test_a_node_that_is_cut_off_takes_its_deployment_with_it_and_is_kept(lab):
    lab.compute.quarantine(TENANT, node(lab).id, reason="tried")
    assert lab.keeping.turn() == 1
    assert (known(lab).state, "cut off" in known(lab).because) == (DeploymentState.FAILED, True)
    assert not lab.shell.tunnels[0].alive
    assert node(lab).cut_off
    assert lab.keeping.turn() == 0


def test_a_node_that_nobody_knows_takes_its_deployment_with_it(lab):
    before = lab.keeping.files.all()[0]
    lab.keeping.files.put(replace(before, node=node_id("n-0badbad0")))
    assert lab.keeping.turn() == 1
    assert (known(lab).state, "not known" in known(lab).because) == (DeploymentState.FAILED, True)
    assert lab.keeping.files.all() == []


def test_a_node_that_is_gone_takes_its_deployment_with_it(lab, caller):
    lab.compute.stop(caller, node(lab).spec.name)
    assert lab.keeping.turn() == 1
    assert (known(lab).state, "gone" in known(lab).because) == (DeploymentState.FAILED, True)


def test_an_engine_that_died_fails_within_some_rounds(lab):
    lab.answers = False
    assert [lab.keeping.turn() for _ in range(MISSES)] == [0] * (MISSES - 1) + [1]
    assert "does not answer" in known(lab).because
    assert lab.compute.all(TENANT) == []


def test_what_could_not_be_ended_is_ended_by_a_later_round(lab, services, caller, clock):
    services.serving.gateway.stop(caller, SMALL)
    provider = lab.compute.desk.providers[NodeClass.NAMESPACE]
    provider.broken["destroy"] = Unavailable("it does not end")
    with pytest.raises(Unavailable):
        lab.keeping.turn()
    assert len(lab.keeping.files.all()) == 1
    provider.broken.clear()
    assert lab.keeping.turn() == 0
    clock.advance(FIRST)
    assert lab.keeping.turn() == 1
    assert (lab.keeping.files.all(), lab.compute.all(TENANT)) == ([], [])
    assert lab.keeping.held.waits == {}


@pytest.fixture
def shared(services, caller, tmp_path):
    """Give an engine on a node that is somebody's own: it is ended through SSH."""
    made = EngineLab(services)
    made.compute.start(caller, Order("own", NodeClass.NAMESPACE, 512, runtime=True))
    model = signed_model(tmp_path / "model", {"twice.onnx": twice()})
    made.deploying.start(caller, replace(wanted("small", model), node="own"))
    return made


def test_a_node_that_is_not_reached_any_more_is_asked_a_handful_of_times_an_hour(shared, clock):
    shared.answers, shared.shell.code = False, 255
    shared.shell.commands.clear()
    for _ in range(360):
        with suppress(Unavailable):
            shared.keeping.turn()
        clock.advance(timedelta(seconds=10))
    assert 3 <= len(shared.shell.commands) <= 6
    shared.shell.code = 0
    clock.advance(LONGEST)
    assert shared.keeping.turn() == 1
    assert shared.keeping.files.all() == []


def test_what_happens_to_its_node_ends_the_wait(shared):
    shared.answers, shared.shell.code = False, 255
    for _ in range(MISSES):
        with suppress(Unavailable):
            shared.keeping.turn()
    assert shared.keeping.turn() == 0
    shared.compute.quarantine(TENANT, node(shared).id, reason="tried")
    assert shared.keeping.turn() == 1
    assert shared.keeping.files.all() == []


def test_a_person_who_stops_it_waits_for_nothing(shared):
    shared.answers, shared.shell.code = False, 255
    for _ in range(MISSES):
        with suppress(Unavailable):
            shared.keeping.turn()
    shared.shell.code = 0
    shared.keeping.clear(TENANT, SMALL)
    assert shared.keeping.files.all() == []
    assert shared.keeping.held.waits == {}


def test_one_that_cannot_be_ended_does_not_keep_the_others(lab, services, caller, tmp_path):
    lab.deploying.start(caller, wanted("second", signed_model(tmp_path / "second", {"twice.onnx": twice()})))
    for name in (SMALL, deployment_name("second")):
        services.serving.gateway.stop(caller, name)
    lab.compute.desk.providers[NodeClass.NAMESPACE].broken["destroy"] = Unavailable("it does not end")
    with pytest.raises(Unavailable):
        lab.keeping.turn()
    assert [tunnel.closed for tunnel in lab.shell.tunnels] == [True, True]


def test_one_missed_answer_is_forgiven(lab):
    for answers in (False, True, False, True):
        lab.answers = answers
        assert lab.keeping.turn() == 0
    assert known(lab).state is DeploymentState.SERVING


def test_a_tunnel_that_ended_is_opened_again(lab):
    lab.shell.tunnels[0].alive = False
    assert lab.keeping.turn() == 0
    assert lab.shell.tunnels[0].closed
    assert lab.shell.tunnels[1].local.is_socket()
    assert [tunnel.alive for tunnel in lab.shell.tunnels] == [False, True]
    lab.shell.tunnels[1].close()
    lab.shell.no_tunnel = Unavailable("the tunnel into the node does not open")
    assert [lab.keeping.turn() for _ in range(MISSES)] == [0] * (MISSES - 1) + [1]
    assert known(lab).state is DeploymentState.FAILED


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the gateway has our own user")
def test_a_gateway_that_gets_its_user_later_gets_the_tunnel_too(lab, services):
    os.chown(services.home.path / "gateway", 64_123, 64_124)
    assert lab.keeping.turn() == 0
    assert lab.shell.tunnels[0].local.stat().st_uid == 64_123


def test_a_socket_that_is_gone_is_made_again(lab):
    lab.shell.tunnels[0].local.unlink()
    assert [lab.keeping.turn() for _ in range(2)] == [0, 0]
    assert [tunnel.closed for tunnel in lab.shell.tunnels] == [True, False]
    assert known(lab).state is DeploymentState.SERVING


def test_after_a_restart_tunnels_are_opened_again(lab, services):
    lab.keeping.close()
    heir = EngineLab(services, shell=lab.shell)
    heir.deploying.keeping.compute.desk.providers.update(lab.compute.desk.providers)
    assert heir.keeping.turn(first=True) == 0
    assert [tunnel.alive for tunnel in lab.shell.tunnels] == [False, True]
    assert known(lab).state is DeploymentState.SERVING


def test_what_was_starting_when_we_were_killed_has_failed(lab, services):
    name = deployment_name("half")
    services.serving.gateway.starting(TENANT, name, protocol=Protocol.OPENAI, node="")
    lab.keeping.turn()
    assert services.serving.gateway.deployment(TENANT, name).state is DeploymentState.STARTING
    lab.keeping.held.starting.add((TENANT, name))
    lab.keeping.turn(first=True)
    assert services.serving.gateway.deployment(TENANT, name).state is DeploymentState.STARTING
    lab.keeping.held.starting.clear()
    lab.keeping.turn(first=True)
    assert services.serving.gateway.deployment(TENANT, name).because == RESTARTED


class Earlier(Gateway):
    """Lists deployments as they were before they served."""

    def deployments(self, tenant):
        return [replace(one, state=DeploymentState.STARTING) for one in super().deployments(tenant)]


def test_what_began_to_serve_in_between_has_not_failed(lab, services):
    gateway = services.serving.gateway
    earlier = Earlier(**{part.name: getattr(gateway, part.name) for part in fields(gateway)})
    replace(lab.keeping, gateway=earlier).turn(first=True)
    assert known(lab).state is DeploymentState.SERVING


def test_a_deployment_that_was_stopped_elsewhere_ends_with_its_engine_and_node(lab, services, caller, clock):
    services.serving.gateway.stop(caller, SMALL)
    clock.advance(timedelta(seconds=2))
    assert lab.keeping.turn() == 1
    assert lab.compute.all(TENANT) == []
    assert lab.keeping.files.all() == []


def test_stopping_ends_callers_first(lab, caller):
    assert lab.keeping.stop(caller, SMALL).state is DeploymentState.STOPPED
    assert not lab.shell.tunnels[0].alive
    assert lab.compute.all(TENANT) == []
    assert lab.keeping.turn() == 0


def test_what_was_on_its_way_when_we_were_killed_leaves_no_node(lab, services, caller):
    name = deployment_name("half")
    made = lab.compute.start(caller, Order("e-half", NodeClass.NAMESPACE, 512, runtime=True))
    services.serving.gateway.starting(TENANT, name, protocol=Protocol.INFERENCE_V2, node="")
    before = lab.keeping.files.all()[0]
    lab.keeping.files.put(replace(before, name=name, node=made.id, node_name="e-half", port=0, pid=0))
    assert sum(lab.keeping.turn() for _ in range(MISSES)) == 0, "another process of ours may be at it"
    assert lab.keeping.turn(first=True) == 1
    assert [one.spec.name for one in lab.compute.all(TENANT)] == [before.node_name]
    assert lab.keeping.files.all() == [before]
    assert services.serving.gateway.deployment(TENANT, name).because == RESTARTED


def test_a_name_is_started_by_one_thread_at_a_time(lab):
    with lab.keeping.held.alone(TENANT, SMALL):
        with pytest.raises(Conflict), lab.keeping.held.alone(TENANT, SMALL):
            pass
        assert lab.keeping.turn() == 0
    with lab.keeping.held.alone(TENANT, SMALL):
        pass
