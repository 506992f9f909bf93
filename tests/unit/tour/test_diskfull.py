"""The full disk's own pieces; it is played, with a real one, in tests/system/test_tour.py."""

import errno
import json
import sys

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.identifier import PersonId
from ringfence.tour import diskfull
from ringfence.tour.stage import Stage

PERSON = PersonId("person-00000000000a")


def logged(tmp_path, *statements):
    def verb(_):
        sys.stdout.write(json.dumps({"statements": [{"predicate": name, "late": late} for name, late in statements]}))

    return Stage(tmp_path, tmp_path, PERSON, PERSON, PERSON, verb, lambda _: None)


def test_the_gap_shows_once_the_cut_is_in_the_log_and_marked_late(tmp_path):
    late = logged(tmp_path, ("quarantine.confirmed", True), ("forensics.collected", True), ("node.started", False))
    assert diskfull._late(late) == ["forensics.collected", "quarantine.confirmed"]


@pytest.mark.parametrize("statements", [(), (("quarantine.confirmed", False),), (("forensics.collected", True),)])
def test_before_that_there_is_nothing_to_show(tmp_path, statements):
    assert diskfull._late(logged(tmp_path, *statements)) == []


def test_the_ballast_goes_whatever_happens(tmp_path):
    with pytest.raises(OSError, match="full"), diskfull._filled(tmp_path, b""):  # an empty block ends it at once
        raise OSError(errno.ENOSPC, "full")
    assert not (tmp_path / "ballast").exists()


def test_a_promise_that_did_not_hold_fails_the_step():
    with pytest.raises(VerificationFailed, match="the cut did not happen"):
        diskfull.seen(b'{"failed": "the cut did not happen within 60 s"}', b"")


def test_where_no_disk_can_be_mounted_it_is_said_why():
    assert diskfull.seen(b"", b"first\nunshare: not permitted\n") == {"not played": "unshare: not permitted"}
    assert diskfull.seen(b"", b"") == {"not played": "it said nothing"}
    assert diskfull.seen(b'{"cut off": "0.4 s"}', b"") == {"cut off": "0.4 s"}
