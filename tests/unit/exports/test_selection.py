"""The profile selects what binds, or may."""

from ringfence.exports.selection import profile
from ringfence.obligations.results import Standing


def ids(facts):
    return set(profile(facts)["profile"]["imports"][0]["include-controls"][0]["with-ids"])


def test_what_binds_is_selected_and_what_is_not_ours_is_not(facts):
    selected = ids(facts)
    for duty in facts.board.duties:
        if duty.standing is Standing.BINDING:
            assert duty.obligation.id in selected
        if duty.standing in (Standing.NOT_OURS, Standing.UPCOMING, Standing.BASIS):
            assert duty.obligation.id not in selected


def test_without_a_scope_nothing_that_may_bind_is_left_out(empty, facts):
    open_ = {d.obligation.id for d in empty.board.duties if d.standing is Standing.UNDETERMINED and not d.applies_from}
    assert open_ <= ids(empty)
    assert len(ids(empty)) > len(ids(facts))


def test_it_says_how_many_are_left_out(facts):
    assert "not addressed to it" in profile(facts)["profile"]["metadata"]["remarks"]
