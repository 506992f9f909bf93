from ringfence.ledger.model import Standing
from ringfence.lineage import closing
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Kind, Ref
from ringfence.lineage.view import around
from ringfence.testing.lineage import Tale, digest_of, whole


def view(tale, name, kind, **limits):
    return around(Lineage.of(tale.tenant, tale.statements), Ref(kind, digest_of(name)), **limits)


def test_a_dataset_shows_what_became_of_it():
    found = view(whole(), "books", Kind.DATASET)
    kinds = [thing.ref.kind for thing in found.things]
    assert kinds == [
        Kind.DATASET, Kind.RUN, Kind.MODEL, Kind.EVALUATION, Kind.DECISION, Kind.DEPLOYMENT,
    ]  # fmt: skip
    assert found.closure.closed


def test_links_go_from_left_to_right():
    found = view(whole(), "tuned", Kind.MODEL)
    assert len(found.things) == 8
    assert all(found.columns[link.source] < found.columns[link.target] for link in found.links)


def test_what_is_far_away_is_left_out_and_counted():
    tale = Tale()
    tale.seal("books")
    for number in range(30):
        tale.run(f"r{number}", ["books"], f"m{number}")
    found = view(tale, "books", Kind.DATASET, most=10)
    assert (len(found.things), found.left_out > 0) == (10, True)
    shown = {thing.ref for thing in found.things}
    assert all({link.source, link.target} <= shown for link in found.links)


def test_a_claim_that_is_not_followed_back_is_not_followed_forward():
    tale = whole()
    tale.run("claim", ["letters"], "tuned", standing=Standing.REVOKED)
    lineage = Lineage.of(tale.tenant, tale.statements)
    start = Ref(Kind.DATASET, digest_of("letters"))
    shown = {thing.ref for thing in around(lineage, start).things}
    claim = Ref(Kind.RUN, digest_of("claim"))
    assert claim in shown  # somebody said that the data went there
    assert claim not in closing.closure(lineage, Ref(Kind.MODEL, digest_of("tuned"))).things
    links = around(lineage, start).links
    assert not any(link.source == claim for link in links)  # and nothing is followed from it
