import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.redteam import journal
from ringfence.redteam.journal import Text
from ringfence.redteam.model import Outcome
from ringfence.testing.redteam import drawn, record, small

ATTEMPTS = drawn(small(), 5)
START = journal.start(b"plan", "target")


def written(outcome=Outcome.RESISTED):
    data, link = b"", START
    for attempt in ATTEMPTS:
        line, link = journal.line(record(attempt, outcome), link)
        data += line
    return data, link


def read(data):
    return list(journal.records(data, START, source="j"))


def test_what_is_written_is_read_again():
    data, head = written()
    found = read(data)
    assert [kept for kept, _ in found] == [record(attempt, Outcome.RESISTED) for attempt in ATTEMPTS]
    assert found[-1][1] == head


def test_the_chain_binds_plan_and_name():
    assert len({journal.start(plan, name) for plan in (b"plan", b"other") for name in ("target", "hardened")}) == 4
    with pytest.raises(VerificationFailed, match="j:1: "):
        list(journal.records(written()[0], journal.start(b"other", "target"), source="j"))


def test_every_flipped_byte_is_named_with_its_line():
    data, _ = written()
    lines = data.split(b"\n")
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        number = data[:place].count(b"\n") + 1
        with pytest.raises(VerificationFailed, match=rf"^j:{number}: "):
            read(changed)
    assert len(lines) == len(ATTEMPTS) + 1


def test_lines_left_out_or_swapped_break_the_chain():
    lines = written()[0].splitlines(keepends=True)
    for changed in (lines[1:], [lines[0], *lines[2:]], [lines[1], lines[0], *lines[2:]], [lines[0], lines[0]]):
        with pytest.raises(VerificationFailed, match="does not fit the chain"):
            read(b"".join(changed))


@pytest.mark.parametrize(
    "raw", [b"{}\n", b"[]\n", b"[" * 90_000 + b"\n", b'{"a":1.50}\n', b'{"a":1,"a":1}\n', b"\xff\n", b"x"]
)
def test_foreign_lines_are_refused(raw):
    with pytest.raises(VerificationFailed, match=r"^j:1: "):
        read(raw)


def test_a_record_takes_less_than_two_thousand_bytes():
    assert max(map(len, written()[0].splitlines())) < 2000


def test_a_text_is_kept_under_its_salt_alone():
    text = Text("a#0", b"x" * 32, "an answer \ud800 with a lone surrogate")
    (read_again,) = journal.texts(journal.text_line(text), source="t")
    assert read_again == text
    assert read_again.commitment != Text("a#0", b"y" * 32, text.response).commitment


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id":"a","response":"","salt":"00"}\n',
        b'{"id":"a","response":""}\n',
        b'{"id":"a","response":"","salt":"zz"}\n',
    ],
)
def test_foreign_texts_are_refused(raw):
    with pytest.raises(VerificationFailed, match=r"^t:1: "):
        list(journal.texts(raw, source="t"))


def test_a_request_is_committed_to_under_the_runs_salt():
    assert journal.request_commitment(b"a", b"body") != journal.request_commitment(b"b", b"body")


@pytest.mark.parametrize("spelling", [b'"seed": 7', b'"seed":7,"seed":7', b'"se\\u0065d":7'])
def test_another_spelling_of_the_same_record_is_refused(spelling):
    data = written()[0].replace(b'"seed":7', spelling, 1)
    assert spelling in data
    with pytest.raises(VerificationFailed, match="not as it was written"):
        read(data)
