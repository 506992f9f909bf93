from ringfence.governance.oversight import views
from ringfence.governance.oversight.model import Course, Shown, Trained
from ringfence.kernel.identifier import PersonId
from ringfence.testing.clock import START

COURSE = Course("management", "2026-11-20", 1, START, 2, 2, 0, None)
ANNA = PersonId("person-000000000000")


def test_what_is_shown_is_json():
    assert views.shown(Shown(4, START, "a pack", "the body", "7 entries", None))["by"] is None
    assert views.course(COURSE) | {"entry": 1, "due": None} == views.course(COURSE)
    member = views.member(Trained(ANNA, "Anna", START, None, START))
    assert (member["session"], member["recorded"], member["due"]) == (None, False, "2026-11-22T09:00:00.000Z")
