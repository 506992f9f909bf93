"""What is stated of resolutions: what was put to the body, each vote, and how it ended. Pure.

The first two are signed by people; the control plane states the last from them, and rules count them again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ringfence.governance.resolutions.model import (
    MAX_FILES,
    MAX_RECORDS,
    MEASURES,
    Attached,
    Head,
    MeasureSet,
    Proposal,
    Resolution,
    ResolutionId,
    Shown,
    Terms,
    resolution_id,
    subject_matter,
)
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, PredicateName, person_id
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.kernel.voting import Ballot, Choice, Outcome, Rule, tally

OPENED = PredicateName("mgmt.resolution_opened")
VOTED = PredicateName("mgmt.vote")
APPROVAL = PredicateName("mgmt.approval")
MEASURED = PredicateName("measures.in_force")
IN_FORCE = "measures/in-force"
_OPENING = frozenset(
    {
        "resolution", "about", "members", "eligible", "quorum", "agreementsNeeded", "endsAt", "measureSet", "shown",
        "files", "records", "headSize", "headRoot", "tasksOverdue",
    }
)  # fmt: skip


def opened(proposal: Proposal, terms: Terms) -> Draft:
    """State what is put to the body; whoever opens it signs."""
    claims = {
        "resolution": terms.id,
        "about": terms.about,
        "members": sorted(terms.rule.members),
        "eligible": terms.eligible,
        "quorum": terms.rule.quorum,
        "agreementsNeeded": terms.rule.agreements,
        "endsAt": to_text(terms.ends_at),
        "measureSet": str(terms.measures),
        "shown": list(terms.shown),
        "files": [str(one) for one in terms.files],
        "records": [str(one) for one in terms.records],
        "headSize": terms.head.size,
        "headRoot": terms.head.root,
        "tasksOverdue": terms.tasks_overdue,
    }
    details: dict[str, Any] = {"title": proposal.title, "text": proposal.text}
    if proposal.files:
        details["files"] = [_kept(one) for one in proposal.files]
    subject = Subject(_name(terms.id), Digest.of("\n".join([terms.id, terms.about]).encode()))
    return Draft(OPENED, (subject,), claims, Strength.DOCUMENTED, details)


def _kept(file: Attached) -> Mapping[str, str]:
    return {"name": file.name, "salt": file.salt.hex(), "digest": str(file.digest)}


def _name(resolution: ResolutionId) -> str:
    return f"resolution/{resolution.removeprefix('resolution-')}"


def parse_opening(statement: Statement) -> Terms:
    """Return what an opening statement fixes, or raise `MalformedInput`."""
    claims = statement.claims
    if statement.predicate != OPENED or claims.keys() != _OPENING:
        raise MalformedInput(f"{OPENED} has the claims " + ", ".join(sorted(_OPENING)))
    rule = Rule(
        frozenset(map(person_id, _list(claims, "members", 1, 100))),
        _whole(claims, "quorum"),
        _whole(claims, "agreementsNeeded"),
    )
    rule.check()
    shown = _list(claims, "shown", 0, len(Shown))
    if any(word not in list(Shown) for word in shown) or len(rule.members) != len(claims["members"]):
        raise MalformedInput("a resolution names each member once, and what was shown by words that are known")
    return Terms(
        id=resolution_id(claims["resolution"]),
        about=subject_matter(claims["about"]),
        rule=rule,
        eligible=_whole(claims, "eligible"),
        ends_at=from_text(_text(claims, "endsAt")),
        measures=Digest.parse(claims["measureSet"]),
        shown=tuple(map(str, shown)),
        files=tuple(map(Digest.parse, _list(claims, "files", 0, MAX_FILES))),
        records=tuple(map(Digest.parse, _list(claims, "records", 0, MAX_RECORDS))),
        head=Head(_whole(claims, "headSize"), _text(claims, "headRoot")),
        tasks_overdue=_whole(claims, "tasksOverdue"),
    )


def _whole(claims: Mapping[str, Any], name: str) -> int:
    value = claims[name]
    if type(value) is not int or not 0 <= value <= 2**53:
        raise MalformedInput(f"{name} is a whole number")
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    if not isinstance(claims[name], str):
        raise MalformedInput(f"{name} is a text")
    return str(claims[name])


def _list(claims: Mapping[str, Any], name: str, least: int, most: int) -> list[Any]:
    value = claims[name]
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise MalformedInput(f"{name} is a list of {least} to {most}")
    return value


def voted(
    resolution: ResolutionId, opening: Digest, choice: Choice, *, corrects: Digest | None = None, sentence: str = ""
) -> Draft:
    """State a member's vote; it names the exact opening, and so text, quorum and all that was shown."""
    claims = {
        "resolution": resolution,
        "opening": str(opening),
        "choice": choice.value,
        "corrects": str(corrects) if corrects else "",
    }
    subject = Subject(_name(resolution), opening)
    return Draft(VOTED, (subject,), claims, Strength.DOCUMENTED, {"sentence": sentence} if sentence else {})


def parse_vote(statement: Statement, by: PersonId, envelope: Digest) -> tuple[Digest, Ballot]:
    """Return which opening a vote names, and the ballot; or raise `MalformedInput`."""
    match statement.claims:
        case {"resolution": name, "opening": opening, "choice": str() as choice, "corrects": corrects, **more} if (
            not more and choice in set(Choice)
        ):
            about = Digest.parse(opening)
            if statement.predicate == VOTED and statement.subjects == (Subject(_name(resolution_id(name)), about),):
                return about, Ballot(by, Choice(choice), envelope, Digest.parse(corrects) if corrects else None)
    raise MalformedInput("a vote has the claims resolution, opening, choice and corrects, about its resolution")


def ended(
    resolution: Resolution, outcome: Outcome, at: datetime, *, young: int, later_versions: int, incidents: int
) -> Draft:
    """State how a resolution ended, from the votes that stand."""
    terms, counted = resolution.terms, tally(resolution.votes)
    claims = {
        "resolution": terms.id,
        "about": terms.about,
        "opening": str(resolution.opening),
        "decidedOn": to_text(at)[:10],
        "outcome": outcome.value,
        "members": len(terms.rule.members),
        "eligible": terms.eligible,
        "quorum": terms.rule.quorum,
        "agreementsNeeded": terms.rule.agreements,
        "voted": counted.voted,
        "inFavour": counted.agreed,
        "against": counted.against,
        "abstained": counted.abstained,
        "votes": sorted(str(ballot.envelope) for ballot in resolution.votes.values()),
        "youngKeys": young,
        "measureSet": str(terms.measures),
        "laterVersions": later_versions,
        "shown": list(terms.shown),
        "incidentsNotShown": incidents,
        "tasksOverdue": terms.tasks_overdue,
    }
    measures = terms.about == MEASURES
    subject = Subject(IN_FORCE, terms.measures) if measures else Subject(f"control/{terms.about}", resolution.opening)
    return Draft(APPROVAL, (subject,), claims, Strength.DOCUMENTED)


def in_force(now: MeasureSet, approved: Digest) -> Draft:
    """State which measures are in force, and which ones the body approved last."""
    claims = {"inForce": str(now.digest), "approved": str(approved), "policies": len(now.policies)}
    return Draft(MEASURED, (Subject(IN_FORCE, now.digest),), claims, Strength.OBSERVED)
