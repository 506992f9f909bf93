"""What waits for members of the management body, as Today and the inbox of a person list it. Pure."""

from collections.abc import Iterable
from datetime import datetime

from ringfence.frontends.waiting import Item, Kind
from ringfence.governance.resolutions.model import Resolution
from ringfence.kernel.identifier import PersonId


def for_member(resolutions: Iterable[Resolution], person: PersonId, now: datetime) -> list[Item]:
    """Return the resolutions on which this person's vote is missing."""
    return [_item(one) for one in resolutions if one.waits_for(person, now)]


def _item(one: Resolution) -> Item:
    text = f"Your vote on a resolution about {one.terms.about} is missing"
    command = f"ringfence resolution vote {one.id} agree"
    return Item(Kind.TO_SIGN, text, f"/decisions/{one.id}", one.terms.ends_at, command)
