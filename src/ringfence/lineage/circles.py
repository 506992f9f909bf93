"""Circles in a directed graph: strongly connected parts, by two searches in depth, without recursion. Pure.

Source: M. Sharir, A strong-connectivity algorithm and its applications in data flow analysis, 1981 (Kosaraju's method).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ringfence.lineage.model import Link, Ref

Graph = Mapping[Ref, Sequence[Ref]]


def circles(things: Sequence[Ref], links: Iterable[Link]) -> list[list[Ref]]:
    """Return the groups of things of which each leads to every other, and those that lead to themselves; sorted."""
    after: dict[Ref, list[Ref]] = {ref: [] for ref in things}
    before: dict[Ref, list[Ref]] = {ref: [] for ref in things}
    for link in links:
        if link.source in after and link.target in after:
            after[link.source].append(link.target)
            before[link.target].append(link.source)
    met: set[Ref] = set()
    order = [ref for start in after for ref in _left(start, after, met)]
    met.clear()
    groups = [list(_left(start, before, met)) for start in reversed(order)]
    return sorted(sorted(group) for group in groups if len(group) > 1 or (group and group[0] in after[group[0]]))


def _left(start: Ref, graph: Graph, met: set[Ref]) -> Iterator[Ref]:
    """Yield what is reached and was not met before, each thing once everything behind it was."""
    if start in met:
        return
    met.add(start)
    work = [(start, iter(graph[start]))]
    while work:
        ref, rest = work[-1]
        following = next((one for one in rest if one not in met), None)
        if following is None:
            work.pop()
            yield ref
        else:
            met.add(following)
            work.append((following, iter(graph[following])))
