"""What differs between two classifications: between two signatures, two days, or two answers to a question."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """One fact of a classification that is not what it was."""

    subject: str
    before: str
    after: str

    def to_json(self) -> dict[str, str]:
        """Return the form in which every front end shows it."""
        return {"subject": self.subject, "before": self.before, "after": self.after}


def between(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what changed, in the order of a classification; without an earlier one everything is new."""
    old, new = facts(before) if before else {}, facts(after)
    subjects = dict.fromkeys([*new, *old])
    pairs = ((subject, old.get(subject, NOTHING), new.get(subject, NOTHING)) for subject in subjects)
    return tuple(Change(subject, was, is_) for subject, was, is_ in pairs if was != is_)


def facts(document: Mapping[str, Any]) -> dict[str, str]:
    """Return everything that a classification answers, by subject; the reasons for it are left out."""
    return headline(document) | {
        **_rows(document["jurisdictions"], "national law {member_state}", "{applies}, {national_act}"),
        **_rows(document["ai_act"], "system {system}", "{role}: {class} from {applies_from}"),
        **_rows(document["cra"], "product {product}", "{role}: {class} from {applies_from}"),
        **_contract(document["customers"]),
        **_rows(document["gdpr"], "{provision}", "{status}"),
        **_rows(document["fines"], "fine {provision}, {infringement}", "{rule}, {amount_eur} EUR, {status}"),
        "legal data": str(document["rules"]["digest"]),
    }


def headline(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what is asked first: which law, whose authority, since when."""
    nis2 = document["nis2"]
    return {
        "NIS2": _nis2(nis2),
        "size class": document["size"],
        "jurisdiction": document["jurisdiction"],
        "2024/2690": _told(document["binds_2690"], "binds", "does not bind now"),
        "duties by contract only": _told(document["supply_chain_duty_only"], "yes", "no"),
        "DORA in place of NIS2 21 and 23": {"DORA": "yes", None: "no"}.get(document["lex_specialis"], "undetermined"),
        "personal data": _told(document["personal_data"], "processed", "none"),
    }


def _nis2(nis2: Mapping[str, Any]) -> str:
    if nis2["category"] == "undetermined":
        return "undetermined: " + " or ".join(nis2["possible"])
    status = "" if nis2["status"] == "not applicable" else f", {nis2['status']}"
    return f"{nis2['category']} ({nis2['provision']}){status}"


def _told(value: bool | None, yes: str, no: str) -> str:  # noqa: FBT001 - three-valued
    return {True: yes, False: no, None: "undetermined"}[value]


def _rows(rows: list[Mapping[str, Any]], subject: str, words: str) -> dict[str, str]:
    """Print rows by subject; several about the same are one fact, in an order of their own."""
    found: dict[str, list[str]] = {}
    for row in rows:
        printed = {key: NOTHING if value is None else value for key, value in row.items()}
        found.setdefault(subject.format(**printed), []).append(words.format(**printed))
    return {name: "; ".join(sorted(said)) for name, said in found.items()}


def _contract(customers: list[Mapping[str, Any]]) -> dict[str, str]:
    found = {}
    for row in customers:
        duties = ", ".join(f"{duty['provision']} {duty['status']}" for duty in row["duties"])
        found[f"customer {row['customer']}"] = f"{row['category']}: {duties or 'no duty that reaches you'}"
    return found
