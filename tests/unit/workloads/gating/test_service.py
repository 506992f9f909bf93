"""Deployments obey the gate: a refusal is in the log before it is said; what the gate did not judge never starts."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.gateway.deployments import Attach
from ringfence.gateway.model import Basis, DeploymentState, ServedModel, deployment_name
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, Refused, Unavailable
from ringfence.kernel.identifier import PredicateName
from ringfence.testing.callers import World
from ringfence.testing.engines import EngineLab, signed_model, twice, wanted
from ringfence.testing.gating import GateLab
from ringfence.testing.home import TENANT, signed
from ringfence.workloads.gatefile import GateFiles, shipped_bytes
from ringfence.workloads.gating.model import Mode
from ringfence.workloads.weights import Trusted

FILES = {"twice.onnx": twice()}


@pytest.fixture
def engines(services):
    return EngineLab(services)


@pytest.fixture
def lab(services, home):
    return GateLab(services, home, FILES)


@pytest.fixture
def caller(home):
    return home.actor(Role.ENGINEER)


@pytest.fixture
def model(tmp_path):
    return signed_model(tmp_path / "model", FILES)


def refusals(lab):
    return [
        one.envelope.statement for one in lab.services.ledger.statements(TENANT, [PredicateName("deployment.refused")])
    ]


def test_while_observing_everything_is_served_as_before(engines, lab, caller, model):
    done, _ = engines.deploying.start(caller, wanted("small", model))
    assert done.state is DeploymentState.SERVING
    assert refusals(lab) == []


def test_an_enforced_gate_refuses_what_it_never_judged(engines, lab, caller, model):
    lab.enforce()
    with pytest.raises(Refused, match="no verdict") as refused:
        engines.deploying.start(caller, wanted("small", model))
    assert refused.value.exit_code == 3
    judge = f"have it judged: `ringfence gate {lab.digest}`"
    missing = "signed, data, lineage, scan, redteam, bom, approval"
    assert str(refused.value).endswith(f"next: supply what is missing ({missing}), then {judge}")
    (said,) = refusals(lab)
    assert said.subjects[0].digest == lab.digest
    assert "an-enforced-gate-has-a-verdict-on-these-bytes" in said.claims["reasons"]
    assert engines.shell.commands == []
    assert engines.compute.all(TENANT) == []


def test_a_model_that_passed_is_served_under_an_enforced_gate(engines, lab, caller, model):
    lab.everything()
    lab.enforce()
    lab.gates.state(caller, "tiny")
    done, _ = engines.deploying.start(caller, wanted("small", model))
    assert (done.state, done.model.digest) == (DeploymentState.SERVING, lab.digest)


def test_a_verdict_that_failed_or_grew_old_serves_nothing(engines, lab, caller, model, clock):
    lab.everything(but={"approval"})
    lab.enforce()
    lab.gates.state(caller, "tiny")
    with pytest.raises(Refused, match=r"condition.*next: supply what is missing \(approval\)"):
        engines.deploying.start(caller, wanted("small", model))
    lab.approval()
    lab.gates.state(caller, "tiny")
    clock.advance(timedelta(hours=24, minutes=2))
    with pytest.raises(Refused, match=r"too old.*next: have it judged"):
        engines.deploying.start(caller, wanted("small", model))
    lab.gates.state(caller, "tiny")
    assert engines.deploying.start(caller, wanted("small", model))[0].state is DeploymentState.SERVING


@pytest.mark.parametrize(
    "lost",
    [
        lambda lab: lab.approval(Role.OWNER, decision="withdraw"),
        lambda lab: lab.redteam(verdict="fail", upperPpm=90_000),
        lambda lab: lab.scan({"twice.onnx": b"\x00\x01\x02unknown"}),
        lambda lab: lab.services.identity.remove(
            lab.home.people[Role.SECURITY].id, by=lab.home.actor(), left_at=None, reason="left"
        ),
    ],
    ids=["approval", "redteam", "scan", "left"],
)
def test_what_was_lost_since_the_verdict_counts_at_once(engines, lab, caller, model, clock, lost):
    lab.everything()
    lab.enforce()
    lab.gates.state(caller, "tiny")
    clock.advance(timedelta(minutes=1))
    lost(lab)
    lab.services.ledger.integrate()
    assert lab.gates.verdict(TENANT, lab.digest).passed  # it is good for hours
    with pytest.raises(Refused, match="is not met now"):
        engines.deploying.start(caller, wanted("small", model))
    (said,) = refusals(lab)
    assert said.claims["reasons"] == ["every-condition-is-met-still"]
    assert engines.shell.commands == []


def test_what_is_lost_while_the_model_is_loaded_counts_before_a_caller_reaches_it(engines, lab, caller, model):
    lab.everything()
    lab.enforce()
    lab.gates.state(caller, "tiny")

    def ready(*_):
        lab.approval(Role.OWNER, decision="withdraw")
        return True

    deploying = replace(engines.deploying, keeping=replace(engines.keeping, ready=ready))
    with pytest.raises(Refused, match="is not met now"):
        deploying.start(caller, wanted("small", model))
    assert len(engines.shell.loaded) == 1
    assert all(tunnel.closed for tunnel in engines.shell.tunnels)
    assert deploying.gateway.deployment(TENANT, deployment_name("small")).state is DeploymentState.FAILED
    assert len(refusals(lab)) == 1


def test_a_staging_deployment_is_how_a_model_comes_to_be_attacked(engines, lab, caller, model):
    lab.everything(but={"redteam", "approval"})
    lab.enforce()
    lab.gates.state(caller, "tiny")
    with pytest.raises(Refused):
        engines.deploying.start(caller, wanted("small", model))
    assert engines.deploying.start(caller, wanted("staging-small", model))[0].state is DeploymentState.SERVING


def test_a_changed_file_closes_an_enforced_gate_until_somebody_signs_it(engines, lab, caller, model):
    lab.everything()
    lab.enforce()
    lab.gates.state(caller, "tiny")
    weaker(lab)
    with pytest.raises(Refused, match=r"gate file.*next: a person signs the file as it is"):
        engines.deploying.start(caller, wanted("small", model))
    lab.gates.state(caller, "tiny")  # judged by the new file, which nobody signed
    with pytest.raises(Refused, match="gate file"):
        engines.deploying.start(caller, wanted("small", model))
    lab.enforce()
    assert engines.deploying.start(caller, wanted("small", model))[0].state is DeploymentState.SERVING


def weaker(lab):
    path = GateFiles(lab.home.path).path(TENANT)
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(shipped_bytes().replace(b"approvals: 2", b"approvals: 1"))


def test_a_file_that_cannot_be_read_serves_nothing(engines, lab, caller, model):
    lab.everything()
    lab.enforce()
    lab.gates.state(caller, "tiny")
    path = GateFiles(lab.home.path).path(TENANT)
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(b"gate: {")
    with pytest.raises(Exception, match=r"main\.yaml"):
        engines.deploying.start(caller, wanted("small", model))
    assert engines.shell.commands == []


def test_bytes_in_quarantine_are_served_in_no_mode(engines, lab, caller, model):
    found = lab.bring()
    with pytest.raises(Refused, match="nobody let them in"):
        engines.deploying.start(caller, wanted("small", model))
    lab.decide(found, "refuse")
    with pytest.raises(Refused):
        engines.deploying.start(caller, wanted("small", model))
    lab.decide(found)
    assert engines.deploying.start(caller, wanted("small", model))[0].state is DeploymentState.SERVING


def test_one_file_of_a_model_in_quarantine_is_known_under_any_name(engines, lab, caller, tmp_path):
    lab.bring()
    other = tmp_path / "innocent.onnx"
    other.write_bytes(twice())
    with pytest.raises(Refused, match="nobody let them in"):
        engines.deploying.start(caller, wanted("small", other, trusted=Trusted(pin=Digest.of(twice()))))


def test_a_path_into_the_quarantine_is_refused_through_links(services, caller, tmp_path, home):
    inside = home.path / "quarantine" / "tiny" / "files"
    inside.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(inside)
    for path in (inside, link):
        with pytest.raises(Refused, match="quarantine"):
            services.deploying.start(caller, wanted("small", path))


def test_where_the_refusal_cannot_be_recorded_nothing_is_served_and_nothing_was_said(engines, lab, caller, model):
    lab.enforce()

    @contextmanager
    def broken():
        raise Unavailable("the disk is full")
        yield

    gates = replace(lab.gates, publishable=broken)
    deploying = replace(engines.deploying, admit=gates.admit)
    with pytest.raises(Unavailable, match="disk"):
        deploying.start(caller, wanted("small", model))
    assert engines.shell.commands == []
    assert refusals(lab) == []


def test_the_refusal_is_published_before_it_is_said(lab, caller):
    lab.enforce()
    order = []

    class Publication:
        def published(self, envelope):
            order.append("published")
            return lab.services.ledger.published(envelope)

    gates = replace(lab.gates, publication=Publication())
    with pytest.raises(Refused, match="entry"):
        gates.admit(caller, deployment_name("small"), lab.digest, Digest.of(twice()))
    assert order == ["published"]


def test_asking_in_a_loop_fills_no_log(lab, caller, clock):
    lab.enforce()
    for _ in range(5):
        with pytest.raises(Refused):
            lab.gates.admit(caller, deployment_name("small"), lab.digest, lab.digest)
    assert len(refusals(lab)) == 1
    clock.advance(timedelta(minutes=2))
    with pytest.raises(Refused):
        lab.gates.admit(caller, deployment_name("small"), lab.digest, lab.digest)
    assert len(refusals(lab)) == 2


def test_an_enforced_gate_attaches_no_engine_whose_bytes_nobody_sees(services, lab, caller):
    lab.enforce()
    gateway = replace(services.serving.gateway, engines=World())
    with pytest.raises(Refused, match="attached engine"):
        gateway.attach(caller, Attach(deployment_name("elsewhere"), "http://127.0.0.1:9/v1"))
    assert gateway.deployments(TENANT) == []
    assert len(refusals(lab)) == 1
    lab.enforce(Mode.OBSERVE)
    assert gateway.attach(caller, Attach(deployment_name("elsewhere"), "http://127.0.0.1:9/v1"))


@pytest.mark.parametrize("what", ["model", "file"])
def test_no_engine_is_attached_that_is_declared_to_have_what_waits_for_a_decision(services, lab, caller, what):
    found = lab.bring()
    digest = lab.digest if what == "model" else next(iter(found.files))
    gateway = replace(services.serving.gateway, engines=World())
    declared = ServedModel("engine-model", digest, Basis.DECLARED)
    wish = Attach(deployment_name("elsewhere"), "http://127.0.0.1:9/v1", model=declared)
    with pytest.raises(Refused, match="nobody let them in"):
        gateway.attach(caller, wish)
    assert gateway.deployments(TENANT) == []
    assert len(refusals(lab)) == 1
    lab.decide(found)
    assert gateway.attach(caller, wish)


def test_the_mode_is_a_persons_signature_over_the_file_as_it_is(lab, home):
    draft = lab.gates.setting(TENANT, Mode.ENFORCE)
    weaker(lab)
    envelope, _ = signed(lab.services, home.people[Role.SECURITY], draft)
    with pytest.raises(Conflict, match="by now"):
        lab.gates.set_mode(home.actor(Role.SECURITY), envelope)
    assert lab.gates.mode(TENANT).mode is Mode.OBSERVE
    lab.enforce()
    with pytest.raises(Conflict, match="already"):
        lab.enforce()
    assert lab.gates.mode(TENANT).by == home.people[Role.SECURITY].id
