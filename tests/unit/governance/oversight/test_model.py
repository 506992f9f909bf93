from ringfence.governance.oversight.model import Course, Trained
from ringfence.kernel.identifier import PersonId
from ringfence.testing.clock import START


def test_a_session_that_somebody_missed_is_not_recorded_for_the_body():
    for required, completed, late, complete in ((2, 2, 0, True), (2, 1, 0, False), (2, 2, 1, False), (0, 0, 0, False)):
        course = Course("management", "2026-11-20", 1, START, required, completed, late, None)
        assert course.complete is complete
        assert Trained(PersonId("person-000000000000"), "Anna", START, course, START).recorded is complete
