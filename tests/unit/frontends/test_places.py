import pytest

from ringfence.frontends.places import PLACES, PRACTICE, with_tab


@pytest.mark.parametrize(
    ("path", "place", "tab"),
    [
        ("/", "/", "/"),
        ("/nodes", "/nodes", "/nodes"),
        ("/nodes/offers", "/nodes", "/nodes/offers"),
        ("/nodes/training-1", "/nodes", "/nodes"),
        ("/record/risk.assessment", "/obligations", "/record"),
        ("/access/reviews/r-1", "/access", "/access/reviews"),
        ("/controls/DAT/DAT-01", "/obligations", "/obligations"),
    ],
)
def test_the_closest_tab_covers_a_page(path, place, tab):
    covering = [(one.path, found.path) for one in PLACES if (found := one.covers(path))]
    assert covering == [(place, tab)]


def test_a_name_that_only_begins_like_a_place_is_not_covered():
    assert [one.path for one in PLACES if one.covers("/recordings") or one.covers("/nodes2")] == []


def test_a_place_gets_a_further_tab_and_keeps_its_own():
    (incidents,) = [one for one in with_tab(PLACES, "/incidents", PRACTICE) if one.path == "/incidents"]
    assert [tab.path for tab in incidents.tabs] == ["/incidents", "/practice"]
    assert [one for one in with_tab(PLACES, "/incidents", PRACTICE) if one.path != "/incidents"] == [
        one for one in PLACES if one.path != "/incidents"
    ]


def test_the_first_tab_is_the_entry_of_the_rail():
    assert {one.path: one.tabs[0].path for one in PLACES if one.tabs if one.tabs[0].path != one.path} == {}
