"""How much of a tenant's records a pack shows: which in full, and with which openings. Pure.

Whatever is left out stays as a digest with its number and its proof: it cannot disappear, and it cannot be exchanged
when somebody asks for it later.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from ringfence.kernel.errors import UsageError
from ringfence.kernel.identifier import PredicateName
from ringfence.ledger.custody import HEAD_EXPORTED
from ringfence.ledger.succession import KEYS_REPLACED
from ringfence.obligations.board import CHOICES
from ringfence.reports.model import REPORT_EXPORTED, Extent

# Who could sign, and which heads are outside, decides about every other record; what a team chose, about every
# control: never left out.
ALWAYS = frozenset(
    {PredicateName("key.enrolled"), PredicateName("key.revoked"), HEAD_EXPORTED, KEYS_REPLACED, REPORT_EXPORTED}
).union(CHOICES)


class Openings(StrEnum):
    """Which openings travel; `for AUDIENCE` is the third choice."""

    NONE = "none"
    ALL = "all"


# Of whom each audience has to know the details: beginnings of evidence types. What is not listed stays closed.
AUDIENCES: Mapping[str, tuple[str, ...]] = {
    "auditor": (
        "dataset.",
        "deployment.",
        "entity.",
        "ai.",
        "key.",
        "ledger.",
        "log.",
        "model.",
        "redteam.",
        "report.",
    ),
    "authority": ("alert.", "detection.", "finding.", "forensics.", "incident.", "node.", "quarantine.", "response."),
    "customer": ("dataset.", "deployment.", "inference.", "model.", "redteam.", "run."),
}
_FOR = "for "


def parse_openings(text: str) -> str:
    """Return the choice of openings that `text` names, or raise `UsageError`."""
    known = [*Openings, *(_FOR + name for name in AUDIENCES)]
    if text not in known:
        raise UsageError(f"openings are one of: {', '.join(known)}")
    return text


def opens(openings: str, predicate: PredicateName) -> bool:
    """Tell whether the opening of a statement travels in a pack with this choice."""
    if openings.startswith(_FOR):
        return predicate.startswith(AUDIENCES.get(openings.removeprefix(_FOR), ()))
    return openings == Openings.ALL


def shows(extent: Extent, predicate: PredicateName) -> bool:
    """Tell whether statements of an evidence type are in a pack in full."""
    return not extent.scoped or predicate in ALWAYS or predicate in extent.predicates


def restricted(openings: str, controls: Collection[str], predicates: Collection[PredicateName]) -> Extent:
    """Return the extent of these choices; an empty scope is everything."""
    return Extent(parse_openings(openings), tuple(sorted(set(controls))), tuple(sorted(set(predicates))))
