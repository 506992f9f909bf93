"""Lineage: the order and the parts in which statements arrive change nothing, and circles are all found."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.clock import from_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.ledger.model import Standing
from ringfence.lineage import closing, dot, drawing, sheet
from ringfence.lineage.circles import circles
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Basis, Kind, Link, Ref, Relation
from ringfence.lineage.reading import PREDICATES, read
from ringfence.lineage.view import around, placed
from ringfence.testing.lineage import Tale, digest_of

names = st.sampled_from(["a", "b", "c", "d"])
standings = st.sampled_from([Standing.TRUSTED, Standing.TRUSTED, Standing.REVOKED])
events = st.one_of(
    st.tuples(st.just("seal"), names),
    st.tuples(st.just("erase"), names),
    st.tuples(st.just("sign"), names, standings),
    st.tuples(st.just("take_in"), names),
    st.tuples(st.just("deploy"), names, names),
    st.tuples(st.just("run"), st.lists(names, max_size=2), names, st.lists(names, max_size=2), standings),
)


def told(happened):
    tale = Tale()
    for number, (what, *rest) in enumerate(happened):
        match what, rest:
            case "run", [inputs, output, bases, standing]:
                tale.run(f"r{number}", inputs, f"m-{output}", bases=[f"m-{base}" for base in bases], standing=standing)
            case "sign", [name, standing]:
                tale.sign(f"m-{name}", standing=standing)
            case "take_in", [name]:
                tale.take_in(f"m-{name}")
            case "deploy", [name, model]:
                tale.deploy(f"d-{name}", f"m-{model}")
            case "erase", [name]:
                tale.erase(name)
            case _, [name]:
                tale.seal(name)
    return tale


stories = st.lists(events, max_size=14).map(told)


@given(stories, st.randoms(use_true_random=False), st.integers(1, 5))
def test_parts_and_order_change_nothing(tale, random, size):
    whole = Lineage.of(tale.tenant, tale.statements)
    shuffled = list(tale.statements)
    random.shuffle(shuffled)
    assert Lineage.of(tale.tenant, shuffled) == whole
    parts = Lineage(tale.tenant, demo=False)
    for start in range(0, len(tale.statements), size):
        parts = parts.extended(tale.statements[start : start + size])
    assert (parts.things, parts.seals) == (whole.things, whole.seals)


@given(stories, names)
def test_closed_is_what_a_plain_search_finds(tale, name):
    """What is closed leads, by links that count alone, to sealed data that was not erased, or to imports."""
    lineage = Lineage.of(tale.tenant, tale.statements)
    start = Ref(Kind.MODEL, digest_of(f"m-{name}"))
    found = closing.closure(lineage, start)
    if not found.closed:
        assert found.gaps
        return
    stated = {(logged.envelope.statement.predicate, subject.digest): logged
              for logged in tale.statements for subject in logged.envelope.statement.subjects
              if logged.standing is Standing.TRUSTED}  # fmt: skip
    assert ("model.signed", start.digest) in stated
    for ref in found.things:
        if ref.kind is Kind.DATASET:
            assert ("dataset.sealed", ref.digest) in stated
            assert ("dataset.erased", ref.digest) not in stated
        if ref.kind is Kind.MODEL:
            made = [one for one in ("run.manifest", "model.imported") if (one, ref.digest) in stated]
            assert made
    assert all(link.basis.counts for link in found.links)


@given(stories)
def test_a_survey_agrees_with_the_closures(tale):
    lineage = Lineage.of(tale.tenant, tale.statements)
    found = closing.survey(lineage)
    starts = [t.ref for t in lineage.of_kind(Kind.MODEL) if t.marks and any(m.role == "signed" for m in t.marks)]
    starts += [t.ref for t in lineage.of_kind(Kind.DEPLOYMENT)]
    closures = [closing.closure(lineage, start) for start in starts]
    assert found.closed == sum(one.closed for one in closures)
    assert {gap.order for gap in found.gaps} == {gap.order for one in closures for gap in one.gaps}


@given(stories, names)
def test_whatever_is_stated_can_be_shown(tale, name):
    lineage = Lineage.of(tale.tenant, tale.statements)
    view = around(lineage, Ref(Kind.MODEL, digest_of(f"m-{name}")))
    document = sheet.shown(view, {})
    assert document["closed"] == (not document["gaps"])
    assert dot.written(document).count("->") == len(document["links"])
    found = drawing.drawn(document)
    assert found is None or len(found.boxes) == len(document["things"])
    places = [(box.x, box.y) for box in found.boxes] if found else []
    assert len(set(places)) == len(places)


BASIS = Basis(0, Digest.of(b""), PredicateName("run.manifest"), "observed", from_millis(0))
REFS = [Ref(Kind.MODEL, Digest.of(bytes([number]))) for number in range(6)]


def reached(start, links):
    seen, waiting = set(), [start]
    while waiting:
        here = waiting.pop()
        for link in links:
            if link.source == here and link.target not in seen:
                seen.add(link.target)
                waiting.append(link.target)
    return seen


pairs = st.lists(st.sampled_from(list(product(REFS, REFS))), max_size=14)


@given(pairs)
def test_every_circle_is_found_and_nothing_else(joined):
    links = [Link(source, target, Relation.BASE, BASIS) for source, target in joined]
    behind = {ref: reached(ref, links) for ref in REFS}
    expected = {frozenset({ref, *(other for other in REFS if other in behind[ref] and ref in behind[other])})
                for ref in REFS if ref in behind[ref]}  # fmt: skip
    assert {frozenset(group) for group in circles(REFS, links)} == expected


@given(pairs)
def test_columns_follow_links_except_around_a_circle(joined):
    links = [Link(source, target, Relation.BASE, BASIS) for source, target in joined]
    columns = placed(REFS, links)
    assert columns.keys() == set(REFS)
    if not circles(REFS, links):
        assert all(columns[link.source] < columns[link.target] for link in links)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
claimed = st.dictionaries(
    st.sampled_from(["inputs", "models", "digest", "dataset", "epoch", "modelDigest", "outcome", "deployment", "code"]),
    anything,
    max_size=6,
)


@given(st.sampled_from(PREDICATES), claimed, st.sampled_from(["dataset/x", "run/x", "model/x", "deployment/x"]))
def test_hostile_claims_never_raise(predicate, claims, subject):
    tale = Tale()
    logged = tale.about(predicate, claims, [(subject, "x"), ("outputs/x", "m")])
    read(logged, None)
    lineage = Lineage.of(tale.tenant, tale.statements)
    for ref in lineage.things:
        sheet.shown(around(lineage, ref), {})
    closing.survey(lineage)
