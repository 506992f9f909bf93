"""Sheets of the scope wizard for tests: one that is answered in full, and any that hypothesis thinks of."""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from ringfence.obligations.scope.wizard import about_systems, questions
from ringfence.obligations.scope.wizard.model import Kind, Question

HOSTILE = (
    "",
    "unknown",
    "none",
    "0",
    "-1",
    "1e9",
    "49.5",
    "9 000 000",
    "250",
    "no\r\nmore: x",
    'a: "b" #c',
    "\ud800",
    "٣",
)


def answered(**changes: str | Sequence[str]) -> dict[str, list[str]]:
    """Return the answers of a small German cloud with a hospital as customer; `s0__name` is the field s0.name."""
    found: dict[str, str | Sequence[str]] = {
        "name": "Example",
        "country": "DE",
        "services": ["hosted_inference_api"],
        "staff": "60",
        "group": "no",
        "turnover": "9 000 000",
        "balance": "6 000 000",
        "worldwide": "9 000 000",
        "sector": "none",
        "customers": ["healthcare"],
        "healthcare.size": "large",
        "healthcare.personal": "yes",
        "healthcare.high_risk": "no",
        "personal_data": "special",
        "designated": "none",
        "earlier": "same_class",
        "s0.name": "triage",
        "s0.purpose": ["medical_device"],
        "s0.role": "develops_under_own_name",
        "s0.basis": "own",
        "s0.shipped": "no",
        "s0.union": "yes",
        "s0.open": "no",
        "s0.assessed": "yes",
        "s0.placed": "not_yet",
    }
    found |= {name.replace("__", "."): value for name, value in changes.items()}
    return {name: [value] if isinstance(value, str) else list(value) for name, value in found.items()}


def fields() -> Mapping[str, Question]:
    """Return every field that the wizard has, with the question behind it, for the first two of each card."""
    found = {question.name: question for question in (*questions.entity(), *questions.further().values())}
    found |= {f"e{i}.{question.name}": question for i in range(2) for question in questions.enterprise()}
    groups = ("healthcare", "manufacturing", "financial", "public", "legal", "consumers")
    found |= {f"{word}.{question.name}": question for word in groups for question in questions.customer()}
    cards = (*about_systems.system(), *about_systems.deeper().values(), *about_systems.product())
    return found | {f"s{i}.{question.name}": question for i in range(2) for question in cards}


def sheets() -> st.SearchStrategy[dict[str, list[str]]]:
    """Return any answers: some of those that are offered, some that are not, and many that are missing."""
    return st.fixed_dictionaries(
        {},
        optional={name: _values(question) for name, question in fields().items()}
        | {"systems": st.sampled_from([["1"], ["2"], ["-1"], ["99999"], ["x"]]), "runs": st.just(["no"])},
    )


def _values(question: Question) -> st.SearchStrategy[list[str]]:
    offered = [option.value for option in question.options] or list(HOSTILE)
    if question.kind is Kind.TICKS:
        return st.lists(st.sampled_from(offered), max_size=3)
    return st.sampled_from(offered * 3 + list(HOSTILE)).map(lambda value: [value])
