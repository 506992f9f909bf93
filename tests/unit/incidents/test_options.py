from datetime import UTC, datetime

import pytest

from ringfence.incidents import options
from ringfence.incidents.model import Answer
from ringfence.kernel.errors import MalformedInput, UsageError

KNOWN = {
    "incident": "i-0123abcd",
    "timeline_head": {"position": 3, "digest": "0" * 64},
    "customers": [{"customer": "hospital", "named": True}, {"customer": "cars", "named": False}],
}


def test_a_signer_saw_what_was_read():
    seen = options.seen(KNOWN)
    assert (seen.incident, seen.position, seen.head.hex) == ("i-0123abcd", 3, "0" * 64)
    with pytest.raises(MalformedInput):
        options.seen(KNOWN | {"incident": "../x"})


def test_a_time_that_is_signed_says_its_zone():
    assert options.moment("") is None
    assert options.moment("2026-11-22T10:00:00+01:00") == datetime(2026, 11, 22, 9, tzinfo=UTC)
    with pytest.raises(UsageError, match="zone"):
        options.moment("2026-11-22T10:00:00")


def test_customers_are_those_who_may_be_affected_unless_said_otherwise():
    assert options.customers(None, KNOWN, significant=True) == ("hospital",)
    assert options.customers(None, KNOWN, significant=False) == ()
    assert options.customers(["cars"], KNOWN, significant=False) == ("cars",)
    assert options.customers(["none"], KNOWN, significant=True) == ()
    assert options.customers(None, KNOWN, ["cars", "none"], significant=True) == ("hospital", "cars")
    assert options.customers(None, KNOWN, ["cars"], significant=False) == ("cars",)


def test_a_breach_is_one_of_everybody_who_is_named_unless_said_otherwise():
    assert options.breached(None, ("hospital",), Answer.YES) == ("hospital",)
    assert options.breached(None, ("hospital",), Answer.UNKNOWN) == ()
    assert options.breached(["none"], ("hospital",), Answer.YES) == ()


def test_answers_and_numbers_are_read_strictly():
    assert options.answer("yes", "--malicious") is Answer.YES
    assert options.measured(["minutesUnavailable=42"]) == {"minutesUnavailable": 42}
    for wrong in ("minutesUnavailable=-1", "minutes=1", "minutesUnavailable=٣"):
        with pytest.raises(UsageError, match="--measured"):
            options.measured([wrong])
    with pytest.raises(UsageError, match="--malicious"):
        options.answer("maybe", "--malicious")
