"""Measured nodes in tests: agents over a software TPM of this machine, and what every way to an agent has to do.

with software_tpm(tmp_path) as tpm:
    speaking, keeping = agent(tpm)
    gives_evidence(speaking)
"""

import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringfence import components
from ringfence.artifacts.opening import unlock
from ringfence.attestation import document
from ringfence.attestation.model import Binding, Evidence, TpmEvidence
from ringfence.compute.providers import firmware, image, softtpm
from ringfence.compute.providers.tpm2 import Tpm
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError
from ringfence.keyrelease import wrapping
from ringfence.keyrelease.appraising import Appraising
from ringfence.keyrelease.wrapping import Released, Terms
from ringfence.testing.artifacts import InMemory, sealed_in_memory
from ringfence.workloads.nodeagent.keeping import Identity, Keeping, new_identity
from ringfence.workloads.nodeagent.speaking import Speaking

FILES = {"claims.csv": b"id,amount\n1,20\n", "empty": b"", "deep/notes.txt": b"n" * 70_000}
MARKER = "ringfence-test-tpm"


@contextmanager
def software_tpm(place: Path) -> Iterator[Tpm]:
    """Run a new software TPM of our own user; it is switched on and started."""
    state = Path(tempfile.mkdtemp(dir=place))
    marker = f"{MARKER}={os.getpid()}-{state.name}"
    with open(os.devnull, "wb") as log:  # noqa: PTH123
        softtpm.make(state, marker, None, log.fileno())
        with softtpm.start(state, marker, None, log.fileno()) as (channel, _):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                control, tpm = softtpm.Control(channel), softtpm.tpm_over(ours)
                softtpm.power_on(control, tpm, theirs.fileno())
                yield tpm


def missing() -> str:
    """Return why there is no software TPM here; empty where there is one."""
    lost = [name for name in ("swtpm", "setsid", "setpriv", "unshare") if not components.present(name)]
    return f"missing: {', '.join(lost)} (`make setup` installs them)" if lost else ""


def machine_missing() -> str:
    """Return why no measured machine starts here; empty where one does."""
    try:
        for name in ("qemu-system-x86_64", "swtpm", "ssh", "unshare", "setpriv", "setsid"):
            components.find(name)
        firmware.firmware_files()
        if not image.load(components.machine_files()).measured.is_file():
            return "the image of measured machines is missing (`make setup` builds it)"
    except RingfenceError as error:
        return str(error)
    return ""


@dataclass
class Time:
    """A clock that a test moves."""

    seconds: float = 1000.0

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        """Return seconds that only go forward."""
        return self.seconds


def agent(tpm: Tpm, time: Time | None = None, identity: Identity | None = None) -> tuple[Speaking, Keeping]:
    """Return an agent over a TPM, and a way to it without a login."""
    clock = time or Time()
    keeping = Keeping(tpm, identity or new_identity(tpm), b"", lambda: b"", clock.now, clock.elapsed)

    def send(message: bytes) -> bytes:
        line, _, content = message.partition(b"\n")
        request = json.loads(line)
        request.pop("size")
        return json.dumps(keeping.answer(request, content)).encode()

    return Speaking(send, lambda: b"certificate", clock.now), keeping


def binding(speaking: Speaking, nonce: bytes = b"n" * 32) -> Binding:
    """Return a challenge to the agent's own key."""
    return Binding(nonce, speaking.identify(), Digest.of(b"train.py"), "a" * 32)


# What every way to an agent has to do.


def gives_evidence(speaking: Speaking) -> bytes:
    """Check that an agent keeps its key, and signs what it is asked to sign along; return the evidence."""
    assert speaking.identify() == speaking.identify()
    asked = binding(speaking)
    evidence = speaking.evidence(asked.digest)
    parsed: Evidence = document.parse(evidence)
    assert isinstance(parsed, TpmEvidence)
    assert asked.digest in parsed.quote
    assert asked.digest not in document_of(speaking, binding(speaking, b"o" * 32)).quote
    return evidence


def document_of(speaking: Speaking, asked: Binding) -> TpmEvidence:
    """Return evidence, parsed."""
    parsed = document.parse(speaking.evidence(asked.digest))
    assert isinstance(parsed, TpmEvidence)
    return parsed


def released_to(
    speaking: Speaking, sealed: InMemory, until: datetime, *, evidence: bytes = b"", lease: str = ""
) -> bytes:
    """Return a dataset's key as key release would send it: to this agent, and for the TPM of this evidence."""
    evidence = evidence or speaking.evidence(binding(speaking).digest)
    secret = os.urandom(32)
    credential = Appraising().credential(evidence, secret, os.urandom)
    terms = Terms(sealed.seal.dataset, sealed.seal.epoch, lease or "lease-00000000000a", until, Digest.of(b"statement"))
    key = unlock(sealed.vault, sealed.seal, sealed.keyring)
    closed = wrapping.seal(key, terms, speaking.identify(), secret)
    return json.dumps(wrapping.to_json(Released(terms, closed, credential))).encode()


def opens_what_is_released(speaking: Speaking, until: datetime) -> None:
    """Check that a delivered key opens its dataset there, that nothing else does, and that it is gone when revoked."""
    sealed, other = sealed_in_memory(FILES), sealed_in_memory(FILES, dataset="b" * 32)
    files = sealed.vault.files
    lease = "lease-00000000000a"
    refuses(lambda: speaking.read(lease, sealed.digest, "claims.csv", files), "no such lease")
    before = speaking.identify()
    evidence = speaking.evidence(binding(speaking).digest)
    for _ in range(2):
        speaking.deliver(released_to(speaking, sealed, until, evidence=evidence))
    for path, content in FILES.items():
        assert speaking.read(lease, sealed.digest, path, files) == content
    refuses(lambda: speaking.read(lease, sealed.digest, "claims.csv", {**files, "index": b"x"}), "index")
    refuses(lambda: speaking.read(lease, other.digest, "claims.csv", other.vault.files), "another dataset")
    assert speaking.identify() == before
    assert speaking.revoke(lease)


def refuses_what_is_not_for_it(speaking: Speaking, until: datetime, elsewhere: bytes) -> None:
    """Check that a key for another TPM or another agent, or one that is late, is refused; `elsewhere` is evidence."""
    sealed = sealed_in_memory(FILES)
    refuses(lambda: speaking.deliver(released_to(speaking, sealed, until, evidence=elsewhere)), "TPM")
    own, late = speaking.evidence(binding(speaking).digest), until - timedelta(days=400)
    refuses(lambda: speaking.deliver(released_to(speaking, sealed, late, evidence=own)), "over")
    whole = json.loads(released_to(speaking, sealed, until, evidence=own))
    refuses(lambda: speaking.deliver(json.dumps({**whole, "lease": "lease-00000000000b"}).encode()), "other terms")
    del whole["credential"]
    refuses(lambda: speaking.deliver(json.dumps(whole).encode()), "not bound to this TPM")
    refuses(
        lambda: speaking.read("lease-00000000000a", sealed.digest, "claims.csv", sealed.vault.files), "no such lease"
    )


def refuses(act: Callable[[], object], why: str) -> None:
    """Check that something is refused with these words."""
    with pytest.raises(RingfenceError, match=why):
        act()
