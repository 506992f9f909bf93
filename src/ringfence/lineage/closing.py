"""What a thing comes from, back to sealed data and imports, and what is missing on the way. Pure.

Nothing is closed by guessing: a link that no rule may count, another system's word, two stories of one digest and a
circle are gaps by name. A link of ours that counts stands before one that does not; only where there is none of that
relation is the other followed, and said.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.kernel.digest import Digest
from ringfence.lineage.circles import circles
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import MAX_WALKED, Closure, Gap, GapKind, Kind, Link, Mark, Ref, Relation, Role, Thing


def of_model(lineage: Lineage, digest: Digest) -> Closure:
    """Return what a model comes from, by the digest of its manifest or of its single file."""
    return closure(lineage, Ref(Kind.MODEL, digest))


def closure(lineage: Lineage, start: Ref, *, most: int = MAX_WALKED) -> Closure:
    """Return everything that a thing comes from, and every gap; beyond `most` things it says so and is not closed."""
    seen, links, gaps = _examined(lineage, [start], most)
    ends = [ref for ref in seen if _is_end(lineage.thing(ref))]
    return Closure(start, tuple(seen), tuple(links), tuple(sorted(gaps, key=lambda gap: gap.order)), tuple(ends))


def _examined(lineage: Lineage, starts: Sequence[Ref], most: int) -> tuple[list[Ref], list[Link], list[Gap]]:
    """Walk back from several things at once, and find what is missing behind any of them."""
    seen, links, cut = _walk(lineage, starts, most)
    gaps: list[Gap] = []
    signed_at = {*starts, *(link.source for link in links if link.relation is Relation.SERVED)}
    for ref in seen:
        gaps += _gaps(lineage, lineage.thing(ref), must_be_signed=ref in signed_at)
    gaps += _unsupported(links)
    for circle in circles(seen, links):
        told = " → ".join(f"{ref.kind} {ref.digest.hex[:12]}" for ref in (*circle, circle[0]))
        members = set(circle)
        entries = {link.basis.entry for link in links if link.source in members and link.target in members}
        gaps.append(Gap(GapKind.CYCLE, circle[0], f"a circle: {told}", tuple(sorted(entries))))
    if cut:
        text = f"more than {most} things lead here; what lies behind was not looked at"
        gaps.append(Gap(GapKind.TOO_LARGE, starts[0], text))
    return seen, links, gaps


def _walk(lineage: Lineage, starts: Sequence[Ref], most: int) -> tuple[list[Ref], list[Link], bool]:
    """Walk back breadth first; return the things, the links, and whether it stopped before the end."""
    seen: dict[Ref, None] = dict.fromkeys(starts)
    waiting, links = list(seen), list[Link]()
    while waiting:
        following: list[Ref] = []
        for ref in waiting:
            for link in followed(lineage.thing(ref).before):
                if link.source not in seen:
                    if len(seen) >= most:
                        return list(seen), links, True
                    seen[link.source] = None
                    following.append(link.source)
                links.append(link)
        waiting = following
    return list(seen), links, False


def followed(links: Sequence[Link]) -> Iterator[Link]:
    """Yield each link once: those that count, and of a relation without any, those that do not."""
    counted = {link.relation for link in links if link.basis.counts}
    done: set[tuple[Ref, Ref, Relation]] = set()
    for link in links:
        key = (link.source, link.target, link.relation)
        if (link.basis.counts or link.relation not in counted) and key not in done:
            done.add(key)
            yield link


def _unsupported(links: Iterable[Link]) -> Iterator[Gap]:
    for link in links:
        basis = link.basis
        if basis.flaw:
            text = f"entry {basis.entry} alone says that {_two(link)}, and it does not count: {basis.flaw}"
            yield Gap(GapKind.UNCOUNTED, link.target, text, (basis.entry,))
        elif basis.foreign:
            text = f"entry {basis.entry} alone says that {_two(link)}, and it repeats another system's word"
            yield Gap(GapKind.FOREIGN_WORD, link.target, text, (basis.entry,))


def _two(link: Link) -> str:
    return f"{_short(link.source)} led to {_short(link.target)} as {link.relation}"


def _short(ref: Ref) -> str:
    return f"{ref.kind} {ref.digest.hex[:12]}"


def _gaps(lineage: Lineage, thing: Thing, *, must_be_signed: bool) -> Iterator[Gap]:
    match thing.ref.kind:
        case Kind.MODEL:
            yield from _of_model(lineage, thing, must_be_signed=must_be_signed)
        case Kind.RUN:
            yield from _of_run(thing)
            yield from _told_again(thing)
        case Kind.DATASET:
            yield from _of_dataset(lineage, thing)
        case Kind.DEPLOYMENT:
            yield from _of_deployment(thing)
        case Kind.EVALUATION | Kind.DECISION:
            if not thing.before:
                text = f"{_short(thing.ref)} names no model"
                yield Gap(GapKind.NO_DIGEST, thing.ref, text, _entries(thing.marks))


def _of_model(lineage: Lineage, thing: Thing, *, must_be_signed: bool) -> Iterator[Gap]:
    signed, imported = thing.marked(Role.SIGNED), _imported(thing)
    made = [link for link in thing.before if link.relation is Relation.OUTPUT]
    if not made and not imported:
        known = "is signed, and" if signed else "is known by its digest only:"
        text = f"{_short(thing.ref)} {known} no run and no import is stated that it comes from"
        yield Gap(GapKind.NO_ORIGIN, thing.ref, text, _entries(signed))
    decided = [mark for mark in thing.marked(Role.DECIDED) if mark.facts.get("decision") in ("accept", "refuse")]
    if decided and decided[-1].facts["decision"] == "refuse":
        text = f"a person refused to let {_short(thing.ref)} in from outside"
        yield Gap(GapKind.ORIGIN_REFUSED, thing.ref, text, _entries(decided[-1:]))
    if must_be_signed and not signed:
        flawed = thing.marked(Role.SIGNED, counted=False)
        why = (
            f"; the signature of entry {flawed[-1].basis.entry} does not count: {flawed[-1].basis.flaw}"
            if flawed
            else ""
        )
        yield Gap(GapKind.UNSIGNED, thing.ref, f"nobody signed {_short(thing.ref)}{why}", _entries(flawed))
    yield from _two_stories(lineage, thing, made)


def _two_stories(lineage: Lineage, thing: Thing, made: Sequence[Link]) -> Iterator[Gap]:
    """Find runs that differ in what went in, and each say that this came out; repeating a run is no contradiction."""
    counted = {link.source: link for link in made if link.basis.counts}
    recipes = {recipe(lineage.thing(run)) for run in counted}
    entries = tuple(sorted(link.basis.entry for link in counted.values()))
    if len(counted) > 1 and (len(recipes) > 1 or None in recipes):
        text = f"{len(counted)} runs left {_short(thing.ref)}, not known to be the same by inputs, code and seed"
        yield Gap(GapKind.TWO_ORIGINS, thing.ref, text, entries)


def recipe(run: Thing) -> tuple[object, ...] | None:
    """Return what a run can be repeated by; None where that is not known to the last byte."""
    marks = run.marked(Role.RAN)
    if not marks:
        return None
    facts = marks[-1].facts
    exact = (
        facts.get("code") == "git" and facts.get("commit") and not facts.get("dirty") and not facts.get("codeChanged")
    )
    if not exact:
        return None
    went_in = sorted(str(link.source) for link in run.before if link.relation in (Relation.INPUT, Relation.BASE))
    return (*went_in, facts.get("commit"), facts.get("seed"), facts.get("environment"))


def _of_run(thing: Thing) -> Iterator[Gap]:
    marks = thing.marked(Role.RAN) or thing.marked(Role.RAN, counted=False)
    if not marks:
        return
    facts, entries = marks[-1].facts, _entries(marks[-1:])
    if facts.get("outcome") != "completed":
        text = f"{_short(thing.ref)} ended as {facts.get('outcome') or 'nobody says'}"
        yield Gap(GapKind.RUN_NOT_COMPLETED, thing.ref, text, entries)
    if facts.get("code") not in ("git", "files"):
        yield Gap(GapKind.CODE_UNKNOWN, thing.ref, f"the code of {_short(thing.ref)} is unknown", entries)
    for name, what in (("codeChanged", "code"), ("baseChanged", "base model")):
        if facts.get(name) is True:
            yield Gap(
                GapKind.CODE_CHANGED, thing.ref, f"the {what} of {_short(thing.ref)} changed while it ran", entries
            )
    if facts.get("outputsSkipped") not in (0, None):
        text = f"{facts['outputsSkipped']} things that {_short(thing.ref)} left were not digested"
        yield Gap(GapKind.OUTPUTS_LEFT_OUT, thing.ref, text, entries)
    if not any(link.relation in (Relation.INPUT, Relation.BASE) for link in thing.before):
        text = f"{_short(thing.ref)} names no dataset and no base model that went in"
        yield Gap(GapKind.NO_INPUTS, thing.ref, text, entries)


def _told_again(run: Thing) -> Iterator[Gap]:
    """Find a run that is stated more than once: the newer statement may be there to hide how it ended."""
    marks = run.marked(Role.RAN)
    if len(marks) > 1:
        text = f"{_short(run.ref)} is stated {len(marks)} times, and each time something else may be said of it"
        yield Gap(GapKind.TWO_ORIGINS, run.ref, text, _entries(marks))


def _of_dataset(lineage: Lineage, thing: Thing) -> Iterator[Gap]:
    sealed = thing.marked(Role.SEALED)
    if not sealed:
        users = tuple(link.basis.entry for link in thing.after[:8])
        text = f"no statement that counts says what {_short(thing.ref)} is: nobody sealed it here"
        yield Gap(GapKind.INPUT_UNSTATED, thing.ref, text, users)
    for mark in thing.marked(Role.ERASED)[:1]:
        text = f"the key of {_short(thing.ref)} was destroyed: nobody can look into it again"
        yield Gap(GapKind.DATASET_ERASED, thing.ref, text, (mark.basis.entry,))
    yield from _conflicts(lineage, thing, sealed)


def _conflicts(lineage: Lineage, thing: Thing, sealed: Sequence[Mark]) -> Iterator[Gap]:
    epochs = {(str(mark.facts.get("dataset")), mark.facts.get("epoch")) for mark in sealed}
    for dataset, epoch in sorted(epochs, key=str):
        if isinstance(epoch, int) and len(lineage.seals.get((dataset, epoch), ())) > 1:
            text = f"epoch {epoch} of dataset {dataset} was sealed more than once, with different seals"
            yield Gap(GapKind.SEAL_CONFLICT, thing.ref, text, _entries(sealed))
    for link in thing.after if epochs else ():
        for seal, dataset, epoch in _stated_inputs(lineage.thing(link.target)):
            if seal == thing.ref.digest and (dataset, epoch) not in epochs:
                text = f"{_short(link.target)} calls {_short(thing.ref)} epoch {epoch} of {dataset}, which it is not"
                yield Gap(GapKind.SEAL_CONFLICT, thing.ref, text, (link.basis.entry,))


def _stated_inputs(run: Thing) -> Iterator[tuple[Digest, str, int]]:
    for mark in run.marked(Role.RAN):
        inputs = mark.facts.get("inputs")
        yield from inputs if isinstance(inputs, tuple) else ()


def _of_deployment(thing: Thing) -> Iterator[Gap]:
    marks = thing.marked(Role.DEPLOYED) or thing.marked(Role.DEPLOYED, counted=False)
    if not marks:
        return
    facts, entries = marks[-1].facts, _entries(marks[-1:])
    if "digest" not in facts:
        text = f"nobody says which model {_short(thing.ref)} serves: its engine was attached without a digest"
        yield Gap(GapKind.NO_DIGEST, thing.ref, text, entries)
    elif facts.get("basis") != "loaded":
        text = f"the digest that {_short(thing.ref)} serves is a person's word; no loader of ours hashed it"
        yield Gap(GapKind.DIGEST_DECLARED, thing.ref, text, entries)
    looked = [mark for mark in thing.marked(Role.CHECKED) if mark.basis.entry > marks[-1].basis.entry]
    if looked and looked[-1].facts.get("outcome") == "changed":
        text = f"the engine of {_short(thing.ref)} has other bytes than those that were verified and given to it"
        yield Gap(GapKind.DIGEST_CONFLICT, thing.ref, text, _entries(looked[-1:]))


def _is_end(thing: Thing) -> bool:
    """Tell whether a model came from outside; what a run of ours left may have been taken into the store, too."""
    return bool(_imported(thing)) and not any(link.relation is Relation.OUTPUT for link in thing.before)


def _imported(thing: Thing) -> list[Mark]:
    return thing.marked(Role.IMPORTED)


def _entries(marks: Iterable[Mark]) -> tuple[int, ...]:
    return tuple(mark.basis.entry for mark in marks)


@dataclass(frozen=True, slots=True)
class Survey:
    """The gaps of a whole tenant."""

    models: int
    deployments: int
    closed: int  # models and deployments that have none
    gaps: tuple[Gap, ...]


def survey(lineage: Lineage) -> Survey:
    """Return what is missing behind every model that somebody signed and every deployment that has not ended.

    Each thing is walked once, however many models come from it, so that the work grows with the log alone.
    """
    models = [thing.ref for thing in lineage.of_kind(Kind.MODEL) if thing.marked(Role.SIGNED, counted=False)]
    running = [thing.ref for thing in lineage.of_kind(Kind.DEPLOYMENT) if _runs(thing)]
    starts = [*models, *running]
    if not starts:
        return Survey(0, 0, 0, ())
    _, links, gaps = _examined(lineage, starts, max(MAX_WALKED, len(lineage.things) + 1))
    after: dict[Ref, list[Ref]] = {}
    for link in links:
        after.setdefault(link.source, []).append(link.target)
    waiting = [gap.about for gap in gaps]
    tainted = set(waiting)
    while waiting:
        for following in after.get(waiting.pop(), ()):
            if following not in tainted:
                tainted.add(following)
                waiting.append(following)
    closed = sum(start not in tainted for start in starts)
    return Survey(len(models), len(running), closed, tuple(sorted(gaps, key=lambda gap: gap.order)))


def _runs(thing: Thing) -> bool:
    last = thing.marked(Role.DEPLOYED, Role.ENDED, counted=False)
    return bool(last) and last[-1].role is Role.DEPLOYED
