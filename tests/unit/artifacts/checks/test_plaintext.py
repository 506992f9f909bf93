import io

from ringfence.artifacts.checks.plaintext import records


def test_lines_that_are_not_blank_are_records():
    found = list(records(io.BytesIO(b"one\r\n\n  \ntwo\n\xff\nthree")))
    assert [(one.number, one.cells.get("text"), bool(one.problem)) for one in found] == [
        (1, "one", False),
        (4, "two", False),
        (5, None, True),
        (6, "three", False),
    ]
