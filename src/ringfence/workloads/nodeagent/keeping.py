"""What the agent of a measured node answers: who it is, evidence, and what a released key opens.

Its own key is made when it starts and never leaves its memory; released keys lie there as well, each until its lease
ends. When the last one has ended, or was revoked, the agent ends too, and its successor has another key. The process
that holds all this belongs to a user of its own, so that what runs on the node can ask it, and not look into it.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from ringfence.artifacts.opening import OpenDataset, check, open_manifest
from ringfence.compute.providers.tpm2 import Key, Quoted, Tpm
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, RingfenceError, Unavailable
from ringfence.keyrelease import wrapping
from ringfence.keyrelease.wrapping import Terms
from ringfence.workloads.nodeagent.vault import MemoryVault

BINDING_SIZE = 32
QUOTED = (*range(11), 14)  # firmware, what it started, what ran since; 14 is empty here, and to be seen empty
TRIES = 20  # a file may be measured between reading the registers and signing them
LONGEST_LEASE = timedelta(hours=1)
_LONGEST = int(LONGEST_LEASE.total_seconds())
BEHIND = timedelta(minutes=1)  # this clock may be ahead of the one that the lease was made by
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """The agent's own keys: one for HPKE, made when it starts, and two of the TPM."""

    private: MLKEM768X25519PrivateKey
    public: bytes
    ak: Key
    ek: Key

    def __repr__(self) -> str:
        return "Identity(…)"


def new_identity(tpm: Tpm) -> Identity:
    """Make the agent's key, and load those of the TPM."""
    first, second = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = first.public_key().public_bytes_raw() + second.public_key().public_bytes_raw()
    return Identity(MLKEM768X25519PrivateKey(first, second), public, tpm.attestation_key(), tpm.endorsement_key())


@dataclass(slots=True)
class Held:
    """A dataset's key, for as long as its lease goes on."""

    terms: Terms
    key: bytearray
    until: float  # of the clock that only goes forward

    def drop(self) -> None:
        """Overwrite the key."""
        self.key[:] = bytes(len(self.key))


