"""Where boxes and lines go."""

from itertools import combinations

from ringfence.lineage import drawing, sheet
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Kind, Ref
from ringfence.lineage.view import around
from ringfence.testing.lineage import Tale, digest_of, whole


def document(tale, name="tuned", kind=Kind.MODEL):
    return sheet.shown(around(Lineage.of(tale.tenant, tale.statements), Ref(kind, digest_of(name))), {})


def with_a_gap():
    tale = Tale()
    tale.run("r", ["books"], "tuned")
    return document(tale)


def test_boxes_stand_apart_and_lines_join_them():
    found = drawing.drawn(document(whole()))
    assert len(found.boxes) == 8
    for one, other in combinations(found.boxes, 2):
        assert abs(one.x - other.x) >= drawing.WIDTH or abs(one.y - other.y) >= drawing.HEIGHT
    assert all(box.x + drawing.WIDTH <= found.width and box.y + drawing.HEIGHT <= found.height for box in found.boxes)
    assert [line.counts for line in found.lines] == [True] * 7


def test_what_has_a_gap_is_marked():
    states = {box.kind: box.state for box in drawing.drawn(with_a_gap()).boxes}
    assert states == {"dataset": "gap", "run": "behind", "model": "gap"}


def test_what_became_of_it_is_not_marked_as_behind_it():
    states = {box.kind: box.state for box in drawing.drawn(document(whole(), "books", Kind.DATASET)).boxes}
    assert states["dataset"] == "behind"
    assert states["deployment"] == ""


def test_a_circle_is_drawn():
    tale = Tale()
    tale.run("r", [], "tuned", bases=["tuned"])
    assert len(drawing.drawn(document(tale)).lines) == 2


def test_too_many_things_are_not_drawn():
    tale = Tale()
    tale.seal("books")
    for number in range(drawing.MAX_BOXES):
        tale.run(f"r{number}", ["books"], f"m{number}")
    assert drawing.drawn(document(tale, "books", Kind.DATASET)) is None


def test_one_thing_alone_is_not_drawn():
    tale = Tale()
    tale.seal("books")
    assert drawing.drawn(document(tale, "books", Kind.DATASET)) is None
