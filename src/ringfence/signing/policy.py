"""What the signer signs, and what it refuses. Pure; docs/specs/signer.md has the same rules as a table."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ringfence.kernel import digest
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.errors import Refused, VerificationFailed
from ringfence.kernel.statement import KeyRole, Statement
from ringfence.ledger import tree
from ringfence.ledger.model import Checkpoint
from ringfence.signing.model import STATING, Mark, PublicKeys

SKEW = timedelta(minutes=5)  # how far the time of what is asked may be from ours
AWAY = timedelta(days=7)  # how long containment may have waited for a signer that was down
STEP_BACK = timedelta(seconds=5)  # NTP at work; the head then gets the time of the one before it

# What people, the root and the gateway state with keys of their own: no service speaks for them. Written out, so that
# the signer reads neither rules nor forms; a test derives from both, and from every act, what has to stand here.
OF_OTHERS = frozenset(
    {
        "access.provider_log",
        "access.review_decided",
        "ai.classification",
        "ai.log_schema",
        "ai.prohibited_screen",
        "ai.risk_file",
        "alert.test",
        "asset.classified",
        "audit.report",
        "backup.artifacts_made",
        "backup.artifacts_restored",
        "bia.signed",
        "bias.eval",
        "build.provenance",
        "cert.external",
        "change.approved",
        "comms.drill",
        "conformity.pack",
        "contract.clause_check",
        "control.not_applicable",
        "cra.classification",
        "crisis.drill",
        "cvd.policy",
        "dataflow.map_signed",
        "dataset.erased",
        "dataset.erasure_requested",
        "dataset.checked",
        "dataset.opened",
        "dataset.poison_screen",
        "dataset.provenance",
        "dataset.sealed",
        "dataset.verified",
        "deletion.certificate",
        "dpia.signed",
        "entity.classification",
        "evidence.custody",
        "exception.approved",
        "exception.ended",
        "exception.requested",
        "exit.drill",
        "failover.drill",
        "fria.signed",
        "gpai.summary",
        "gpai.systemic_pack",
        "gate.mode_set",
        "hr.exit",
        "hr.vetting",
        "ifu.complete",
        "image.signed",
        "incident.breach_notice",
        "incident.closed",
        "incident.corrected",
        "incident.customer_notice",
        "incident.drill",
        "incident.report",
        "incident.review",
        "incident.triage",
        "inference.segment",
        "kek.rotated",
        "key.custody",
        "key.enrolled",
        "key.release",
        "key.release_allowed",
        "ledger.head_exported",
        "ledger.keys_replaced",
        "load.test",
        "mfa.enforced",
        "mgmt.resolution_opened",
        "mgmt.vote",
        "mlbom.generated",
        "model.imported",
        "model.approved",
        "model.intake_decided",
        "model.quarantined",
        "model.scan",
        "model.signed",
        "node.attested",
        "opinion.given",
        "opinion.withdrawn",
        "oversight.test",
        "pam.session_log",
        "patch.status",
        "pentest.report",
        "pmm.report",
        "policy.version_signed",
        "privacy.attack_eval",
        "profile.selected",
        "pseudonymisation.report",
        "qms.checklist",
        "quarantine.release_approved",
        "quarantine.release_requested",
        "redteam.run",
        "registration.receipt",
        "report.exported",
        "residency.check",
        "risk.accepted",
        "risk.assessment",
        "risk.registered",
        "risk.reviewed",
        "risk.treated",
        "robustness.eval",
        "role.assignment",
        "ropa.entry",
        "run.imported",
        "run.manifest",
        "sbom.generated",
        "sdlc.gate",
        "status.report",
        "support.statement",
        "techdoc.complete",
        "techdoc.exported",
        "threat.model",
        "tia.signed",
        "tlpt.support",
        "training.record",
        "transparency.marking_check",
        "vendor.assessment",
        "vendor.chain",
        "vendor.register",
        "vendor.review",
        "vuln.scan",
    }
)
CONTAINMENT = frozenset(
    {
        "apikey.blocked",
        "apikey.revoked",
        "forensics.collected",
        "key.revoked",
        "quarantine.confirmed",
        "quarantine.failed",
        "quarantine.requested",
        "response.decided",
        "service.revoked",
        "source.blocked",
    }
)
LONGEST_SNAPSHOT = timedelta(minutes=5)  # as docs/specs/snapshot.md has it
_SNAPSHOT_TYPE = b"application/vnd.ringfence.gateway-snapshot+json"
SNAPSHOT_START = b"DSSEv1 %d %s " % (len(_SNAPSHOT_TYPE), _SNAPSHOT_TYPE)


def may_state(role: KeyRole, predicate: str) -> bool:
    """Return whether a key of this role signs statements of this type."""
    if role is KeyRole.EMERGENCY:
        return predicate in CONTAINMENT
    return role is KeyRole.CONTROL_PLANE and predicate not in OF_OTHERS


def check_statement(role: KeyRole, statement: Statement, own: PublicKeys, now: datetime) -> None:
    """Return where a role's key signs this statement now; raise `Refused`."""
    if role not in STATING:
        raise Refused(f"the signer states nothing as {role}")
    issuance = statement.issuance
    if issuance.log != own.log:
        raise Refused(f"the signer signs for the log {own.log}, not for {issuance.log}")
    if issuance.issuer != key_id_of(own.of(role)):
        raise Refused(f"the statement names another issuer than the {role} key that is to sign it")
    if not may_state(role, statement.predicate):
        raise Refused(f"the {role} key does not state {statement.predicate}")
    emergency = role is KeyRole.EMERGENCY
    if issuance.late is not emergency:
        raise Refused("what the emergency key states is marked late, and nothing else is")
    if not now - (AWAY if emergency else SKEW) <= issuance.issued_at <= now + SKEW:
        raise Refused(
            f"the statement says that it was issued at {to_text(issuance.issued_at)}, but it is {to_text(now)} here; "
            "nothing is signed with another date"
        )


