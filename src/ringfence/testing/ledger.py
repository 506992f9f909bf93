"""A log in memory, with real keys, for tests: state, sign, prove, export, pack.

    log = LabLog()
    log.enrol("operator", KeyRole.OPERATOR)             # root, control, ops and ledger are there from the start
    log.state("dataset.sealed", {"objects": 3}, by="ops", details={"name": "scans"})
    log.export_head()                                   # keeps a head outside, and states that
    data = log.pack()                                   # the bytes of a pack, its report signed by "ops"
    verify(data, log.trust())

Keys follow from `seed`, so that two logs with one seed are forks of each other and two seeds are strangers. The
clock stands still until `advance`. Nothing is checked on the way in: tests are to state what must be refused later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ringfence.kernel.clock import to_text
from ringfence.kernel.commitment import Opening, commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, key_id_of, sign
from ringfence.kernel.errors import NotFound
from ringfence.kernel.identifier import KeyId, LogOrigin, PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Issuance, KeyRole, Statement, Strength, Subject, to_payload
from ringfence.ledger import checkpoint, note, tree
from ringfence.ledger.anchors.cosignature import cosign
from ringfence.ledger.anchors.judging import judge_anchors, vouched_before
from ringfence.ledger.books import CLAIM
from ringfence.ledger.entry import Place, encode, tenant_tag
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import Anchors, Checkpoint, LoggedStatement, SignedCheckpoint, Trust, Vouched, Witness
from ringfence.ledger.succession import replaced
from ringfence.reports.model import Extent, Preview
from ringfence.reports.ports import Rules
from ringfence.reports.service import compose, draft_of, preview_of
from ringfence.testing import acting
from ringfence.testing.authenticator import Authenticator

TENANT = Tenant("acme")
ORIGIN = LogOrigin("lab.example/log")
START = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
PERSON = PersonId("person-0123456789ab")
PAGE = "http://localhost:8400"
EVERYTHING = Extent("all")
_YEAR = timedelta(days=365)


@dataclass
class LabLog:
    """A log of one tenant (or of several: see `state`), and the keys of everybody who writes into it."""

    tenant: Tenant = TENANT
    origin: LogOrigin = ORIGIN
    seed: str = "lab"
    demo: bool = False
    now: datetime = START
    entries: list[tuple[datetime, Envelope, Opening | None]] = field(default_factory=list)
    pins: bool = True  # what the root enrols names the tenant's tag
    unnumbered: int = 0  # so many entries from the start on are of version 1, as in an older log
    heads: list[SignedCheckpoint] = field(default_factory=list)
    status: Mapping[str, Any] = field(default_factory=lambda: {"controls": []})
    _counts: dict[tuple[Tenant, KeyId], int] = field(default_factory=dict)
    rules: Rules | None = None  # None: the status is `status`
    said: dict[int, Anchors] = field(default_factory=dict)
    parties: dict[str, str] = field(default_factory=dict)  # of the witnesses that this log itself knows
    places: dict[int, Place | None] = field(default_factory=dict)  # entries that this log numbers otherwise
    passkeys: dict[str, Authenticator] = field(default_factory=dict)
    replaced: list[Envelope] = field(default_factory=list)  # the successions of the log's keys
    eras: list[tuple[int, str]] = field(default_factory=lambda: [(0, "ledger")])  # beyond which size whose pair signs
    _nonces: int = 0

    def __post_init__(self) -> None:
        """Enrol the keys that every installation has."""
        self.enrol("control", KeyRole.CONTROL_PLANE)
        self.enrol("ledger", KeyRole.LEDGER)
        self.enrol("ops", KeyRole.OPERATOR)

    # Keys

    def key(self, name: str) -> Ed25519PrivateKey:
        """Return the Ed25519 key called `name`: `root`, `control`, `ops`, `ledger`, or any other."""
        return Ed25519PrivateKey.from_private_bytes(sha256(f"{self.seed}/{name}".encode()).digest())

    def public(self, name: str) -> bytes:
        """Return the raw public key called `name`; of a passkey the uncompressed point."""
        if name in self.passkeys:
            return acting.point(self.passkeys[name])
        return self.key(name).public_key().public_bytes_raw()

    def key_id(self, name: str) -> KeyId:
        """Return the id of the key called `name`."""
        return key_id_of(self.public(name))

    def mldsa(self, name: str = "ledger") -> MLDSA44PrivateKey:
        """Return the ML-DSA-44 key beside the Ed25519 key of the log that is called `name`."""
        named = "" if name == "ledger" else f"{name}/"
        return MLDSA44PrivateKey.from_seed_bytes(sha256(f"{self.seed}/{named}mldsa".encode()).digest())

    def pair(self, name: str) -> tuple[str, str]:
        """Return the verifier keys of the log's pair of keys that is called `name`."""
        return checkpoint.vkeys(self.origin, self.public(name), self.mldsa(name).public_key().public_bytes_raw())

    @property
    def log_keys(self) -> tuple[str, str]:
        """Return the log's first verifier keys."""
        return self.pair("ledger")

    def replace_keys(self, name: str, *, by: str = "root", reason: str = "compromised", **claims: Any) -> Envelope:
        """Let the pair called `name` sign what comes; `claims` change what the root says of it."""
        last, draft = (
            self.head(),
            replaced(self.pair(self.eras[-1][1]), self.pair(name), self.head().checkpoint, reason),
        )
        self.eras.append((last.checkpoint.size, name))
        logged = self.state(
            draft.predicate, {**draft.claims, **claims}, by=by, subjects=draft.subjects, strength=draft.strength
        )
        self.replaced.append(logged.envelope)
        return logged.envelope

    def successions(self, tenant: Tenant | None = None) -> list[Envelope]:  # noqa: ARG002
        """Return what the root said of the log's keys."""
        return self.replaced

    # State

    def enrol(
        self,
        name: str,
        role: KeyRole,
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        by: str = "root",
        tenant: Tenant | None = None,
    ) -> LoggedStatement:
        """Enrol the key called `name`; valid from a day ago for two years unless told otherwise."""
        claims: dict[str, Any] = {
            "role": role.value,
            "algorithm": "ed25519",
            "publicKey": note.encode_base64(self.public(name)),
            "validFrom": to_text(valid_from or self.now - timedelta(days=1)),
            "validUntil": to_text(valid_until or self.now + 2 * _YEAR),
            "custody": "file-plain",
        }
        if role is KeyRole.OPERATOR:
            claims["person"] = PERSON
        if role is KeyRole.LEDGER:
            claims["mlDsa44PublicKey"] = note.encode_base64(self.mldsa(name).public_key().public_bytes_raw())
        if by == "root" and self.pins and not self.unnumbered:
            claims[CLAIM] = tenant_tag(self.tenant_salt(tenant) or b"", tenant or self.tenant).hex()
        key = self.key_id(name)
        subject = Subject(f"key/{key[:16]}", Digest.parse(key))
        return self.state(
            "key.enrolled", claims, by=by, subjects=(subject,), strength=Strength.DOCUMENTED, tenant=tenant
        )

    def enrol_passkey(self, name: str, *, by: str = "ops", person: str = PERSON, **claims: Any) -> LoggedStatement:
        """Make a passkey called `name`, and let another key enrol it; `claims` change what the enrolment says."""
        key = self.passkeys.setdefault(name, Authenticator(PAGE))
        life = {"validFrom": to_text(self.now), "validUntil": to_text(self.now + _YEAR)}
        made = acting.enrolment(key, person, **life | {"enrolledBy": "root" if by == "root" else person} | claims)
        about = (acting.subject_of(key),)
        return self.state("key.enrolled", made, by=by, subjects=about, strength=Strength.DOCUMENTED)

    def revoke(
        self, name: str, *, at: datetime | None = None, by: str = "root", reason: str = "compromised"
    ) -> LoggedStatement:
        """Revoke the key called `name`, from now on or from `at` on."""
        claims = {"keyId": self.key_id(name), "reason": reason, "at": to_text(at or self.now)}
        return self.state("key.revoked", claims, by=by, strength=Strength.DOCUMENTED)

    def state(
        self,
        predicate: str,
        claims: Mapping[str, Any],
        *,
        by: str = "ops",
        subjects: Sequence[Subject] = (),
        strength: Strength = Strength.OBSERVED,
        details: Mapping[str, Any] | None = None,
        **issuance: Any,
    ) -> LoggedStatement:
        """Sign a statement and take it into the log; `issuance` overrides fields such as `issued_at`, `tenant`."""
        envelope, opening = self.sign(
            predicate, claims, by=by, subjects=subjects, strength=strength, details=details, **issuance
        )
        return self.append(envelope, opening)

    def sign(
        self,
        predicate: str,
        claims: Mapping[str, Any],
        *,
        by: str = "ops",
        subjects: Sequence[Subject] = (),
        strength: Strength = Strength.OBSERVED,
        details: Mapping[str, Any] | None = None,
        **issuance: Any,
    ) -> tuple[Envelope, Opening | None]:
        """Sign a statement without taking it into the log."""
        self._nonces += 1
        nonce = sha256(f"{self.seed}/{self._nonces}".encode()).digest()
        opening = commit(details, nonce) if details else None
        made = self._issuance(by, strength, nonce[:16].hex(), {k: v for k, v in issuance.items() if v is not None})
        named = tuple(subjects) or (Subject(predicate.replace(".", "/"), Digest.of(nonce)),)
        commitment = opening.commitment if opening else None
        statement = Statement(PredicateName(predicate), named, claims, made, commitment)
        if by in self.passkeys:
            return acting.sign(self.passkeys[by], statement), opening
        return sign(to_payload(statement), self.key(by)), opening

    def state_draft(self, draft: Draft, *, by: str = "ops") -> LoggedStatement:
        """Sign a draft of the product's own and take it into the log."""
        return self.state(
            draft.predicate,
            draft.claims,
            by=by,
            subjects=draft.subjects,
            strength=draft.strength,
            details=draft.details or None,
        )

    def _issuance(self, by: str, strength: Strength, nonce: str, changes: dict[str, Any]) -> Issuance:
        tenant, key = changes.get("tenant", self.tenant), self.key_id(by)
        sequence = changes.get("sequence", self._counts.get((tenant, key), 0) + 1)
        self._counts[tenant, key] = max(sequence, self._counts.get((tenant, key), 0))
        made = Issuance(tenant, self.origin, key, strength, sequence, nonce, nonce, self.now, demo=self.demo)
        return replace(made, **changes)

    def append(
        self, envelope: Envelope, opening: Opening | None = None, *, at: datetime | None = None
    ) -> LoggedStatement:
        """Take an envelope into the log, now or at `at`."""
        self.entries.append((at or self.now, envelope, opening))
        return self._logged(len(self.entries) - 1, self.issuers(envelope.statement.issuance.tenant))

    def advance(self, **span: float) -> datetime:
        """Let time pass, for instance `advance(hours=1)`; return the new time."""
        self.now += timedelta(**span)
        return self.now

    # Read: what `ringfence.reports.ports.Log` asks for, and what the ledger's service offers

    def statements(
        self, tenant: Tenant | None = None, predicates: Sequence[str] | None = None, *, at: datetime | None = None
    ) -> list[LoggedStatement]:
        """Return a tenant's statements in log order."""
        wanted = tenant or self.tenant
        issuers = self.issuers(wanted)
        found = [self._logged(i, issuers) for i, (_, e, _) in enumerate(self.entries) if _tenant(e) == wanted]
        return [
            logged
            for logged in found
            if (predicates is None or logged.envelope.statement.predicate in predicates)
            and (at is None or logged.recorded_at <= at)
        ]

    def issuers(self, tenant: Tenant | None = None) -> Issuers:
        """Return the keys that a tenant knows."""
        wanted = tenant or self.tenant
        logged = [(at, e, entry) for entry, (at, e, _) in enumerate(self.entries) if _tenant(e) == wanted]
        return fold(logged, self.public("root")).proven(self.vouched_before)

    def vouched_before(self, when: datetime) -> Vouched | None:
        """Return the largest head that another party vouched for before a time."""
        trust = self.trust(heads=(), witnesses=self.parties)
        heads = [(self.checkpoint(size), anchors) for size, anchors in self.said.items()]
        judged = ((one.checkpoint.size, judge_anchors(one.checkpoint, said, trust, one.note)) for one, said in heads)
        return vouched_before(judged, when)

    def _logged(self, index: int, issuers: Issuers) -> LoggedStatement:
        recorded_at, envelope, opening = self.entries[index]
        standing, issuer = issuers.at(envelope.signer, recorded_at, index)
        place = self.place(index)
        return LoggedStatement(index, recorded_at, envelope, opening, standing, issuer, place)

    def tenant_salt(self, tenant: Tenant | None = None) -> bytes | None:
        """Return the salt under which the log names a tenant."""
        return sha256(f"{self.seed}/salt/{tenant or self.tenant}".encode()).digest()

    def place(self, index: int) -> Place | None:
        """Return the number of an entry among those of its tenant."""
        if index in self.places:
            return self.places[index]
        if index < self.unnumbered:
            return None
        tenant = _tenant(self.entries[index][1])
        number = sum(_tenant(envelope) == tenant for _, envelope, _ in self.entries[: index + 1])
        return Place(tenant_tag(self.tenant_salt(tenant) or b"", tenant), number)

    def head(self) -> SignedCheckpoint:
        """Return the checkpoint over everything."""
        return self.checkpoint(len(self.entries))

    def first_head(self) -> SignedCheckpoint:
        """Return the head that an installation gives out at its start: over the first three enrolments."""
        return self.checkpoint(min(3, len(self.entries)))

    def checkpoint(self, size: int) -> SignedCheckpoint:
        """Return a checkpoint of any size."""
        if size > len(self.entries):
            raise NotFound(f"this log never published a checkpoint of size {size}")
        head = Checkpoint(self.origin, size, tree.root_of(self.leaves()[:size]))
        name = next(name for above, name in reversed(self.eras) if above < size or not above)
        return checkpoint.sign(head, self.key(name), self.mldsa(name), self.now)

    def leaves(self) -> list[bytes]:
        """Return the leaf hashes."""
        rows = enumerate(self.entries)
        return [tree.leaf_hash(encode(at, envelope.digest, self.place(index))) for index, (at, envelope, _) in rows]

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Prove that an entry is in the tree of a size."""
        return tree.inclusion_proof(index, size, self._reader())

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the tree of size `new` continues the one of size `old`."""
        return tree.consistency_proof(old, new, self._reader())

    def _reader(self) -> tree.HashReader:
        return tree.overlay(tree.grow(0, self.leaves(), lambda _: ()), lambda _: ())

    # Export

    def cosign(self, name: str, *, at: datetime | None = None) -> SignedCheckpoint:
        """Let the witness called `name` cosign the head as it is now."""
        signed = self.head()
        known = self.said.get(signed.checkpoint.size, Anchors())
        line = cosign(signed.checkpoint, self.witness_key(name), self.key(name).sign, at or self.now)
        self.said[signed.checkpoint.size] = replace(known, cosignatures=(*known.cosignatures, line))
        return signed

    def witness_key(self, name: str) -> note.VerifierKey:
        """Return the verifier key of the witness called `name`."""
        return note.VerifierKey(f"{name}.example", note.SignatureType.ED25519_COSIGNATURE, self.public(name))

    def anchors(self, size: int) -> Anchors:
        """Return what others said of the head of this size."""
        return self.said.get(size, Anchors())

    def anchored(self) -> list[int]:
        """Return the sizes of the heads of which others said anything."""
        return sorted(self.said)

    def export_head(self, *, by: str = "ops") -> SignedCheckpoint:
        """Keep a head outside, and state that it was exported."""
        signed = self.head()
        size, root = signed.checkpoint.size, signed.checkpoint.root
        subject = Subject(f"head/{size}", Digest.of(signed.note.encode()))
        claims = {"size": size, "root": root.hex(), "destination": "file"}
        self.state("ledger.head_exported", claims, by=by, subjects=(subject,))
        self.heads.append(signed)
        return signed

    def trust(
        self,
        *,
        heads: Sequence[SignedCheckpoint] | None = None,
        witnesses: Mapping[str, str] | None = None,
        quorum: int = 0,
    ) -> Trust:
        """Return what an outsider trusts: by default with every exported head; `witnesses` are names and parties."""
        kept = tuple(signed.note for signed in (self.heads if heads is None else heads))
        named = ((self.witness_key(name), party) for name, party in (witnesses or {}).items())
        known = tuple(Witness(key.name, str(key), party) for key, party in named)
        return Trust(self.origin, self.public("root"), self.log_keys, kept, known, quorum=quorum)

    def report(
        self, *, by: str = "ops", as_of: datetime | None = None, extent: Extent = EVERYTHING
    ) -> tuple[LoggedStatement, Preview]:
        """State `report.exported` over the status as it is now."""
        rules = self.rules or (lambda *_: self.status)
        preview = preview_of(self, self.public("root"), rules, self.tenant, as_of or self.now, extent=extent)
        self.advance(milliseconds=1)
        return self.state_draft(draft_of(preview.to_json()), by=by), preview

    def pack(
        self,
        *,
        by: str = "ops",
        as_of: datetime | None = None,
        sizes: Sequence[int] = (),
        extent: Extent = EVERYTHING,
    ) -> bytes:
        """State a report and return the finished pack; `sizes` are heads to prove beside the exported ones."""
        reported, preview = self.report(by=by, as_of=as_of, extent=extent)
        return compose(self, self.trust(heads=()), self.tenant, reported.entry, preview, sizes)


def _tenant(envelope: Envelope) -> Tenant:
    return envelope.statement.issuance.tenant
