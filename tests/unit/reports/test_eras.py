"""Which keys a pack's heads are held against, and what its records have to say of them."""

import json
from dataclasses import replace

import pytest

from ringfence.ledger.succession import keys_of
from ringfence.reports.eras import check_replaced, check_stated, keys_for
from ringfence.reports.model import ProvenHead
from ringfence.reports.pack import read
from ringfence.reports.records import read_records
from ringfence.testing.succeeding import new_trust, old_trust, renewed
from ringfence.testing.tampering import edited


@pytest.fixture(scope="module")
def log():
    return renewed("second", "third")


@pytest.fixture(scope="module")
def contents(log):
    return read(log.pack())


def test_a_reader_follows_what_the_root_signed(log, contents):
    for trust in (old_trust(log), new_trust(log)):
        keys, offered, failures = keys_for(contents.header, trust)
        assert (keys, offered, failures) == (keys_of(new_trust(log)), keys.successions, [])


def test_what_does_not_count_leaves_the_reader_with_what_was_known(log, contents):
    stranger = replace(old_trust(log), root=bytes(32))
    keys, offered, failures = keys_for(contents.header, stranger)
    assert (keys.pairs, offered) == ((log.log_keys,), ())
    assert str(failures[0]).startswith("the log's keys: ")


def test_keys_that_are_none_are_a_failure_and_no_error(log):
    pack = edited(log.pack(), lambda lines: lines[0].update(logKeys=["a", "b"]))
    header = read(pack).header
    _, _, failures = keys_for(header, replace(old_trust(log), log_keys=header.log_keys))
    assert failures


def test_every_head_at_which_keys_were_replaced_is_shown(log, contents):
    _, offered, _ = keys_for(contents.header, old_trust(log))
    head = log.head().checkpoint
    shown = [ProvenHead(each.size, each.root, ()) for each in offered]
    assert not list(check_replaced(offered, head, shown))
    assert not list(check_replaced(offered, None, ()))
    assert len(list(check_replaced(offered, head, shown[:1]))) == 1
    assert len(list(check_replaced(offered, head, [replace(shown[0], root=bytes(32)), shown[1]]))) == 1


def test_records_say_what_the_header_says(log, contents):
    records, _ = read_records(contents)
    _, offered, _ = keys_for(contents.header, old_trust(log))
    assert not list(check_stated(records, offered, old_trust(log)))
    assert [failure.record for failure in check_stated(records, offered[:1], old_trust(log))] == [10]
    wrong = replace(old_trust(log), root=bytes(32))
    assert len(list(check_stated(records, offered, wrong))) == 2


def test_the_header_holds_them_in_its_one_form(log):
    first = json.loads(log.pack().partition(b"\n")[0])
    assert [json.loads(data) for data in read(log.pack()).header.successions] == first["successions"]
