"""Lineage in words for a terminal. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

_WORDS = {
    "dataset": "dataset   ", "run": "run       ", "model": "model     ", "evaluation": "evaluation",
    "decision": "decision  ", "deployment": "deployment",
}  # fmt: skip


def shown(document: Mapping[str, Any]) -> Iterator[str]:
    """Say what a thing comes from, what became of it, and what is missing."""
    if said := document.get("answer"):
        yield f"Answer {said['request']} of {said['at']}"
        where = f"record {said['index']} of segment {said['segment']}, entry {said['entry']}"
        yield f"  {where}; deployment {said['deployment']}, digest {said['basis']}: {said['digest'] or 'unknown'}"
    by_thing = {thing["thing"]: thing for thing in document["things"]}
    for behind, heading in ((True, "Comes from"), (False, "What became of it")):
        rows = [thing for thing in document["things"] if thing["behind"] is behind]
        if rows:
            yield f"{heading}:"
        for thing in rows:
            yield from _thing(thing, document, by_thing)
    if document["left_out"]:
        yield f"and {document['left_out']} more things, further away"
    for root in document["roots"]:
        yield f"rows of {root['label']}: plaintext root {root['plaintextRoot']}, entry {root['statement']['entry']}"
    yield from _gaps(document["gaps"])
    if document["closed"]:
        yield "CLOSED: every link down to sealed data and imports rests on a statement that counts"
    yield "This does not show:"
    yield from (f"  - {sentence}" for sentence in document["does_not_show"])


def _thing(thing: Mapping[str, Any], document: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    start = " <- asked" if thing["thing"] == document["start"] else ""
    yield f"  {'  ' * min(thing['column'], 20)}{_WORDS[thing['kind']]} {thing['label']}  {thing['digest'][7:23]}{start}"
    for link in document["links"]:
        if link["target"] == thing["thing"] and link["source"] in known:
            basis = link["statement"]
            doubt = "" if basis["counts"] else " (another system's word)" if basis["foreign"] else f" ({basis['flaw']})"
            source = known[link["source"]]
            words = f"{link['relation']} of {source['label']}" if link["relation"] == "output" else link["relation"]
            if link["relation"] in ("input", "base"):
                words = f"{link['relation']} {source['label']}"
            pad = "  " * min(thing["column"], 20)
            yield f"  {pad}  {words}: entry {basis['entry']}, {basis['predicate']}, {basis['strength']}{doubt}"


def surveyed(document: Mapping[str, Any]) -> Iterator[str]:
    """Say what is missing in a tenant."""
    yield (
        f"{document['closed']} of {document['models'] + document['deployments']} closed: "
        f"{document['models']} signed models, {document['deployments']} deployments"
    )
    yield from _gaps(document["gaps"])


def _gaps(gaps: list[Mapping[str, Any]]) -> Iterator[str]:
    for gap in gaps:
        entries = f" (entries {', '.join(map(str, gap['entries'][:8]))})" if gap["entries"] else ""
        yield f"GAP {gap['kind']}: {gap['text']}{entries}"
