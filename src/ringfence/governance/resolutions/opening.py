"""Decide whether what somebody puts to the body can be put to it. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ringfence.governance import reading
from ringfence.governance.resolutions.model import (
    MAX_DAYS,
    MAX_FILES,
    MAX_RECORDS,
    MAX_TEXT,
    MeasureSet,
    Proposal,
    Terms,
)
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.voting import Rule

_SALT = 64  # hexadecimal digits
_HEX = frozenset("0123456789abcdef")
_LEEWAY = timedelta(hours=1)  # between asking for a draft and signing it


def rule_of(proposal: Proposal, body: Collection[PersonId]) -> Rule:
    """Return who is asked and what it takes: unless told otherwise everybody, and more than half of them."""
    members = frozenset(proposal.members or body)
    if not members:
        raise Refused("nobody here has the role management; add the members of the body with `ringfence user add`")
    strangers = sorted(members - set(body))
    if strangers:
        raise Refused(f"{strangers[0]} has not the role management here, so cannot be asked")
    most = len(members) // 2 + 1
    rule = Rule(members, proposal.quorum or most, proposal.agreements or most)
    rule.check()
    return rule


def worded(proposal: Proposal, title: str, text: str) -> Proposal:
    """Return a proposal with these words where it has none."""
    return replace(proposal, title=proposal.title or title, text=proposal.text or text)


def of_measures(measures: MeasureSet) -> tuple[str, str]:
    """Return title and text of a resolution on all measures."""
    policies = f" and {len(measures.policies)} policies" if measures.policies else ""
    text = (
        "The management body approves the cybersecurity risk-management measures in force, and oversees that they are "
        f"carried out. The measures are the rules{policies} that the digest {measures.digest} names."
    )
    return "Approval of the measures in force", text


def of_control(name: str, control: Mapping[str, Any]) -> tuple[str, str]:
    """Return title and text of a resolution on one control."""
    text = (
        f"The management body approves how {name} is met: {control['requirement']}. Its computed status when this was "
        f"put to the body: {str(control['state']).replace('-', ' ')}. This resolution does not change that status."
    )
    return f"Approval of {name}: {control['title']}"[:200], text


def check_proposal(proposal: Proposal) -> None:
    """Return where the words of a proposal can be kept; raise `MalformedInput`."""
    reading.line(proposal.title, "title")
    reading.text(proposal.text, "text", MAX_TEXT)
    reading.whole(proposal.days, "days", 1, MAX_DAYS)
    reading.whole(proposal.tasks_overdue, "tasksOverdue", 0, 1_000_000)
    if len(proposal.files) > MAX_FILES or len(set(proposal.records)) > MAX_RECORDS:
        raise MalformedInput(f"at most {MAX_FILES} documents and {MAX_RECORDS} records are shown")


def check_details(terms: Terms, details: Mapping[str, Any]) -> None:
    """Return where the side record is the text and what opens the digests of the documents."""
    names = {"title", "text"} | ({"files"} if terms.files else set())
    if details.keys() != names:
        raise MalformedInput("the details of a resolution are title, text, and its files if it names any")
    reading.line(details["title"], "title")
    reading.text(details["text"], "text", MAX_TEXT)
    files = details.get("files", [])
    if not isinstance(files, list) or [_digest(file) for file in files] != list(terms.files):
        raise MalformedInput("each document that is shown has its name, salt and digest in the details, in order")


def _digest(file: object) -> Digest | None:
    match file:
        case {"name": str() as name, "salt": str() as salt, "digest": digest, **more} if not more:
            named = 0 < len(name) <= 255 and name.isprintable()
            if named and len(salt) == _SALT and _HEX.issuperset(salt):
                return Digest.parse(digest)
    return None


def check_end(terms: Terms, now: datetime) -> None:
    """Return where the end lies ahead, and not too far."""
    if not timedelta(0) < terms.ends_at - now <= timedelta(days=MAX_DAYS) + _LEEWAY:
        raise Refused(f"a resolution ends after 1 to {MAX_DAYS} days; ask for it again")
