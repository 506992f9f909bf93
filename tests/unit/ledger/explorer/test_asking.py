import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.ledger.explorer import asking
from ringfence.testing.clock import START

WORDS = {
    "subject": "dataset/4c1f",
    "predicate": "dataset.sealed",
    "actor": "operator",
    "strength": "observed",
    "standing": "untrusted",
    "demo": "no",
}


def test_what_is_printed_is_what_was_parsed() -> None:
    query = asking.query(WORDS, before=7, at=START, times={"since": START, "until": START})
    assert asking.parts(query) == WORDS | {
        "since": "2026-11-22T09:00:00.000Z",
        "until": "2026-11-22T09:00:00.000Z",
        "before": "7",
        "as_of": "2026-11-22T09:00:00.000Z",
    }


def test_what_is_empty_is_not_asked_for() -> None:
    query = asking.query(dict.fromkeys(WORDS, " "), before=None, at=None, times={})
    assert not query.narrowed
    assert asking.terminal(query) == "ringfence ledger list"


def test_the_command_is_quoted_for_a_shell() -> None:
    query = asking.query({"subject": "a'; rm -rf ~ $(x)"}, before=None, at=None, times={})
    assert asking.terminal(query) == "ringfence ledger list --subject 'a'\"'\"'; rm -rf ~ $(x)'"


@pytest.mark.parametrize(
    "words",
    [
        {"subject": "é"},
        {"subject": "a\nb"},
        {"subject": "x" * 257},
        {"subject": "sha256:"},
        {"subject": "sha256:abc"},
        {"subject": "sha256:ABCD"},
        {"predicate": "'; DROP TABLE statements"},
        {"strength": "strong"},
        {"standing": "good"},
        {"demo": "true"},
    ],
)
def test_what_nobody_could_mean_is_refused(words) -> None:
    with pytest.raises(MalformedInput):
        asking.query(words, before=None, at=None, times={})
