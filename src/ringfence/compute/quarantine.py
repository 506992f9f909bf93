"""Cutting a node off and freeing it again: enter, confirm, hold, release by two people; pure.

`ENTERING` means that the cut is wanted and not shown to hold; `QUARANTINED` that it was probed and holds;
`RELEASING` that two people have signed and the state before the cut is being given back.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringfence.compute.model import (
    Containment,
    Isolation,
    Node,
    ProbeResult,
    Quarantine,
    Release,
    ReleaseState,
)
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, Refused
from ringfence.kernel.identifier import PersonId

REQUEST_LIFE = timedelta(hours=24)
PENDING = frozenset({ReleaseState.ASKED, ReleaseState.APPROVED})
FORENSIC = "forensic"  # the one path that stays open; a cut holds without it
FOUND_CUT_OFF = "found cut off at the provider; no wish of ours is known"


@dataclass(frozen=True, slots=True)
class Wish:
    """Why a node is to be cut off, and since when that is known."""

    reason: str
    finding: str = ""
    by: str = ""
    triggered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A node with its quarantine, and whether the quarantine began just now."""

    node: Node
    quarantine: Quarantine
    fresh: bool


def enter(node: Node, known: Quarantine | None, wish: Wish, at: datetime, *, number: int = 0) -> Hold:
    """Decide how a node comes to be cut off; one that is already stays in the same quarantine.

    `number` is that of a wish that was kept beside the database and that the row does not know yet.
    """
    if node.ended and not node.cut_off:
        raise Conflict(f"{node.spec.name} does not run any more; there is nothing to cut off")
    if node.containment in {Containment.ENTERING, Containment.QUARANTINED} and known is not None:
        return Hold(node, known, fresh=False)
    entered = replace(node, containment=Containment.ENTERING, quarantine=max(node.quarantine + 1, number))
    made = Quarantine(
        node=node.id,
        tenant=node.tenant,
        number=entered.quarantine,
        reason=wish.reason,
        finding=wish.finding,
        by=wish.by,
        requested_at=at,
        triggered_at=wish.triggered_at,
    )
    return Hold(entered, made, fresh=True)


def holds(probes: tuple[ProbeResult, ...]) -> bool:
    """Return whether the probes show a cut: every path that could be tried is closed, but the forensic one.

    What could not be tried shows nothing either way; it stands in the statement with its reason.
    """
    tried = [probe for probe in probes if probe.path != FORENSIC and probe.tried]
    return bool(tried) and all(probe.ok for probe in tried)


def cut(hold: Hold, isolation: Isolation, at: datetime) -> Hold:
    """The provider has cut the node off; when it is asked again, the figures of the first cut stay."""
    made = replace(hold.quarantine, kind=isolation.kind, before=isolation.before)
    if made.cut_at is None:
        made = replace(made, micros=isolation.micros, cut_at=at)
    return replace(hold, quarantine=made)


def judge(hold: Hold, probes: tuple[ProbeResult, ...], at: datetime) -> Hold:
    """Decide from the probes whether the quarantine is confirmed."""
    if not holds(probes):
        open_paths = (
            ", ".join(probe.path for probe in probes if probe.tried and not probe.ok) or "no path could be tried"
        )
        return unconfirmed(replace(hold, quarantine=replace(hold.quarantine, probes=probes)), f"open: {open_paths}")
    known = hold.quarantine
    sure = replace(known, probes=probes, confirmed_at=known.confirmed_at or at, because="")
    return replace(hold, node=replace(hold.node, containment=Containment.QUARANTINED, changed_at=at), quarantine=sure)


def unconfirmed(hold: Hold, because: str) -> Hold:
    """The cut could not be made or does not hold; it stays wanted."""
    node = replace(hold.node, containment=Containment.ENTERING)
    return replace(hold, node=node, quarantine=replace(hold.quarantine, confirmed_at=None, because=because))


@dataclass(frozen=True, slots=True)
class Known:
    """Where it stands: what the row says, which wish is kept beside the database, what the provider does."""

    node: Node
    intent: int  # 0: none
    isolated: bool


def is_stale(known: Known) -> bool:
    """Return whether a kept wish belongs to a quarantine that is over."""
    node = known.node
    over = node.containment is Containment.NONE and known.intent == node.quarantine
    return bool(known.intent) and (over or known.intent < node.quarantine)


def must_hold(known: Known) -> bool:
    """Return whether a node is to be cut off: whoever says so, row, wish or provider, is believed.

    A release that two people have signed is carried on, unless a newer wish has come.
    """
    if known.node.containment is Containment.RELEASING:
        return known.intent > known.node.quarantine
    wished = bool(known.intent) and not is_stale(known)
    return known.node.cut_off or wished or known.isolated


def ask(node: Node, asked: Release, known: Release | None) -> Release:
    """Decide about a request to release; the same request again changes nothing, a used one is refused."""
    if known is not None:
        if known.state is ReleaseState.ASKED and node.quarantine == known.quarantine:
            return known
        raise Refused("this request was used already; ask anew for a release")
    if node.containment is not Containment.QUARANTINED:
        raise Conflict(f"{node.spec.name} is {_standing(node)}, so there is nothing to release")
    return asked


def approve(
    node: Node, asked: Release | None, *, by: PersonId, approval: Digest, enrolled: frozenset[PersonId], at: datetime
) -> Release:
    """Decide whether a second person frees a node.

    Args:
        node: as its row says.
        asked: the request that the approval names.
        by: who approves.
        approval: digest of the envelope that was signed.
        enrolled: who enrolled one of the two, where that is known.
        at: now.
    """
    if asked is None or asked.node != node.id:
        raise Refused("no request for this node has that digest; ask for a release first")
    if asked.state is not ReleaseState.ASKED:
        raise Refused("this request was used already, or its quarantine is over; ask anew for a release")
    if node.containment is not Containment.QUARANTINED or asked.quarantine != node.quarantine:
        raise Refused(f"the request was made for another quarantine of {node.spec.name}; ask anew for a release")
    if by == asked.asked_by:
        raise Refused("the person who asks cannot approve: another one has to look and sign")
    if enrolled & {by, asked.asked_by}:
        raise Refused("one of the two enrolled the other; somebody who is independent of both has to sign")
    if at - asked.asked_at > REQUEST_LIFE:
        raise Refused("the request is older than 24 hours; ask anew for a release")
    return replace(asked, state=ReleaseState.APPROVED, approval=str(approval), approved_by=by)


def releasing(node: Node) -> Node:
    """Two people have signed."""
    return replace(node, containment=Containment.RELEASING)


def released(hold: Hold, asked: Release, at: datetime) -> tuple[Node, Quarantine, Release]:
    """The state before the cut was given back."""
    free = replace(hold.node, containment=Containment.NONE)
    return free, replace(hold.quarantine, released_at=at), replace(asked, state=ReleaseState.RELEASED)


def withheld(hold: Hold, asked: Release, because: str) -> tuple[Node, Release]:
    """The state before the cut cannot be given back: the node stays cut off, and the request is used up."""
    node = replace(hold.node, containment=Containment.QUARANTINED)
    return node, replace(asked, state=ReleaseState.VOID, because=because)


def voided(asked: Release) -> Release:
    """A new quarantine has come in between."""
    return replace(asked, state=ReleaseState.VOID, because="the node was cut off again before it was released")


def _standing(node: Node) -> str:
    match node.containment:
        case Containment.NONE:
            return "not quarantined"
        case Containment.ENTERING:
            return "being cut off and not confirmed yet"
        case Containment.RELEASING:
            return "being released already"
        case Containment.QUARANTINED:
            return "quarantined"
