"""Submissions and answers of c2sp.org/tlog-witness."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput
from ringfence.ledger.anchors.exchange import MAX_BODY, Submission, parse_cosignatures, parse_size, parse_submission
from ringfence.testing.clock import START
from ringfence.testing.keys import head

NOTE = head(7, bytes(32), START).note
HASH = st.binary(min_size=32, max_size=32)


@given(old=st.integers(0, 2**63 - 1), proof=st.lists(HASH, max_size=63))
def test_what_is_submitted_is_read_back(old: int, proof: list[bytes]) -> None:
    submitted = Submission(old, tuple(proof), NOTE)
    assert parse_submission(str(submitted).encode()) == submitted


GOOD = str(Submission(3, (bytes(32),), NOTE))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 3",
        GOOD.replace("old 3", "old 03"),
        GOOD.replace("old 3", "old -3"),
        GOOD.replace("old 3", "old 3 "),
        GOOD.replace("old 3", "OLD 3"),
        GOOD.replace("old 3", f"old {2**63}"),
        GOOD.replace("old 3\n", "old 3\n\n", 1).replace("\n\n", "\n", 2),
        GOOD.replace("AAAA=\n", "AAA=\n", 1),
        GOOD.replace("AAAA=\n", "AAAB=\n", 1),
        str(Submission(3, (bytes(31),), NOTE)),
        str(Submission(3, (bytes(32),) * 64, NOTE)),
        "old 3\n\n" + "x" * MAX_BODY,
    ],
)
def test_everything_else_is_refused(body: str) -> None:
    with pytest.raises(MalformedInput):
        parse_submission(body.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(MalformedInput):
        parse_submission(b"old 3\n\n\xff")


def test_a_size_has_one_form() -> None:
    assert parse_size("20852014\n") == 20852014
    for text in ("", "1", "01\n", "1\n\n", "-1\n", f"{2**63}\n", "1\r\n", "x\n"):
        with pytest.raises(MalformedInput):
            parse_size(text)


def test_an_answer_is_lines() -> None:
    assert parse_cosignatures("— a b\n— c d\n") == ("— a b", "— c d")
    for text in ("", "— a b", "x" * 2**17):
        with pytest.raises(MalformedInput):
            parse_cosignatures(text)
