"""A comparison of rules as a JSON document. Pure."""

from collections.abc import Sequence
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.obligations import sheet
from ringfence.obligations.comparing import wording
from ringfence.obligations.comparing.model import Comparison, Moved, Naming, Version
from ringfence.obligations.difference import Change, Entry
from ringfence.obligations.results import Verdict
from ringfence.obligations.weakening import ordered, weakened


def versions(found: Sequence[Version]) -> list[dict[str, Any]]:
    """Return every version that is known here."""
    return [
        {
            "rules": str(one.digest),
            "counts": one.counts,
            "ships": one.ships,
            "statements": one.count,
            "first": _naming(one.first),
            "last": _naming(one.last),
        }
        for one in found
    ]


def document(one: Comparison) -> dict[str, Any]:
    """Return a comparison; the looser changes first."""
    return {
        "as_of": to_text(one.here.as_of),
        "of": one.other.kind,
        "note": one.other.note or None,
        "there": {"rules": str(one.found.old), "counts": sheet.counts(one.there) if one.there else None},
        "here": {"rules": str(one.found.new), "counts": sheet.counts(one.here)},
        "only_there": [_entry(entry) for entry in one.found.removed],
        "only_here": [_entry(entry) for entry in one.found.added],
        "changed": [change(each) for each in ordered(one.found)],
        "states": [_moved(each) for each in one.moved] if one.there else None,
    }


def change(one: Change) -> dict[str, Any]:
    """Return a field with both values, as data and in words."""
    there, here = wording.values(one.old, one.new)
    return {
        **_entry(one.entry),
        "field": one.field,
        "called": wording.field(one.field),
        "looser": weakened(one),
        "there": one.old,
        "here": one.new,
        "there_in_words": there,
        "here_in_words": here,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {"kind": wording.KINDS[entry.kind], "id": entry.id}


def _moved(one: Moved) -> dict[str, Any]:
    return {
        "control": one.control.id,
        "title": one.control.title,
        "there": _verdict(one.there),
        "here": _verdict(one.here),
    }


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    return {"state": verdict.state.value, "because": verdict.because} if verdict else None


def _naming(naming: Naming | None) -> dict[str, Any] | None:
    return {"entry": naming.entry, "at": to_text(naming.at)} if naming else None
