"""The agent on a node, as key release reaches it. Classes that measure nothing give no evidence, and are refused."""

import io
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Protocol, cast

from ringfence.attestation import certificates, judging_tpm
from ringfence.attestation.model import Binding
from ringfence.compute.model import Node
from ringfence.compute.ports import Provider
from ringfence.compute.providers.measured import MeasuredProvider
from ringfence.compute.service import Compute
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import Conflict, RingfenceError, Unavailable
from ringfence.keyrelease.model import LeaseId, Target
from ringfence.workloads.nodeagent.speaking import LARGEST_ANSWER, Speaking
from ringfence.workloads.shell import Finished, NodeShell

AGENT = ("/usr/lib/ringfence/agent",)  # scripts/build_image.py
NOT_KNOWN = "not known"  # of a node that should have a certificate; no evidence shows such a device
WITHIN = 60.0  # seconds: an emulated processor takes its time with a quote


class _Answer(io.BytesIO):
    """What an agent answers, bounded."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self.tell() + len(data) > LARGEST_ANSWER:
            raise Unavailable(f"the node's agent answers with more than {LARGEST_ANSWER} bytes")
        return super().write(data)


class Session(Protocol):
    """A node, as `workloads.shell.NodeShell` gives it."""

    def run(
        self, argv: Sequence[str], *, stdin: Iterable[bytes] = (), stdout: IO[bytes] | None = None, timeout: float
    ) -> Finished:
        """Run a command to its end."""
        ...


def shell_of(compute: Compute) -> Callable[[Person, Node], Session]:
    """Return what opens a session on a node; each is recorded as a login of whoever the key is released for."""
    return lambda caller, node: NodeShell(compute, caller, node)


@dataclass(frozen=True, slots=True)
class NodeAgents:
    """`keyrelease.ports.Attester` over compute: each request is one login by SSH."""

    compute: Compute
    shells: Callable[[Person, Node], Session]

    def identify(self, target: Target) -> bytes | None:
        """Return the key of the node's agent; None where nothing there gives evidence."""
        speaking = self._speaking(target)
        return None if speaking is None else speaking.identify()

    def evidence(self, target: Target, binding: Binding) -> bytes | None:
        """Return the evidence of the node's device, with the certificate of its endorsement key, which we keep."""
        speaking = self._speaking(target)
        return None if speaking is None else speaking.evidence(binding.digest)

    def device(self, target: Target) -> str:
        """Return the TPM that we gave a certificate for this node, as its evidence has to name it; empty for others.

        Evidence brings its certificate along, and another node's is as good a one.
        """
        node, provider = self._found(target)
        if not isinstance(provider, MeasuredProvider):
            return ""
        try:
            return judging_tpm.device(certificates.parse(provider.certificate(node.id)).spki)
        except RingfenceError:
            return NOT_KNOWN

    def deliver(self, target: Target, released: bytes) -> None:
        """Hand a released key over."""
        self.conversation(target).deliver(released)

    def revoke(self, target: Target, lease: LeaseId) -> bool:
        """Have the agent drop a key."""
        speaking = self._speaking(target)
        return speaking is not None and speaking.revoke(lease)

    def conversation(self, target: Target) -> Speaking:
        """Return the conversation with a node's agent; raise `Unavailable` where there is none."""
        speaking = self._speaking(target)
        if speaking is None:
            raise Unavailable(f"{target.name} has no agent")
        return speaking

    def _found(self, target: Target) -> tuple[Node, Provider]:
        node = self.compute.node(target.tenant, target.name)
        if node.id != target.node:
            raise Conflict(f"{target.name} is another node by now")
        return node, self.compute.desk.provider(node)

    def _speaking(self, target: Target) -> Speaking | None:
        node, provider = self._found(target)
        if not isinstance(provider, MeasuredProvider):
            return None
        # The policies were asked before: of the person, compute needs id and tenant for its record of the login.
        shell = self.shells(Person(target.by, target.tenant, Role.ENGINEER), node)

        def send(message: bytes) -> bytes:
            answer = _Answer()
            try:
                done = shell.run(AGENT, stdin=[message], stdout=cast("IO[bytes]", answer), timeout=WITHIN)
            except (OSError, subprocess.SubprocessError) as error:  # a session that closes its pipes and goes on, say
                raise Unavailable(f"the node's agent cannot be spoken to: {type(error).__name__}") from error
            if done.code != 0:
                raise Unavailable(f"the node's agent does not answer: it ended with {done.code}")
            return answer.getvalue()

        return Speaking(send, lambda: provider.certificate(node.id), self.compute.desk.now)
