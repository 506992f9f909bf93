import pytest

from ringfence.artifacts.models.stamps import SETTLED_NS, Stamp, Stamps, parse
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

FOUND = Digest.of(b"x")
STAMP = Stamp(1, 2, 3, 4, 5)


def at(now, before=None):
    return Stamps(lambda: now, before or {})


def test_a_stamp_is_known_only_as_long_as_nothing_changed():
    stamps = at(0, {"a": (STAMP, FOUND)})
    assert stamps.known("a", STAMP) == FOUND
    assert stamps.known("b", STAMP) is None
    for other in (Stamp(9, 2, 3, 4, 5), Stamp(1, 9, 3, 4, 5), Stamp(1, 2, 9, 4, 5), Stamp(1, 2, 3, 9, 5)):
        assert stamps.known("a", other) is None
    assert stamps.known("a", Stamp(1, 2, 3, 4, 9)) is None


def test_what_changed_lately_is_not_kept():
    for now, kept in ((5 + SETTLED_NS, False), (6 + SETTLED_NS, True), (0, False)):
        stamps = at(now)
        stamps.remember("a", STAMP, FOUND)
        assert ("a" in stamps.after) is kept


def test_it_comes_back_as_it_was_printed_and_forgets_files_that_are_gone():
    stamps = at(2**62, {"a": (STAMP, FOUND), "gone": (STAMP, FOUND)})
    stamps.known("a", STAMP)
    stamps.remember("é", Stamp(2**63, 2**60, 0, -0, 1), FOUND)
    assert parse(stamps.printed()) == stamps.after
    assert set(stamps.after) == {"a", "é"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"format":"urn:ringfence:model-stamps:v1","files":{"a":[]}}',
        b'{"format":"urn:ringfence:model-stamps:v1","files":{"a":["1","2","3","4","x","00"]}}',
        b'{"format":"other","files":{}}',
    ],
)
def test_other_bytes_are_refused(data):
    with pytest.raises(MalformedInput):
        parse(data)
