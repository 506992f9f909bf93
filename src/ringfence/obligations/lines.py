"""A status in words for a terminal: a shape and a word for every state, and the reason chain of one control."""

from collections.abc import Iterator
from typing import Any

SHAPES = {"satisfied": "●", "pending": "▲", "not-satisfied": "■", "upcoming": "○", "not-applicable": "–"}  # noqa: RUF001 -- the design's sign
_KEY = 16  # digits of a key id that are shown
_NAMED = 8  # obligations named per line of the summary


def summary(document: dict[str, Any]) -> Iterator[str]:
    """Say the status of every control, one line each, and where the tenant stands towards the obligations."""
    yield from _head(document)
    width = max(len(control["title"]) for control in document["controls"])
    for control in document["controls"]:
        yield f"{_mark(control)}  {control['id']}  {control['title']:<{width}}  {control['because']}"
        if control["next_step"]:
            yield f"{'':18}next: {control['next_step']}"
    yield ""
    yield from _obligations(document["obligations"])


def chain(document: dict[str, Any]) -> Iterator[str]:
    """Say why one control has its status, down to the statements, and what that leaves open."""
    yield from _head(document)
    for control in document["controls"]:
        yield f"{_mark(control)}  {control['id']}  {control['title']}"
        yield f"  {control['requirement']}"
        yield f"  because: {control['because']}"
        for part in control["requirements"]:
            yield from _requirement(part)
        yield from _rest(control)


def _head(document: dict[str, Any]) -> Iterator[str]:
    counts = document["counts"]
    if document["demo"]:
        yield "DEMO: made-up data"
    yield f"Status of {document['tenant']} as of {document['as_of']}, rules {document['rules'][:19]}"
    apart = f"{counts['upcoming']} upcoming, {counts['not-applicable']} not applicable"
    yield f"{counts['satisfied']} of {counts['denominator']} controls satisfied; {counts['pending']} pending; {apart}"
    yield f"Anchored outside until {document['anchored_outside_until'] or 'never: a rebuild is not excluded'}"
    for fault in document.get("not_working") or ():
        yield f"■ not working  {fault['what']}: {fault['because']} (since {fault['since']})"
    yield ""


def _mark(item: dict[str, Any]) -> str:
    word = item["state"].replace("-", " ")
    return f"{SHAPES[item['state']]} {word}" + (f" ({item['reason'].replace('-', ' ')})" if item["reason"] else "")


def _requirement(part: dict[str, Any]) -> Iterator[str]:
    yield f"  ├ {_mark(part)}  {part['asks']}"
    yield f"  │   {part['because']}"
    for member in part["members"]:
        yield f"  │   {_mark(member)}  {member['name']}: {member['because']}"
    for found in part["rests_on"]:
        flags = "".join(f", {flag}" for flag in ("late", "demo") if found[flag])
        what = f"entry {found['entry']}: {found['predicate']} of {found['subject']}, {found['strength']}{flags}"
        yield f"  │   └ {what}, recorded {found['recorded_at']}"
    for ignored in part["ignored"]:
        yield f"  │   ✕ entry {ignored['entry']}: {ignored['predicate']} does not count, {ignored['why']}"
    hidden = part["ignored_total"] - len(part["ignored"])
    if hidden > 0:
        yield f"  │   ✕ and {hidden} more that do not count"


def _rest(control: dict[str, Any]) -> Iterator[str]:
    if control["weakest_strength"]:
        yield f"  weakest strength: {control['weakest_strength']}"
    for key in control["keys"]:
        yield f"  could have made it up: {key['role']} key {key['key'][:_KEY]}…, custody {key['custody']}"
    for sentence in control["does_not_prove"]:
        yield f"  does not prove: {sentence}"
    for duty in control["obligations"]:
        yield f"  {duty['act']} {duty['provision']}: {duty['standing'].replace('-', ' ')}, {duty['because']}"
    if control["next_change"]:
        yield f"  can change by time alone at {control['next_change']}"
    if control["next_step"]:
        yield f"  next: {control['next_step']}"


def _obligations(obligations: dict[str, Any]) -> Iterator[str]:
    for standing in ("binding", "upcoming", "undetermined", "not-ours"):
        found = obligations[standing]
        names = ", ".join(_dated(duty) for duty in found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
        yield f"Obligations {standing.replace('-', ' ')}: {len(found)}" + (f" ({names})" if found else "")


def _dated(duty: dict[str, Any]) -> str:
    return str(duty["id"]) + (f" from {duty['applies_from']}" if duty["applies_from"] else "")
