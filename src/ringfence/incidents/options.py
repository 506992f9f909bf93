"""What the options of `ringfence incident` say, read strictly. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ringfence.incidents.acts import Seen
from ringfence.incidents.model import Answer, incident_id
from ringfence.incidents.significance import QUANTITIES
from ringfence.kernel.clock import given
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import UsageError


def seen(known: Mapping[str, Any]) -> Seen:
    """Return what the signer of an act saw: the incident as it was just read."""
    head = known["timeline_head"]
    return Seen(incident_id(known["incident"]), int(head["position"]), Digest.parse(head["digest"]))


def moment(text: str) -> datetime | None:
    """Return a time, or None where none is given."""
    return given(text, zoned=True) if text else None


def answer(text: str, option: str) -> Answer:
    """Return the answer that an option gives."""
    if text not in {one.value for one in Answer}:
        raise UsageError(f"{option} is yes, no or unknown, not {text!r}")
    return Answer(text)


def customers(
    given_here: Sequence[str] | None, known: Mapping[str, Any], breached: Sequence[str] = (), *, significant: bool
) -> tuple[str, ...]:
    """Return the customers whom a triage names: those who are given, or all who may be affected and the breached."""
    if given_here is None:
        named = [one["customer"] for one in known["customers"] if one["named"]] if significant else []
        given_here = list(dict.fromkeys((*named, *breached)))
    return tuple(one for one in given_here if one != "none")


def breached(given_here: Sequence[str] | None, named: Sequence[str], personal_data: Answer) -> tuple[str, ...]:
    """Return whose personal data is affected: those who are given, or everybody who is named."""
    if given_here is not None:
        return tuple(one for one in given_here if one != "none")
    return tuple(named) if personal_data is Answer.YES else ()


def measured(given_here: Sequence[str]) -> dict[str, int]:
    """Return the measured values."""
    found = {}
    for text in given_here:
        name, _, number = text.partition("=")
        if name not in QUANTITIES or not number.isascii() or not number.isdecimal() or len(number) > 15:
            raise UsageError(f"--measured is NAME=NUMBER with a name of {', '.join(QUANTITIES)}, not {text!r}")
        found[name] = int(number)
    return found
