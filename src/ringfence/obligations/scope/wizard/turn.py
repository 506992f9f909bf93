"""One turn of the wizard: the answers so far, what they come to, and what is worth asking next."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence.obligations.scope.answer import UNDETERMINED
from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.difference import Change, between
from ringfence.obligations.scope.fines import UNDETERMINED_RULE
from ringfence.obligations.scope.model import Organisation
from ringfence.obligations.scope.organisation import parse
from ringfence.obligations.scope.wizard import about_systems, answers, cards, questions
from ringfence.obligations.scope.wizard.model import Question, Sheet, one, ticked, truth
from ringfence.obligations.scope.wizard.reader import Reader
from ringfence.obligations.scope.writing import to_yaml

_STATUS = ("nis2.category", "binds_2690", "supply_chain_duty_only", "jurisdiction")


@dataclass(frozen=True, slots=True)
class Card:
    """What is asked about one AI system, beside the five questions about each."""

    place: str  # s0, s1 …
    deeper: tuple[Question, ...]
    product: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the wizard stands."""

    text: str  # the organisation file
    organisation: Organisation
    document: Mapping[str, Any]
    wrong: Mapping[str, str]
    further: tuple[Question, ...]
    enterprises: bool  # whether the group is worth a closer look
    customers: tuple[str, ...]  # the groups that are ticked
    cards: tuple[Card, ...]

    @property
    def shown(self) -> str:
        """Return what names the questions that stand on the page now: the same word means the same questions."""
        cards = (f"{card.place}:{[one.name for one in card.deeper]}{len(card.product)}" for card in self.cards)
        names = [one.name + one.title for one in self.further]
        return "|".join((*names, str(self.enterprises), *self.customers, *cards))


def take(sheet: Sheet, on: date) -> Turn:
    """Return the turn that follows from a sheet; whatever stands in it, there is one."""
    organisation, wrong = answers.organisation(sheet)
    text = to_yaml(organisation)
    read = parse(text.encode(), source="the answers")
    document = classify(read, on)
    return Turn(
        text,
        read,
        document,
        wrong,
        tuple(_further(sheet, document)),
        truth(sheet, "group") is True and _size_matters(document),
        tuple(word for word in ticked(sheet, "customers") or () if word in cards.GROUPS),
        tuple(_card(sheet, f"s{index}", document) for index in range(cards.count(sheet))),
    )


def changed(before: Mapping[str, Any] | None, document: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what signing this would change in the scope in force; nothing where there is none."""
    return between(before, document) if before else ()


def _open(document: Mapping[str, Any], subjects: Iterable[str]) -> set[str]:
    wanted = set(subjects)
    return {name for gap in document["undetermined"] if gap["subject"] in wanted for name in gap["decided_by"]}


def _size_matters(document: Mapping[str, Any]) -> bool:
    """Return whether anything but the size class itself depends on the size."""
    about = any(name.startswith("size.") for name in _open(document, _STATUS))
    return about or any(row["rule"] == UNDETERMINED_RULE for row in document["fines"])


def _further(sheet: Sheet, document: Mapping[str, Any]) -> Iterator[Question]:
    known = questions.further()
    condition = answers.condition_of(sheet)
    if condition in questions.CONDITIONS:
        asked = known["condition"]
        yield Question(asked.name, questions.CONDITIONS[condition], asked.why, asked.kind, asked.options)
    decisive = _open(document, _STATUS)
    wanted = {
        "representative": "representative" in decisive,
        "serves": bool({"serves", "services in the Union"} & decisive),
        "size.earlier_periods": one(sheet, "staff") is not None and _earlier_matters(document, decisive),
        "size.small_mid_cap": document["size"] == "large" and _size_matters(document),
    }
    for name, matters in wanted.items():
        question = known[name]
        if matters or one(sheet, question.name) is not None:
            yield question


def _earlier_matters(document: Mapping[str, Any], decisive: set[str]) -> bool:
    fine = any(row["rule"] == UNDETERMINED_RULE for row in document["fines"])
    return "size.earlier_periods" in decisive or (fine and document["size"] == UNDETERMINED)


def _card(sheet: Sheet, place: str, document: Mapping[str, Any]) -> Card:
    name = cards.name_of(Reader(sheet), place)
    decisive = _open(document, (f"system {name}", f"system {name} (model)"))
    if "modification_compute" in decisive:
        decisive -= {"training_compute", "high_impact_capabilities"}  # they matter only where much was modified
    deeper = about_systems.deeper()
    asked = tuple(
        question
        for key, question in deeper.items()
        if key in decisive or one(sheet, f"{place}.{question.name}") is not None
    )
    return Card(place, asked, about_systems.product() if truth(sheet, f"{place}.shipped") else ())
