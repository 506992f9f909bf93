"""Notes are collected from the parts of an answer."""

from ringfence.obligations.scope.answer import VERIFIED, Gap, Notes, Part, Reason, Upcoming


def test_a_part_hands_over_its_notes_and_rows():
    notes = Notes()
    reason, gap = Reason("a", "b", "c", "d"), Gap("a", ("x",), ("y",))
    later = Upcoming("a", "b", "2027-12-02", "c", "d")
    rows = notes.take(Part(({"k": 1},), (reason,), (gap,), (later,)))
    assert rows == ({"k": 1},)
    assert (notes.reasons, notes.gaps, notes.upcoming) == ([reason], [gap], [later])
    assert reason.source == VERIFIED


def test_notes_do_not_share_their_lists():
    Notes().reasons.append(Reason("a", "b", "c", "d"))
    assert Notes().reasons == []
