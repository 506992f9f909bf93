"""What of this installation itself does not work, as findings: evidence that stops coming says something. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import Tenant
from ringfence.soc.model import Finding, finding_id

GATEWAY_SILENT, UNCONFIRMED, SEGMENT_REFUSED = "gateway-silent", "gateway-unconfirmed", "segment-refused"
WITNESS_CONFLICT, PASSKEY_COPIED, RETENTION_STUCK = "witness-conflict", "passkey-copied", "retention-stuck"
OVERRIDES_REFUSED, ENGINE_CHANGED = "overrides-refused", "engine-changed"
TITLES = {
    GATEWAY_SILENT: "The gateway does not serve",
    UNCONFIRMED: "Keys and routes are not confirmed to the gateway, which refuses everybody once they are too old",
    SEGMENT_REFUSED: "Records of the gateway are not taken into the log: what was answered since has no receipt",
    WITNESS_CONFLICT: "The log may have been rolled back or rebuilt",
    PASSKEY_COPIED: "A passkey counted backwards: there may be two of it",
    RETENTION_STUCK: "Something past its period cannot be read or destroyed",
    OVERRIDES_REFUSED: "The team's overrides of the rules are refused, and none of them counts",
    ENGINE_CHANGED: "An engine was found with other bytes than were verified when it was loaded",
}
RULES = frozenset(TITLES)
SUBJECT = "gateway"  # no node can be called so
SUBJECTS = {
    WITNESS_CONFLICT: "ledger",
    PASSKEY_COPIED: "sign-in",
    RETENTION_STUCK: "retention",
    OVERRIDES_REFUSED: "rules",
    ENGINE_CHANGED: "engines",
}
TECHNIQUES = {PASSKEY_COPIED: ("T1078",), ENGINE_CHANGED: ("T1565",)}  # others weaken what watches: T1562
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)  # of an identifier: `Fault.key` says which one it is


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is meant to run, or to fit, and does not.

    Attributes:
        rule: one of `RULES`.
        tenant: whose it is; None for what all tenants share.
        key: tells it from others of its rule, and stays the same while it lasts.
        since: when it was seen first.
        because: a sentence.
    """

    rule: str
    tenant: Tenant | None
    key: str
    since: datetime
    because: str


def concerning(faults: Iterable[Fault], tenant: Tenant) -> list[Fault]:
    """Return the faults that people of a tenant should see."""
    return [fault for fault in faults if fault.tenant in {None, tenant}]


def finding(fault: Fault, at: datetime) -> Finding:
    """Return the finding of a fault; the same fault gives the same finding, also after a restart."""
    return Finding(
        id=finding_id(fault.rule, SUBJECTS.get(fault.rule, SUBJECT), fault.key, _ALWAYS),
        rule=fault.rule,
        subject=SUBJECTS.get(fault.rule, SUBJECT),
        source="",
        first_seen=fault.since,
        last_seen=at,
        count=1,
        severity="medium",
        technique=TECHNIQUES.get(fault.rule, ("T1562",)),
        title=f"{TITLES[fault.rule]}: {fault.because}",
    )


def shown(fault: Fault) -> dict[str, str]:
    """Return the form in which the API shows it."""
    return {
        "rule": fault.rule,
        "since": to_text(fault.since),
        "what": TITLES[fault.rule],
        "because": fault.because,
    }
