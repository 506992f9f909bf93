"""A question of the wizard, and the sheet of raw answers that page and terminal fill alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

UNKNOWN = "unknown"
Sheet = Mapping[str, Sequence[str]]  # what stands in each field; a tick that is set is a value


class Kind(StrEnum):
    """How a question is answered."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    CHOICE = "choice"
    TICKS = "ticks"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be picked."""

    value: str
    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and why."""

    name: str
    title: str
    why: str
    kind: Kind
    options: tuple[Option, ...] = ()
    usual: str = UNKNOWN  # what stands there before somebody answers
    number: int = 0  # of the ten; 0 for a part of another one


def one(sheet: Sheet, name: str) -> str | None:
    """Return the answer to a question that takes one; None where it is unknown."""
    text = (sheet.get(name) or [""])[-1].strip()
    return None if text in ("", UNKNOWN) else text


def ticked(sheet: Sheet, name: str) -> list[str] | None:
    """Return what is ticked; None where nothing is, or *don't know*."""
    found = [value for value in sheet.get(name, ()) if value]
    return None if not found or UNKNOWN in found else list(dict.fromkeys(found))


def truth(sheet: Sheet, name: str) -> bool | None:
    """Return yes or no; None where it is unknown."""
    return {"yes": True, "no": False}.get(one(sheet, name) or "")
