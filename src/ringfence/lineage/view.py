"""One thing with what it comes from and what became of it, small enough for a page; and its columns. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.lineage.closing import closure, followed
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import MAX_SHOWN, Closure, Kind, Link, Ref, Thing


@dataclass(frozen=True, slots=True)
class View:
    """Things in columns from left to right, in the direction of time."""

    closure: Closure
    things: tuple[Thing, ...]  # by column, then by where they were met
    links: tuple[Link, ...]
    columns: Mapping[Ref, int]
    left_out: int = 0  # things beyond what is shown


def around(lineage: Lineage, start: Ref, found: Closure | None = None, *, most: int = MAX_SHOWN) -> View:
    """Return what a thing comes from, and what became of it; the nearest `most` things."""
    back = found or closure(lineage, start)
    after, links = _forward(lineage, start, most)
    refs = list(dict.fromkeys((*back.things, *after)))
    shown = set(refs[:most])
    joined = {(link.source, link.target, link.relation): link for link in (*back.links, *links)}
    kept = tuple(link for link in joined.values() if link.source in shown and link.target in shown)
    columns = placed(refs[:most], kept)
    ordered = sorted(refs[:most], key=lambda ref: (columns[ref], _RANK[ref.kind]))
    return View(back, tuple(map(lineage.thing, ordered)), kept, columns, max(0, len(refs) - most))


_RANK = {kind: rank for rank, kind in enumerate(Kind)}


def _forward(lineage: Lineage, start: Ref, most: int) -> tuple[list[Ref], list[Link]]:
    seen: dict[Ref, None] = {start: None}
    waiting, links = [start], list[Link]()
    while waiting and len(seen) <= most:
        following: list[Ref] = []
        for ref in waiting:
            for link in _kept(lineage, lineage.thing(ref).after):
                links.append(link)
                if link.target not in seen:
                    seen[link.target] = None
                    following.append(link.target)
        waiting = following
    return list(seen), links


def _kept(lineage: Lineage, links: Iterable[Link]) -> Iterable[Link]:
    """Leave out links that the thing at their other end is not followed back by."""
    for link in links:
        if any(one is link for one in followed(lineage.thing(link.target).before)):
            yield link


def placed(refs: Sequence[Ref], links: Sequence[Link]) -> dict[Ref, int]:
    """Return a column for each thing: behind everything that it comes from, except around a circle."""
    after: dict[Ref, list[Ref]] = {ref: [] for ref in refs}
    waiting_for = dict.fromkeys(refs, 0)
    for link in links:
        after[link.source].append(link.target)
        waiting_for[link.target] += 1
    columns = dict.fromkeys(refs, 0)
    ready = [ref for ref in refs if not waiting_for[ref]]
    left = dict.fromkeys(ref for ref in refs if waiting_for[ref])
    while ready or left:
        if not ready:  # a circle: it is cut where it was met first
            ready = [next(iter(left))]
            del left[ready[0]]
        ref = ready.pop()
        for target in after[ref]:
            if target in left:
                columns[target] = max(columns[target], columns[ref] + 1)
                waiting_for[target] -= 1
                if not waiting_for[target]:
                    del left[target]
                    ready.append(target)
    return columns


def roots(view: Iterable[Thing]) -> list[Thing]:
    """Return the datasets among things: what the rows of an answer's data are named by."""
    return [thing for thing in view if thing.ref.kind is Kind.DATASET]
