from ringfence.incidents.terms import Customer, Period, Unit


def test_a_period_reads_as_people_say_it():
    assert str(Period(24, Unit.HOURS)) == "24 hours"


def test_hours_that_nobody_agreed_are_marked_as_such():
    assert Customer("x") == Customer("x", 12, agreed=False)
