"""A signer's folder, statements and heads for it, and what every signer has to do, in whatever process it is."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ringfence.kernel import digest
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import assemble, key_id_of
from ringfence.kernel.errors import Refused, RingfenceError
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Issuance, KeyRole, Statement, Strength, Subject, to_payload
from ringfence.ledger import tree
from ringfence.ledger.model import Checkpoint
from ringfence.signing import policy
from ringfence.signing.ports import Signer
from ringfence.storage import keyfile
from ringfence.storage.tokensigner import IN_TOKEN
from ringfence.testing.tokens import SoftToken, give_away, unmade

LOG = LogOrigin("example.eu/signed")
LEAVES = tuple(tree.leaf_hash(bytes([number])) for number in range(64))


def folder(path: Path, passphrase: bytes | None = None) -> Path:
    """Make what a signer needs of a home: keys, and the place of the log."""
    (path / "keys").mkdir(parents=True, mode=0o700)
    (path / "log").mkdir(mode=0o700)
    named = {name: secrets.token_bytes(32) for name in ("control-plane", "ledger", "ledger-ml-dsa-44", "emergency")}
    keyfile.create(path / "keys" / "service.json", named, passphrase)
    return path


def in_token(home: Path, token: SoftToken) -> Path:
    """Put fresh keys of the roles that state into a token, in the place of those in the key file."""
    path = home / "keys" / "service.json"
    named = dict(keyfile.load(path, None).secrets)
    for name in ("control-plane", "emergency"):
        del named[name]
        named[name + IN_TOKEN] = unmade(token, f"{name}-{secrets.token_hex(4)}").made().to_secret()
    keyfile.rewrite(path, named, None)
    give_away(token)
    return home


def statement(signer: Signer, role: KeyRole, at: datetime, predicate: str = "", **changes: Any) -> Statement:
    """Return a statement that `role` may state, with `changes` of its issuance."""
    issuance = Issuance(
        tenant=Tenant("example"),
        log=LOG,
        issuer=key_id_of(signer.public().of(role)),
        strength=Strength.OBSERVED,
        sequence=1,
        nonce="00" * 16,
        idempotency_key="once",
        issued_at=at,
        late=role is KeyRole.EMERGENCY,
    )
    named = predicate or ("source.blocked" if role is KeyRole.EMERGENCY else "log.heartbeat")
    subject = Subject("a", Digest.of(b"a"))
    return Statement(PredicateName(named), (subject,), {"n": 1}, replace(issuance, **changes))


def head(size: int, leaves: tuple[bytes, ...] = LEAVES) -> Checkpoint:
    """Return the head of the first `size` leaves."""
    return Checkpoint(LOG, size, tree.root_of(leaves[:size]))


def proof(old: int, new: int, leaves: tuple[bytes, ...] = LEAVES) -> tuple[bytes, ...]:
    """Prove that the first `old` leaves are the beginning of the first `new` ones."""
    reader = tree.overlay(tree.grow(0, leaves[:new], _nothing), _nothing)
    return tree.consistency_proof(old, new, reader)


def snapshot(at: datetime, lives: timedelta = timedelta(seconds=60)) -> bytes:
    """Return the head of a snapshot for the gateway, as DSSE encodes it."""
    payload = digest.dumps({"issuedAt": to_text(at), "expiresAt": to_text(at + lives)})
    return policy.SNAPSHOT_START + b"%d %s" % (len(payload), payload)


def refused(act: Callable[[], object]) -> str:
    """Return the sentence with which something is refused."""
    try:
        act()
    except Refused as error:
        return str(error)
    raise AssertionError("it was not refused")


def signs_for_its_roles(signer: Signer, now: datetime) -> None:
    """It signs what each role states, and the signature is that of the key it shows."""
    for role in (KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY):
        made = statement(signer, role, now)
        payload = to_payload(made)
        envelope = assemble(payload, made.issuance.issuer, signer.state(role, payload))
        assert envelope.verify(signer.public().of(role)) == made


def refuses_what_is_not_its_own(signer: Signer, now: datetime) -> None:
    """It refuses other roles, logs, issuers, types and dates."""

    def asked(role: KeyRole, made: Statement) -> str:
        return refused(lambda: signer.state(role, to_payload(made)))

    control, emergency = KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY
    assert "states nothing as root" in asked(KeyRole.ROOT, statement(signer, control, now))
    assert "another issuer" in asked(emergency, statement(signer, control, now))
    assert "signs for the log" in asked(control, statement(signer, control, now, log=LogOrigin("other.eu/log")))
    for predicate in ("key.enrolled", "inference.segment", "report.exported", "ledger.head_exported"):
        assert "does not state" in asked(control, statement(signer, control, now, predicate))
    assert "does not state" in asked(emergency, statement(signer, emergency, now, "log.heartbeat"))
    for wrong in (timedelta(minutes=-6), timedelta(minutes=6)):
        assert "another date" in asked(control, statement(signer, control, now + wrong))
    assert "another date" in asked(emergency, statement(signer, emergency, now - timedelta(days=8)))
    assert "marked late" in asked(control, statement(signer, control, now, late=True))
    assert "only a snapshot" in refused(lambda: signer.snapshot(b"DSSEv1 28 application/vnd.in-toto+json 2 {}"))
    assert "only a snapshot" in refused(lambda: signer.snapshot(snapshot(now)[:-1]))
    assert signer.snapshot(snapshot(now))
    for later in (snapshot(now + timedelta(minutes=6)), snapshot(now, lives=timedelta(days=1))):
        assert "dated ahead" in refused(lambda later=later: signer.snapshot(later))  # type: ignore[misc]


def never_signs_two_logs(signer: Signer, now: datetime) -> None:
    """Heads grow, continue one another, and are never dated back."""
    first = signer.head(head(5), now)
    assert first.checkpoint == head(5)
    assert signer.head(head(5), now).checkpoint == head(5)
    assert signer.head(head(9), now, proof(5, 9)).checkpoint.size == 9
    other = (*LEAVES[:3], tree.leaf_hash(b"other"), *LEAVES[4:])
    assert "older than what was signed" in refused(lambda: signer.head(head(5), now))
    assert "two logs of one" in refused(lambda: signer.head(head(9, other), now))
    assert "two logs of one" in refused(lambda: signer.head(head(12, other), now, proof(9, 12, other)))
    assert "two logs of one" in refused(lambda: signer.head(head(12), now))
    assert "earlier time" in refused(lambda: signer.head(head(12), now - timedelta(minutes=1), proof(9, 12)))
    assert "is to be dated" in refused(lambda: signer.head(head(12), now + timedelta(minutes=6), proof(9, 12)))
    assert signer.head(head(12), now, proof(9, 12)).checkpoint.size == 12


def survives_anything(signer: Signer, now: datetime, junk: bytes) -> None:
    """Whatever is asked that no role may sign, the answer is one of our own errors."""
    for act in (
        lambda: signer.state(KeyRole.CONTROL_PLANE, junk),
        lambda: signer.snapshot(junk),
        lambda: signer.head(Checkpoint(LogOrigin("other.eu/log"), 1, bytes(32)), now),
    ):
        with pytest.raises(RingfenceError, match=r"."):
            act()


def _nothing(coordinates: object) -> tuple[bytes, ...]:
    raise AssertionError(f"nothing is kept, and {coordinates} is asked for")
