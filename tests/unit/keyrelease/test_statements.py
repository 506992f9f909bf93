"""What is stated holds no word that a node sent."""

from ringfence.keyrelease import statements


def test_a_reason_is_one_short_line():
    assert statements.short("a\nb\x1b" + "x" * 999) == "a?b?" + "x" * 296


def test_an_unknown_reason_is_shown_as_it_is():
    assert statements.sentence("no-such-rule") == "no-such-rule"
