"""A status in words for a terminal: a shape and a word for every state, and the reason chain of one control."""

from collections.abc import Iterator
from typing import Any

from ringfence.obligations import domains

SHAPES = {"satisfied": "●", "pending": "▲", "not-satisfied": "■", "upcoming": "○", "not-applicable": "–"}  # noqa: RUF001 -- the design's sign
_KEY = 16  # digits of a key id that are shown
_NAMED = 8  # obligations named per line of the summary


def summary(document: dict[str, Any], *, every: bool = False) -> Iterator[str]:
    """Say the status of the controls, one line each, and where the tenant stands towards the obligations.

    Open controls without any evidence share a line with those of their domain, unless `every` one is asked for.
    """
    yield from _head(document)
    bare = [] if every else [one for one in document["controls"] if domains.document_without_evidence(one)]
    yield from _controls([control for control in document["controls"] if control not in bare])
    yield from _bare(domains.counted(bare))
    yield ""
    yield from _obligations(document["obligations"])


def _controls(controls: list[dict[str, Any]]) -> Iterator[str]:
    width = max((len(control["title"]) for control in controls), default=0)
    for control in controls:
        yield f"{_mark(control)}  {control['id']}  {control['title']:<{width}}  {control['because']}"
        if control["next_step"]:
            yield f"{'':18}next: {control['next_step']}"


def _bare(counts: dict[str, int]) -> Iterator[str]:
    """Say how many controls of each domain are open without any evidence, and which command lists them."""
    if not counts:
        return
    yield ""
    yield f"■ not satisfied (missing): {sum(counts.values())} more, without any evidence; all: ringfence status --all"
    width = max(len(domains.NAMES.get(domain, "")) for domain in counts)
    for domain, count in counts.items():
        yield f"  {domain}  {domains.NAMES.get(domain, ''):<{width}}  {count:>3}  ringfence status --domain {domain}"


def chain(document: dict[str, Any]) -> Iterator[str]:
    """Say why one control has its status, down to the statements, and what that leaves open."""
    yield from _head(document)
    for control in document["controls"]:
        yield f"{_mark(control)}  {control['id']}  {control['title']}"
        yield f"  {control['requirement']}"
        yield f"  because: {control['because']}"
        for part in control["requirements"]:
            yield from _requirement(part)
        yield from _apart(control)
        yield from _rest(control)


def _head(document: dict[str, Any]) -> Iterator[str]:
    counts = document["counts"]
    if document["demo"]:
        yield "DEMO: made-up data"
    yield f"Status of {document['tenant']} as of {document['as_of']}, rules {document['rules'][:19]}"
    apart = f"{counts['upcoming']} upcoming, {counts['not-applicable']} not applicable"
    yield f"{counts['satisfied']} of {counts['denominator']} controls satisfied; {counts['pending']} pending; {apart}"
    yield from _chosen(document)
    yield f"Anchored outside until {document['anchored_outside_until'] or 'never: a rebuild is not excluded'}"
    for fault in document.get("not_working") or ():
        yield f"■ not working  {fault['what']}: {fault['because']} (since {fault['since']})"
    yield ""


def _chosen(document: dict[str, Any]) -> Iterator[str]:
    """Say what the team chose beside the law; what is set aside is counted in both ways."""
    if profile := document.get("profile"):
        changed = ", which this release changed since it was signed" if profile["outdated"] else ""
        yield f"Profile {profile['id']}{changed}"
    overrides = document.get("overrides")
    if overrides is None:
        return
    yield f"With overrides {overrides['digest'][:19]} of {_rows(overrides['rows'])}"
    if overrides["set_aside"]:
        whole, satisfied = overrides["denominator_with_set_aside"], document["counts"]["satisfied"]
        yield f"{overrides['set_aside']} set aside by signed reasons; with these it is {satisfied} of {whole}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


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


def _apart(control: dict[str, Any]) -> Iterator[str]:
    if control.get("required_by"):
        yield f"  asked by the profile {control['required_by']}, whatever the scope says"
    if (aside := control.get("set_aside")) and not aside["counts"] and aside["why_not"]:
        yield f"  a file says that it does not apply; that does not count: {aside['why_not']}"


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


def approvals(document: dict[str, Any]) -> Iterator[str]:
    """Say what waits for the signature of whoever asks."""
    if not document["approvals"]:
        yield "Nothing waits for your signature"
    for item in document["approvals"]:
        due = f", due {item['due']}" if item["due"] else ""
        yield f"{item['kind']}: {item['text']}{due}"
        yield f"  {item['page']}" + (f"  or: {item['command']}" if item["command"] else "")


def proof(document: dict[str, Any]) -> Iterator[str]:
    """Say what a stranger can check, and what rests on the operator's word."""
    only = document["operator_only"]
    yield f"{document['size']} entries published; {only} rest on the operator's word alone"
    yield f"Anchored outside until {document['vouched_until'] or 'never: no other party vouches'}"
    yield f"{document['witnesses']} witnesses asked, {document['conflicts']} conflicts"
    yield f"{document['sources']} sources, {document['gaps']} sequences with a gap; {document['packs']} packs made"
    for place, count in document["custody"].items():
        yield f"keys in force, {place}: {count}"
    for name, digest in document["programs"].items():
        yield f"{name}  {digest}"
