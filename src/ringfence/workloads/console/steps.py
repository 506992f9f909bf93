"""The first steps of a young tenant: what was done is read from its statements, and nothing about it is kept. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.kernel.identifier import PredicateName

YOUNG = timedelta(days=14)  # how long a tenant is led by the hand
PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Place:
    """A step, where it is taken, and the statement that shows it was."""

    words: str
    link: str
    shown_by: str


PLACES = (
    Place("Let your passkey sign", "/signin", PASSKEY),
    Place("Sign which duties are yours", "/scope/wizard", "entity.classification"),
    Place("Start a node", "/nodes/offers", "node.started"),
    Place("Seal data", "/data", "dataset.sealed"),
    Place("Serve a model", "/deployments/sample", "deployment.started"),
    Place("Ask it, and keep the receipt", "/deployments/sample", "inference.segment"),
    Place("Make a pack for a stranger", "/packs", "report.exported"),
)
SHOWING = tuple(PredicateName(place.shown_by) for place in PLACES if place.shown_by != PASSKEY)


@dataclass(frozen=True, slots=True)
class Step:
    """One first step of a tenant."""

    words: str
    link: str
    done: bool
    next: bool  # the first one that is not done


def first_steps(stated: Collection[str], since: datetime | None, now: datetime, *, signs: bool) -> list[Step]:
    """Return the steps of a young tenant; none once all are done, or it is no longer young.

    Args:
        stated: which evidence types were stated.
        since: when the tenant's first statement was recorded; None where nothing was.
        now: what time it is.
        signs: whether a passkey of whoever looks signs acts.
    """
    done = [signs if place.shown_by == PASSKEY else place.shown_by in stated for place in PLACES]
    if all(done) or (since is not None and now - since > YOUNG):
        return []
    first = done.index(False)
    return [Step(place.words, place.link, done[number], number == first) for number, place in enumerate(PLACES)]