def check_snapshot(signed: bytes, now: datetime) -> None:
    """Return where these bytes can be nothing but a snapshot for the gateway, and not one of later; raise `Refused`."""
    size, blank, payload = signed.removeprefix(SNAPSHOT_START).partition(b" ")
    if not signed.startswith(SNAPSHOT_START) or not blank or size != b"%d" % len(payload):
        raise Refused("only a snapshot for the gateway is signed this way")
    match digest.loads(payload, source="snapshot"):
        case {"issuedAt": issued, "expiresAt": expires, **_extra}:
            late = from_text(issued) > now + SKEW or from_text(expires) > now + SKEW + LONGEST_SNAPSHOT
        case _:
            raise Refused("a snapshot says when it was issued and when it expires")
    if late:  # kept until then, it would bring back callers who have been blocked meanwhile
        raise Refused(f"the snapshot is dated ahead of our clock, where it is {to_text(now)}")


def next_mark(last: Mark | None, head: Checkpoint, at: datetime, proof: Sequence[bytes], now: datetime) -> Mark:
    """Return the mark once `head` is signed.

    Raises:
        Refused: signing it would show two logs to the world, or date it back.
    """
    at = at.replace(microsecond=0)
    if abs(at - now) > SKEW:
        raise Refused(f"a head is to be dated {to_text(at)}, but it is {to_text(now)} here")
    if last is None:
        return Mark(head.size, head.root, at)
    if head.size < last.size:
        raise Refused(
            f"a head of {last.size} entries was signed at {to_text(last.at)}, and one of {head.size} is asked for: the "
            "database is older than what was signed (was it restored from a backup?); nothing is signed until both "
            "agree"
        )
    if at < last.at.replace(microsecond=0) - STEP_BACK:
        raise Refused(f"the last head was signed at {to_text(last.at)}; none is signed with an earlier time")
    try:
        # The same head once more is what an integrator asks for that was killed before it could keep the signature.
        shown = tuple(proof) if head.size > last.size else ()
        tree.verify_consistency(last.size, last.root, head.size, head.root, shown)
    except VerificationFailed as error:
        raise Refused(
            f"the head of {head.size} entries with root {Digest(head.root).hex[:16]}… does not continue the one of "
            f"{last.size} entries that was signed at {to_text(last.at)}: signing it would make two logs of one (was "
            "the database restored from a backup, or changed?)"
        ) from error
    return Mark(head.size, head.root, max(at, last.at))
