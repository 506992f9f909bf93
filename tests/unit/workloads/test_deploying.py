"""Starting engines over nodes in memory; with real ones it is tests/system/test_deploy_start.py."""

from dataclasses import replace

import pytest

from ringfence.compute.lifecycle import Order
from ringfence.compute.model import NodeClass, node_name
from ringfence.gateway.model import Basis, DeploymentState, deployment_name
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Refused, Unavailable, UsageError, VerificationFailed
from ringfence.kernel.identifier import PredicateName
from ringfence.testing.engines import EngineLab, signed_model, signing_key, twice, wanted
from ringfence.testing.home import TENANT
from ringfence.workloads import deploying as module
from ringfence.workloads import shipping
from ringfence.workloads.weights import Trusted

SMALL = deployment_name("small")


@pytest.fixture
def lab(services):
    return EngineLab(services)


@pytest.fixture
def caller(home):
    return home.actor(Role.ENGINEER)


@pytest.fixture
def model(tmp_path):
    return signed_model(tmp_path / "model", {"twice.onnx": twice()})


def stated(lab, predicate):
    lab.services.ledger.integrate()
    found = lab.services.ledger.statements(TENANT, [PredicateName(predicate)])
    return [one.envelope.statement.claims for one in found]


def state(lab):
    return lab.services.serving.gateway.deployment(TENANT, SMALL)


def test_callers_reach_it_only_once_it_answers(lab, caller, model):
    done, timing = lab.deploying.start(caller, wanted("small", model))
    (node,) = lab.compute.all(TENANT)
    assert (done.state, done.node, done.model.basis) == (DeploymentState.SERVING, node.id, Basis.LOADED)
    assert done.upstream.socket.startswith("engines/")
    assert (node.spec.runtime, node.spec.memory_mib) == (True, 2048)
    assert lab.shell.loaded == [twice()]
    assert min(timing.verify, timing.node, timing.load, timing.ready) >= 0
    (said,) = stated(lab, "deployment.started")
    assert (said["engine"], said["engineVersion"], said["basis"]) == ("onnxruntime", "1.0", "loaded")
    assert (said["weights"], said["node"]) == (str(Digest.of(twice())), node.id)
    assert said["digest"] == str(done.model.digest) != said["weights"]


def test_one_byte_changed_is_refused_before_anything_starts(lab, caller, model):
    data = bytearray(twice())
    data[40] ^= 1
    (model / "twice.onnx").write_bytes(data)
    with pytest.raises(VerificationFailed) as refused:
        lab.deploying.start(caller, wanted("small", model))
    assert refused.value.exit_code == 1
    assert lab.compute.all(TENANT) == []
    assert lab.shell.commands == []
    assert state(lab).state is DeploymentState.FAILED
    assert [one["phase"] for one in stated(lab, "deployment.failed")] == ["start"]
    assert stated(lab, "deployment.started") == []


def test_a_lying_loader_is_refused_and_nothing_is_left(lab, caller, model):
    lab.shell.lie = "sha256:" + "00" * 32
    with pytest.raises(VerificationFailed, match="measured"):
        lab.deploying.start(caller, wanted("small", model))
    assert state(lab).state is DeploymentState.FAILED
    assert lab.compute.all(TENANT) == []
    assert lab.keeping.files.all() == []


@pytest.mark.parametrize(
    "broken",
    [
        lambda lab: setattr(lab.shell, "problem", "no memory"),
        lambda lab: setattr(lab.shell, "silent", True),
        lambda lab: setattr(lab.shell, "no_tunnel", Unavailable("the tunnel into the node does not open")),
    ],
    ids=["does not load", "says nothing", "no tunnel"],
)
def test_what_does_not_come_up_leaves_nothing(lab, caller, model, broken):
    broken(lab)
    with pytest.raises(Unavailable):
        lab.deploying.start(caller, wanted("small", model))
    assert state(lab).state is DeploymentState.FAILED
    assert lab.compute.all(TENANT) == []
    assert lab.keeping.files.all() == []
    assert not any(tunnel.alive for tunnel in lab.shell.tunnels)


def test_a_node_that_is_there_is_used_and_kept(lab, caller, model):
    lab.compute.start(caller, Order("mine", NodeClass.NAMESPACE, 512, runtime=True))
    done, _ = lab.deploying.start(caller, wanted("small", model, node="mine"))
    (node,) = lab.compute.all(TENANT)
    assert (done.node, node.spec.name) == (node.id, "mine")
    lab.keeping.stop(caller, SMALL)
    assert [one.spec.name for one in lab.compute.all(TENANT)] == ["mine"]
    assert lab.shell.commands[-1][-1] == "ringfence-engine=small"


def test_what_a_failed_start_left_on_a_node_that_is_kept_is_ended(lab, caller, model):
    lab.compute.start(caller, Order("mine", NodeClass.NAMESPACE, 512, runtime=True))
    lab.shell.silent = True
    with pytest.raises(Unavailable):
        lab.deploying.start(caller, wanted("small", model, node="mine"))
    assert [command[3] for command in lab.shell.commands] == [shipping.BOOT, shipping.END]
    assert (lab.keeping.files.all(), [one.spec.name for one in lab.compute.all(TENANT)]) == ([], ["mine"])


def test_a_node_that_cannot_run_an_engine_says_so(lab, caller, model):
    lab.compute.start(caller, Order("plain", NodeClass.NAMESPACE))
    with pytest.raises(UsageError, match="--runtime"):
        lab.deploying.start(caller, wanted("small", model, node="plain"))
    mine = lab.compute.start(caller, Order("mine", NodeClass.NAMESPACE, 512, runtime=True))
    lab.compute.quarantine(TENANT, mine.id, reason="tried")
    with pytest.raises((Conflict, Refused)):
        lab.deploying.start(caller, wanted("small", model, node="mine"))
    with pytest.raises(Unavailable, match="namespace"):
        lab.deploying.start(caller, wanted("small", model, node_class=NodeClass.VM))
    with pytest.raises(NotFound):
        lab.deploying.start(caller, wanted("small", model / "absent"))
    assert stated(lab, "deployment.requested") == []


def test_a_name_serves_once_and_again_when_it_is_over(lab, caller, model):
    lab.deploying.start(caller, wanted("small", model))
    with pytest.raises(Conflict):
        lab.deploying.start(caller, wanted("small", model))
    assert state(lab).state is DeploymentState.SERVING
    lab.keeping.stop(caller, SMALL)
    assert lab.compute.all(TENANT) == []
    lab.deploying.start(caller, wanted("small", model))
    assert state(lab).state is DeploymentState.SERVING


def test_a_pinned_file_is_named_by_its_own_digest(lab, caller, tmp_path):
    file = tmp_path / "twice.onnx"
    file.write_bytes(twice())
    done, _ = lab.deploying.start(caller, wanted("small", file, trusted=Trusted(pin=Digest.of(twice()))))
    assert done.model.digest == Digest.of(twice())
    other = replace(wanted("second", file), trusted=Trusted((signing_key().public,)))
    with pytest.raises(UsageError):
        lab.deploying.start(caller, other)


@pytest.mark.parametrize("name", ["small", "a.b_c", "0", "x" * 63, "9.9.9", "a--b"])
def test_any_deployment_has_a_node_of_a_good_name(name):
    assert node_name(module._node_name(deployment_name(name)))