@dataclass(slots=True)
class Keeping:
    """Answers requests, one after the other."""

    tpm: Tpm
    identity: Identity
    event_log: bytes
    ima: Callable[[], bytes]
    now: Callable[[], datetime]
    elapsed: Callable[[], float]
    held: dict[str, Held] = field(default_factory=dict)  # lease -> what it gives
    opened: dict[Digest, float] = field(default_factory=dict)  # what was delivered -> when it ends
    revoked: set[str] = field(default_factory=set)
    ended: bool = False  # there was a lease, and there is none any more

    def answer(self, request: Mapping[str, Any], content: bytes) -> Answer:
        """Answer one request; an error is an answer, too."""
        self.expire()
        try:
            match request:
                case {"do": "identify", **more} if not more:
                    return self._identify()
                case {"do": "quote", "binding": str() as binding, **more} if not more:
                    return self._quote(_bytes(binding))
                case {"do": "deliver", "seconds": int() as seconds, **more} if not more:
                    return self._deliver(content, timedelta(seconds=max(0, min(seconds, _LONGEST))))
                case {"do": "revoke", "lease": str() as lease, **more} if not more:
                    return self._revoke(lease)
                case {"do": "open", "lease": str() as lease, "seal": str() as seal, "path": str() as path, **more}:
                    return self._open(lease, Digest.parse(seal), path, MemoryVault.of(more, content))
                case _:
                    raise MalformedInput("the agent knows no such request")
        except RingfenceError as error:
            return {"error": str(error)}

    def expire(self) -> float | None:
        """Overwrite what has ended; return how long the next lease still goes on."""
        for lease in [lease for lease, each in self.held.items() if each.until <= self.elapsed()]:
            self._drop(lease)
        return min((each.until - self.elapsed() for each in self.held.values()), default=None)

    def drop_all(self) -> None:
        """Overwrite every key."""
        for lease in list(self.held):
            self._drop(lease)

    def _drop(self, lease: str) -> None:
        self.held.pop(lease).drop()
        self.ended = not self.held

    # who it is, and what runs here

    def _identify(self) -> Answer:
        return {
            "nodeKey": _text(self.identity.public),
            "ak": _text(self.identity.ak.public),
            "ek": _text(self.identity.ek.public),
        }

    def _quote(self, binding: bytes) -> Answer:
        if len(binding) != BINDING_SIZE:
            raise MalformedInput(f"a binding has {BINDING_SIZE} bytes, not {len(binding)}")
        quoted, registers = self._signed(binding)
        return {
            "family": "tpm2",
            "ak": _text(self.identity.ak.public),
            "ek": _text(self.identity.ek.public),
            "quote": _text(quoted.attest),
            "signature": _text(quoted.signature),
            "pcrs": {"sha256": {str(number): value.hex() for number, value in registers.items()}},
            "eventLog": _text(self.event_log),
            "ima": _text(self.ima()),  # read afterwards: what was measured since stands behind what was signed
        }

    def _signed(self, binding: bytes) -> tuple[Quoted, dict[int, bytes]]:
        """Return a quote, and the registers that it is over."""
        for _ in range(TRIES):
            registers = self.tpm.pcrs(QUOTED)
            quoted = self.tpm.quote(self.identity.ak, binding, QUOTED)
            whole = b"".join(registers[number] for number in QUOTED)
            if quoted.attest.endswith(Digest.of(whole).value):
                return quoted, registers
        raise Unavailable("the registers change faster than they can be signed")

    # keys

    def _deliver(self, document: bytes, wanted: timedelta) -> Answer:
        """Keep a key as long as the host says, counted from its first delivery; our time of day can only shorten it.

        Who sees the document on its way may deliver it again: it then ends when it would have, and one that was
        revoked stays so.
        """
        released = wrapping.parse(document)
        terms = released.terms
        left = min(wanted, terms.expires_at - self.now() + BEHIND)
        if left <= timedelta():
            raise Refused("the lease of the released key is over")
        if released.credential is None:
            raise Refused("the released key is not bound to this TPM")
        key = wrapping.open_sealed(released, self.identity.private, self._activated)
        until = self._until(terms, self.elapsed() + left.total_seconds())
        if earlier := self.held.pop(terms.lease, None):
            earlier.drop()
        self.held[terms.lease] = Held(terms, key, until)
        return {"lease": terms.lease, "seconds": max(0, int(until - self.elapsed()))}

    def _until(self, terms: Terms, until: float) -> float:
        """Return when a key ends that was opened: not later than at its first delivery."""
        first = self.opened.setdefault(Digest.of(terms.info), until)
        if terms.lease in self.revoked or first <= self.elapsed():
            raise Refused("the lease of the released key is over")
        return min(first, until)

    def _activated(self, credential: bytes) -> bytes:
        return self.tpm.activate(self.identity.ak, self.identity.ek, credential)

    def _revoke(self, lease: str) -> Answer:
        known = lease in self.held
        if known:
            self.revoked.add(lease)
            self._drop(lease)
        return {"revoked": known}

    # reading

    def _open(self, lease: str, seal: Digest, path: str, vault: MemoryVault) -> Answer:
        """Return one file of a sealed dataset: verified, and decrypted here."""
        found = self.held.get(lease)
        if found is None:
            raise NotFound("there is no such lease here; it may have ended")
        checked = check(vault, seal, found.terms.epoch)
        if checked.seal.dataset != found.terms.dataset:
            raise Refused("the lease is for another dataset")
        manifest = open_manifest(vault, checked, found.key)
        opened = OpenDataset(vault, checked, found.key, manifest, {file.path: file for file in manifest.files})
        with opened.reader(path) as reader:
            return {"content": _text(reader.read_at(0, reader.size))}


def _text(data: bytes | bytearray) -> str:
    return b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise MalformedInput("bytes are written as base64") from error
