from contextlib import contextmanager

import pytest

from ringfence.kernel.errors import NotFound, UsageError
from ringfence.ledger.model import Standing
from ringfence.lineage.model import GapKind, Kind, Ref
from ringfence.lineage.service import Lineages
from ringfence.testing.lineage import Tale, digest_of, whole
from ringfence.testing.obligations import StoryEvidence

NAMES = {"model/tuned": "fox", "dataset/books": "library"}


def lineages(tale):
    evidence = StoryEvidence(tale)
    return Lineages(evidence, lambda _: False, lambda _: NAMES), evidence


def test_what_is_new_is_added_without_reading_everything_again():
    tale = whole()
    service, evidence = lineages(tale)
    assert service.closure(tale.tenant, digest_of("tuned")).closed
    for number in range(200):
        tale.sign(f"m{number}")
    assert service.survey(tale.tenant).models == 201
    assert evidence.asked == 1


def test_only_what_is_made_from_scratch_is_made_at_once():
    tale, began = whole(), []

    @contextmanager
    def at_once():
        began.append(len(tale.statements))
        yield

    service = Lineages(StoryEvidence(tale), lambda _: False, lambda _: NAMES, at_once)
    service.lineage(tale.tenant)
    tale.sign("more")
    service.lineage(tale.tenant)
    assert began == [len(tale.statements) - 1]


def test_a_survey_is_made_anew_after_a_statement_and_not_before():
    tale = whole()
    service, _ = lineages(tale)
    first = service.survey(tale.tenant)
    assert service.survey(tale.tenant) is first
    tale.sign("orphan")
    assert service.survey(tale.tenant).gaps
    then = tale.statements[-2].recorded_at
    assert service.survey(tale.tenant, then) == first


def test_a_revocation_counts_backwards():
    tale = whole()
    service, evidence = lineages(tale)
    service.lineage(tale.tenant)
    tale.add("key.revoked", {})
    service.lineage(tale.tenant)
    assert evidence.asked == 2


def test_the_past_is_what_was_known_then():
    tale = whole()
    service, _ = lineages(tale)
    then = tale.statements[3].recorded_at
    assert not service.closure(tale.tenant, digest_of("tuned"), then).closed
    assert service.closure(tale.tenant, digest_of("tuned")).closed


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("fox", Kind.MODEL, "tuned"),
        ("library", Kind.DATASET, "books"),
        ("dataset:library", Kind.DATASET, "books"),
        ("small", Kind.DEPLOYMENT, "small"),
        ("run:tune", Kind.RUN, "tune"),
        (digest_of("base").hex, Kind.MODEL, "base"),
        (f"model:{digest_of('base').hex}", Kind.MODEL, "base"),
        (f"sha256:{digest_of('tuned').hex}", Kind.MODEL, "tuned"),
        (digest_of("letters").hex[:12], Kind.DATASET, "letters"),
    ],
)
def test_a_person_names_a_thing(text, kind, name):
    tale = whole()
    assert lineages(tale)[0].named(tale.tenant, text) == Ref(kind, digest_of(name))


@pytest.mark.parametrize("text", ["", "nothing", "model:small", "run:zz", "../x", "0" * 64, "model:", ":"])
def test_what_nobody_named_is_not_found(text):
    tale = whole()
    with pytest.raises(NotFound):
        lineages(tale)[0].named(tale.tenant, text)


def test_the_newest_version_has_the_name():
    tale = whole()
    tale.about("model.signed", {"model": "tuned"}, [("model/tuned", "tuned-2")])
    assert lineages(tale)[0].named(tale.tenant, "fox").digest == digest_of("tuned-2")


def test_digits_that_fit_two_things_are_refused():
    tale = Tale()
    tale.run("r", [], "a")
    other = digest_of("a").hex[:8]
    service, _ = lineages(tale)
    lineage = service.lineage(tale.tenant)
    ref = Ref(Kind.MODEL, digest_of("a"))
    twin = Ref(Kind.MODEL, type(ref.digest).parse(other + "0" * 56))
    things = {**lineage.things, twin: lineage.thing(twin)}
    service._kept[tale.tenant] = type(lineage)(tale.tenant, False, things, lineage.seals, lineage.last)
    with pytest.raises(UsageError, match="2 things"):
        service.named(tale.tenant, other)


def test_what_nobody_named_cannot_be_shown():
    tale = whole()
    with pytest.raises(NotFound):
        lineages(tale)[0].show(tale.tenant, Ref(Kind.RUN, digest_of("nothing")))


def test_a_key_that_was_revoked_opens_what_was_closed():
    tale = whole()
    service, _ = lineages(tale)
    assert service.closure(tale.tenant, digest_of("tuned")).closed
    from dataclasses import replace

    tale.statements[:] = [
        replace(one, standing=Standing.REVOKED) if one.envelope.statement.predicate == "run.manifest" else one
        for one in tale.statements
    ]
    tale.add("key.revoked", {})
    found = service.closure(tale.tenant, digest_of("tuned"))
    assert {gap.kind for gap in found.gaps} == {GapKind.UNCOUNTED}
