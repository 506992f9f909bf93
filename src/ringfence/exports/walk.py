"""The reference walk: whether the files of an export hold together, and with the log. Pure; reads untrusted files.

Foreign validators accept a finding about an observation that does not exist. Here every reference has to lead
somewhere, every digest to match, and nothing may be called satisfied that is not.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.exports.evidence import COUNTS
from ringfence.exports.kinds import Kind
from ringfence.exports.parts import OSCAL_VERSION, TOKEN, identify
from ringfence.exports.references import Index, dangling, dead_links
from ringfence.exports.visiting import Node, nodes
from ringfence.kernel import digest
from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import parse as parse_envelope
from ringfence.kernel.errors import MalformedInput

MAX_FILE = 64 * 2**20
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIMES = frozenset({"last-modified", "published", "start", "end", "collected", "expires", "deadline", "date"})
TOKENS = frozenset(
    {"id", "name", "class", "rel", "reason", "control-id", "target-id", "objective-id", "statement-id", "param-id"}
)
Ledger = Mapping[int, Digest]


def walk(files: Mapping[str, bytes], ledger: Ledger | None = None) -> list[str]:
    """Return everything that does not hold together in the files of an export, by file and place.

    `ledger` holds the digests of a log's entries, where the reader has them: without, a document may name a statement
    that no log holds, so that this says less.
    """
    read, found = _read(files)
    visited = {name: list(nodes(document)) for name, document in read.items()}
    index = Index.of(node for listed in visited.values() for node in listed)
    found += index.repeated()
    for name, listed in visited.items():
        found += [f"{name}: {said}" for said in _about_document(read[name])]
        found += [f"{name}: {node.path}: {said}" for node in listed for said in _about(node, files, index, ledger)]
    return found


def _read(files: Mapping[str, bytes]) -> tuple[dict[str, Any], list[str]]:
    """Return the documents that could be read, and what is wrong with the others."""
    read: dict[str, Any] = {}
    found = []
    for kind in Kind:
        try:
            document = digest.loads(files[kind.file], limit=MAX_FILE) if kind.file in files else None
        except MalformedInput as error:
            found.append(f"{kind.file}: {error}")
            continue
        if isinstance(document, dict) and document.keys() == {kind.value} and isinstance(document[kind.value], dict):
            read[kind.file] = document
        elif kind.file in files:
            found.append(f"{kind.file}: it holds no {kind.value}, or more than that")
    return read, found


def _about_document(document: Any) -> Iterator[str]:
    ((kind, root),) = document.items()
    metadata = root.get("metadata")
    version = metadata.get("oscal-version") if isinstance(metadata, dict) else None
    if version != OSCAL_VERSION:
        yield f"oscal-version is {str(version)[:20]!r}, not {OSCAL_VERSION}"
    whole = {name: value for name, value in root.items() if name != "uuid"}
    if root.get("uuid") != identify("document", kind, str(Digest.of(digest.dumps(whole)))):
        yield "it was changed after it had been given its UUID"


def _about(node: Node, files: Mapping[str, bytes], index: Index, ledger: Ledger | None) -> Iterator[str]:
    yield from _forms(node)
    yield from dangling(node, index)
    yield from dead_links(node, files, index)
    match node.stands_in:
        case "observations":
            yield from _observation(node, ledger)
        case "findings":
            yield from _finding(node)
        case "risks":
            yield from _risk(node, ledger)
        case "sources" if not index.has("controls", node.value.get("id-ref")):
            yield f"id-ref {str(node.value.get('id-ref'))[:60]!r} is none of the controls"
        case "rlinks":
            yield from _file(node, files)
        case _:
            pass


def _forms(node: Node) -> Iterator[str]:
    """Say which UUIDs, tokens and times are none."""
    for key, value in node.value.items():
        text = value if isinstance(value, str) else ""
        if key == "uuid" and not UUID.fullmatch(text):
            yield f"{str(value)[:60]!r} is no UUID of version 4 or 5"
        if key in TOKENS and node.stands_in != "system-ids" and not TOKEN.fullmatch(text):
            yield f"{key} {str(value)[:60]!r} is no token"
        if key in TIMES and not _is_time(value):
            yield f"{key} {str(value)[:40]!r} is no time with a zone"


def _is_time(value: object) -> bool:
    try:
        from_text(value)
    except MalformedInput:
        return False
    return True


def _observation(node: Node, ledger: Ledger | None) -> Iterator[str]:
    shown = node.value.get("relevant-evidence")
    if not isinstance(shown, list) or not any(isinstance(one, dict) and one.get("href") for one in shown):
        yield "the observation refers to no evidence"
    yield from _entry(node, ledger)


def _entry(node: Node, ledger: Ledger | None) -> Iterator[str]:
    """Say where the entry that an object names holds another statement."""
    if ledger is None:
        return
    entry, stated = node.property("ledger-entry"), node.property("envelope-digest")
    known = ledger.get(int(entry)) if re.fullmatch(r"[0-9]{1,16}", entry) else None
    if known is None or str(known) != stated:
        yield f"entry {entry[:20]!r} of the log does not hold {stated[:80]!r}"


def _file(node: Node, files: Mapping[str, bytes]) -> Iterator[str]:
    """Say where a file is not the one that was meant; that it is missing, the links say."""
    name = node.value.get("href")
    data = files.get(name) if isinstance(name, str) else None
    if data is None:
        return
    hashes = node.value.get("hashes")
    stated = [one.get("value") for one in hashes if isinstance(one, dict)] if isinstance(hashes, list) else []
    if stated != [Digest.of(data).hex]:
        yield f"the file {name} has another digest"
    try:
        parse_envelope(data)
    except MalformedInput as error:
        yield f"the file {name} is no signed envelope: {error}"


def _finding(node: Node) -> Iterator[str]:
    """Say where a finding claims more than was computed, or rests on nothing."""
    target = node.value.get("target")
    status = target.get("status") if isinstance(target, dict) else None
    state = status.get("state") if isinstance(status, dict) else None
    computed = node.property("state")
    if (state == "satisfied") != (computed == "satisfied"):
        yield f"the finding says {str(state)[:20]!r}, computed was {computed[:20]!r}"
    related = node.value.get("related-observations")
    listed = [one for one in related if isinstance(one, dict)] if isinstance(related, list) else []
    if state == "satisfied" and not any(one.get("remarks") == COUNTS for one in listed):
        yield "it is satisfied, and no observation that counts stands behind it"


def _risk(node: Node, ledger: Ledger | None) -> Iterator[str]:
    """Say where a risk is another than was signed, or called accepted without an acceptance that has an end."""
    yield from _entry(node, ledger)
    status = node.value.get("status")
    if (status == "deviation-approved") != (bool(node.property("accepted-until")) and status != "closed"):
        yield f"the risk says {str(status)[:20]!r}, and its acceptance runs until {node.property('accepted-until')!r}"
    for facets in _facets(node):
        likelihood, impact, score = (facets.get(name, "") for name in ("likelihood", "impact", "score"))
        steps = all(re.fullmatch(r"[1-5]", step) for step in (likelihood, impact))
        if not steps or score != str(int(likelihood) * int(impact)):
            yield f"score {score[:20]!r} is not that of likelihood and impact"


def _facets(node: Node) -> Iterator[dict[str, str]]:
    """Yield the values of each rating of a risk, by name."""
    rated = node.value.get("characterizations")
    for one in rated if isinstance(rated, list) else [None]:
        listed = one.get("facets") if isinstance(one, dict) else None
        values = [facet for facet in listed if isinstance(facet, dict)] if isinstance(listed, list) else []
        yield {str(facet.get("name")): str(facet.get("value")) for facet in values}
