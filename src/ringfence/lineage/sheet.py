"""Lineage as JSON documents. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.gateway.records import Record
from ringfence.kernel.clock import to_text
from ringfence.lineage.closing import Survey
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Basis, Closure, Gap, Kind, Link, Mark, Role, Thing
from ringfence.lineage.tracing import Traced
from ringfence.lineage.view import View

DOES_NOT_SHOW = (
    "that a run used what was put before it, or nothing else: a command may read the network and the disk",
    "that the weights with a digest computed an answer: the gateway's key asserts which engine it asked",
    "what is true of things that came from outside: an import says who vouched, and the chain ends there",
)
_MOST_MARKS = 50


def label(thing: Thing, names: Mapping[str, str]) -> str:
    """Return what people call a thing, as far as its name was not erased; else what its statements say."""
    for mark in reversed(thing.marks):
        if mark.role is Role.DEPLOYED and (deployment := mark.facts.get("deployment")):
            return str(deployment)
    epoch = next((mark.facts.get("epoch") for mark in thing.marks if mark.role is Role.SEALED), None)
    given = names.get(thing.name, "")
    if given and epoch is not None:
        return f"{given}, epoch {epoch}"
    return given or thing.name or f"unstated, {thing.ref.digest.hex[:12]}"


def shown(view: View, names: Mapping[str, str], gaps: Sequence[Gap] | None = None) -> dict[str, Any]:
    """Return one thing with everything around it; `gaps` are those of its closure unless told."""
    found = view.closure.gaps if gaps is None else gaps
    behind = set(view.closure.things)
    return {
        "start": str(view.closure.start),
        "closed": not found,
        "gaps": [gap(one) for one in found],
        "things": [_thing(one, names, column=view.columns[one.ref], behind=one.ref in behind) for one in view.things],
        "links": [_link(one) for one in view.links],
        "ends": [str(ref) for ref in view.closure.ends],
        "roots": [row for one in view.things if one.ref in behind for row in _roots(one, names)],
        "left_out": view.left_out,
        "does_not_show": list(DOES_NOT_SHOW),
    }


def answer(
    traced: Traced, view: View, names: Mapping[str, str], record: Record, where: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what stands behind one answer; `where` is its place in its segment and in the log."""
    terms = record.admitted.terms
    said = {
        "request": record.admitted.request,
        "at": to_text(record.admitted.at),
        "deployment": terms.deployment,
        "digest": str(terms.model.digest) if terms.model.digest else None,
        "basis": terms.model.basis.value,
        "node": terms.node,
    }
    return {"answer": said | dict(where)} | shown(view, names, traced.gaps)


def surveyed(found: Survey, lineage: Lineage, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what is missing in a tenant."""
    by_kind: dict[str, int] = {}
    for one in found.gaps:
        by_kind[one.kind.value] = by_kind.get(one.kind.value, 0) + 1
    return {
        "models": found.models,
        "deployments": found.deployments,
        "closed": found.closed,
        "open": found.models + found.deployments - found.closed,
        "gaps": [gap(one) | {"label": label(lineage.thing(one.about), names)} for one in found.gaps],
        "kinds": by_kind,
        "known": {kind.value: sum(1 for _ in lineage.of_kind(kind)) for kind in Kind},
    }


def gap(one: Gap) -> dict[str, Any]:
    """Return one gap."""
    return {"kind": one.kind.value, "about": str(one.about), "text": one.text, "entries": list(one.entries)}


def closure(found: Closure) -> dict[str, Any]:
    """Return whether a thing's lineage is closed, for whoever decides by it."""
    return {
        "start": str(found.start),
        "closed": found.closed,
        "gaps": [gap(one) for one in found.gaps],
        "entries": list(found.entries),
        "ends": [str(ref) for ref in found.ends],
    }


def _thing(one: Thing, names: Mapping[str, str], *, column: int, behind: bool) -> dict[str, Any]:
    return {
        "thing": str(one.ref),
        "kind": one.ref.kind.value,
        "digest": str(one.ref.digest),
        "name": one.name,
        "label": label(one, names),
        "column": column,
        "behind": behind,
        "facts": facts(one),
        "statements": [_mark(mark) for mark in one.marks[-_MOST_MARKS:]],
    }


def facts(one: Thing) -> dict[str, Any]:
    """Return the plain claims of everything that counts about a thing; a later statement's stand."""
    found: dict[str, Any] = {}
    for mark in one.marks:
        if mark.basis.counts or mark.basis.foreign:
            found |= {name: value for name, value in mark.facts.items() if isinstance(value, str | int | bool)}
    return found


def _roots(one: Thing, names: Mapping[str, str]) -> list[dict[str, Any]]:
    if one.ref.kind is not Kind.DATASET:
        return []
    return [
        {
            "dataset": mark.facts.get("dataset", ""),
            "label": label(one, names),
            "epoch": mark.facts.get("epoch"),
            "seal": str(one.ref.digest),
            "plaintextRoot": mark.facts.get("plaintextRoot", ""),
            "ciphertextRoot": mark.facts.get("ciphertextRoot", ""),
            "statement": _basis(mark.basis),
        }
        for mark in one.marked(Role.SEALED)[:1]
    ]


def _mark(mark: Mark) -> dict[str, Any]:
    return {"role": mark.role.value} | _basis(mark.basis)


def _link(link: Link) -> dict[str, Any]:
    ends = {"source": str(link.source), "target": str(link.target), "relation": link.relation.value}
    return ends | {"statement": _basis(link.basis)}


def _basis(basis: Basis) -> dict[str, Any]:
    return {
        "entry": basis.entry,
        "envelope": str(basis.envelope),
        "predicate": basis.predicate,
        "strength": basis.strength,
        "at": to_text(basis.recorded_at),
        "counts": basis.counts,
        "flaw": basis.flaw,
        "foreign": basis.foreign,
    }
