"""The agent on a node as key release reaches it: what answers wrongly, or not at all, is no evidence."""

import json
import subprocess
from dataclasses import dataclass, field, replace

import pytest

from ringfence.attestation import certificates, judging_tpm
from ringfence.compute.model import NodeClass
from ringfence.compute.providers.measured import MeasuredProvider
from ringfence.kernel.errors import Conflict, Unavailable, VerificationFailed
from ringfence.keyrelease.model import LeaseId
from ringfence.testing.attestation import Authority, SoftTpm
from ringfence.testing.keyrelease import WORKLOAD, NodeKeys
from ringfence.testing.nodes import World
from ringfence.workloads.attesting import NodeAgents
from ringfence.workloads.nodeagent.speaking import LARGEST_ANSWER
from ringfence.workloads.releasing import target_of
from ringfence.workloads.shell import Finished


@dataclass
class Agent:
    """Answers what a test says."""

    answer: bytes = b"{}"
    code: int = 0
    asked: list = field(default_factory=list)

    def run(self, argv, *, stdin=(), stdout=None, timeout):
        assert timeout > 0
        self.asked.append((tuple(argv), b"".join(stdin)))
        stdout.write(self.answer)
        return Finished(self.code, b"", b"")


class Measured(MeasuredProvider):
    """A provider of measured machines, as far as the wires look at it."""

    given = b""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def certificate(self, node):
        return self.given or b"certificate of " + node.encode()

    def inspect(self, node):
        return self.inner.inspect(node)


@pytest.fixture
def ground():
    world = World()
    compute = world.compute()
    node = world.ready(compute)
    agent = Agent()
    callers = []

    def shell(caller, node):
        callers.append((caller.id, node.id))
        return agent

    agents = NodeAgents(compute, shell)
    return agents, replace(target_of(node), by="person-00000000000a"), agent, callers


def measured(agents):
    """Let the node's provider be one of measured machines."""
    desk = agents.compute.desk
    providers = {NodeClass.NAMESPACE: Measured(desk.providers[NodeClass.NAMESPACE])}
    return replace(agents, compute=replace(agents.compute, desk=replace(desk, providers=providers)))


def test_a_class_that_measures_nothing_has_no_evidence_and_nobody_logs_in(ground):
    agents, target, agent, callers = ground
    assert agents.identify(target) is None
    assert agents.evidence(target, binding()) is None
    assert agents.revoke(target, LeaseId("lease-00000000000a")) is False
    with pytest.raises(Unavailable):
        agents.deliver(target, b"{}")
    assert agent.asked == callers == []


def binding():
    from ringfence.attestation.model import Binding

    return Binding(b"n" * 32, b"k", WORKLOAD, "d" * 32)


def test_the_agent_is_asked_in_the_name_of_who_asked(ground):
    from base64 import b64encode

    agents, target, agent, callers = ground
    public = NodeKeys().public
    agent.answer = json.dumps({"nodeKey": b64encode(public).decode(), "ak": "", "ek": ""}).encode() + b"\n"
    assert measured(agents).identify(target) == public
    assert callers == [("person-00000000000a", target.node)]
    assert agent.asked[0][0] == ("/usr/lib/ringfence/agent",)


@pytest.mark.parametrize(
    ("answer", "code", "kind"),
    [
        (b'{"error": "no TPM"}', 0, Unavailable),
        (b'{"nodeKey": "AAAA", "ak": "", "ek": ""}', 0, VerificationFailed),
        (b'{"nodeKey": "AAAA"}', 0, VerificationFailed),
        (b"{}", 1, Unavailable),
        (b" " * (LARGEST_ANSWER + 1), 0, Unavailable),
    ],
)
def test_an_answer_that_is_none_is_said(ground, answer, code, kind):
    agents, target, agent, _ = ground
    agent.answer, agent.code = answer, code
    with pytest.raises(kind):
        measured(agents).identify(target)


@pytest.mark.parametrize("error", [OSError("gone"), subprocess.TimeoutExpired(("ssh",), 1.0)])
def test_a_session_that_goes_wrong_in_any_way_is_an_agent_that_is_not_there(ground, error):
    """A node may close its pipes and keep the session: what waits for its end gives up with an error of its own."""
    agents, target, agent, _ = ground

    def run(*_args, **_given):
        raise error

    agent.run = run
    with pytest.raises(Unavailable):
        measured(agents).identify(target)


def test_a_measured_node_is_known_by_the_certificate_that_we_gave_its_tpm(ground):
    agents, target, _, _ = ground
    assert agents.device(target) == ""
    assert measured(agents).device(target) == "not known"  # what is there is no certificate
    tpm = SoftTpm()
    certificate = Authority.root("Ours").certify("software TPM of a node", tpm.ek_key)
    known = measured(agents)
    known.compute.desk.provider(known.compute.node(target.tenant, target.name)).given = certificate
    assert known.device(target) == judging_tpm.device(certificates.parse(certificate).spki)


def test_another_node_under_the_same_name_is_not_spoken_to(ground):
    agents, target, agent, _ = ground
    with pytest.raises(Conflict):
        measured(agents).identify(replace(target, node="n-ffffffff"))
    assert agent.asked == []
