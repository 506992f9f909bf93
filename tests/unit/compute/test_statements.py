from datetime import timedelta

import pytest

from ringfence.compute import statements
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.clock import START
from ringfence.testing.nodes import ANNA, World

SUBJECT = Digest.of(b"node")
REQUEST = statements.release_request("n-0123abcd", SUBJECT, 1, "ab" * 32, "cleaned")


def test_millis_never_run_backwards():
    assert statements.millis(START, START + timedelta(milliseconds=3)) == 3
    assert statements.millis(START, START - timedelta(seconds=1)) == 0


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "\x1b[2J", "x" * 401, None, 3])
def test_what_is_no_reason(text):
    with pytest.raises(MalformedInput):
        statements.bounded_reason(text)


def test_what_a_component_says_is_bounded_and_harmless():
    assert statements.sentence("a\x1b[31m\u202e" + "x" * 999) == "a?[31m?" + "x" * 193


def posted(draft):
    return World().signed(draft, ANNA)[0].statement


def test_a_posted_statement_says_exactly_what_was_asked_for():
    statements.check_about(posted(REQUEST), REQUEST)


@pytest.mark.parametrize(
    "other",
    [
        statements.release_request("n-0123abce", SUBJECT, 1, "ab" * 32, "cleaned"),
        statements.release_request("n-0123abcd", Digest.of(b"other"), 1, "ab" * 32, "cleaned"),
        statements.release_request("n-0123abcd", SUBJECT, 2, "ab" * 32, "cleaned"),
        statements.release_request("n-0123abcd", SUBJECT, 1, "cd" * 32, "cleaned"),
        statements.release_approval("n-0123abcd", SUBJECT, 1, Digest.of(b"request")),
    ],
)
def test_any_other_is_refused(other):
    with pytest.raises(MalformedInput):
        statements.check_about(posted(other), REQUEST)
