"""Which pair of keys signs which heads of a log, as the root said."""

import json
from dataclasses import replace

import pytest

from ringfence.kernel.envelope import parse as parse_envelope
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import checkpoint, succession
from ringfence.ledger import trust as trust_file
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.succession import LogKeys, chained, extended, joined, keys_of, pair_digest
from ringfence.testing.ledger import LabLog
from ringfence.testing.succeeding import new_trust, old_trust, renewed


@pytest.fixture(scope="module")
def log():
    return renewed("second", "third")


@pytest.fixture(scope="module")
def replaced(log):
    return [succession.parse(envelope, log.public("root"), log.origin) for envelope in log.successions()]


@pytest.fixture(scope="module")
def keys(log, replaced):
    return chained(log.origin, log.log_keys, replaced)


def signed(log: LabLog, size: int, name: str, root: bytes | None = None) -> str:
    head = Checkpoint(log.origin, size, root or log.checkpoint(size).checkpoint.root)
    return checkpoint.sign(head, log.key(name), log.mldsa(name), log.now).note


def test_each_pair_signs_heads_of_its_own_sizes_and_no_others(log, keys, replaced):
    first, second = (each.size for each in replaced)
    for size in range(1, len(log.entries) + 1):
        right = "ledger" if size <= first else "second" if size <= second else "third"
        assert keys.open(signed(log, size, right)).checkpoint.size == size
        for wrong in {"ledger", "second", "third"} - {right}:
            with pytest.raises(VerificationFailed, match=r"were replaced behind size|sign only heads of more than"):
                keys.open(signed(log, size, wrong))


def test_the_head_at_which_they_were_replaced_is_the_one_that_was_named(log, keys, replaced):
    with pytest.raises(VerificationFailed, match="at which the keys were replaced"):
        keys.open(signed(log, replaced[0].size, "ledger", bytes(32)))


def test_who_does_not_know_of_it_is_told_what_may_have_happened(log):
    with pytest.raises(VerificationFailed, match="its keys were replaced since you got your trust file"):
        LogKeys(log.origin, log.log_keys).open(log.head().note)


@pytest.mark.parametrize("known", [[], [0], [0, 1]])
@pytest.mark.parametrize("told", [[0, 1], [1, 0]])
def test_a_reader_follows_from_whatever_is_known(log, keys, replaced, known, told):
    own = chained(log.origin, log.log_keys, [replaced[number] for number in known])
    assert joined(own, [replaced[number] for number in told], log.log_keys) == keys
    assert joined(own, [replaced[number] for number in told]) == keys


def test_a_reader_who_came_later_learns_what_was_before(log, keys, replaced):
    later = LogKeys(log.origin, replaced[0].new)
    assert joined(later, replaced, log.log_keys) == keys
    assert joined(later, replaced).pairs == keys.pairs[1:]
    assert joined(keys, [], log.log_keys) == keys


def test_what_does_not_follow_is_refused(log, keys, replaced):
    first, second = replaced
    for wrong, says in (
        ([second], "does not follow"),
        ([first, replace(second, size=first.size - 1)], "begins before"),
        ([first, replace(second, new=log.log_keys)], "brings back"),
        ([first, replace(first, size=first.size + 1)], "two of one pair"),
    ):
        with pytest.raises(VerificationFailed, match=says):
            chained(log.origin, log.log_keys, wrong)
    with pytest.raises(VerificationFailed, match="two successions of one pair"):
        joined(keys, [replace(first, size=first.size + 1)], log.log_keys)
    with pytest.raises(VerificationFailed, match="other keys than those you trust"):
        joined(LogKeys(log.origin, log.pair("stranger")), replaced, log.log_keys)
    circle = replace(second, new=log.log_keys)
    with pytest.raises(VerificationFailed, match="brings back"):
        joined(LogKeys(log.origin, log.log_keys), [first, circle], log.log_keys)


def test_a_trust_file_keeps_the_successions_and_the_heads_of_every_pair(log, keys):
    known = new_trust(log)
    both = replace(known, heads=(log.checkpoint(3).note, log.head().note))
    text = trust_file.to_text(both)
    assert json.loads(text)["format"] == trust_file.FORMAT_2
    assert trust_file.parse(text) == both
    assert len(trust_file.open_heads(both)) == 2
    assert keys_of(both) == keys


@pytest.mark.parametrize("wrong", [[], [None], "x", [{}], [1] * 65])
def test_a_trust_file_with_other_successions_is_none(log, wrong):
    document = json.loads(trust_file.to_text(new_trust(log))) | {"successions": wrong}
    with pytest.raises(MalformedInput):
        trust_file.parse(json.dumps(document))


def test_a_trust_file_with_a_succession_of_another_root_is_none(log):
    theirs = renewed(seed="stranger").successions()
    with pytest.raises(MalformedInput, match="does not count"):
        trust_file.parse(trust_file.to_text(replace(old_trust(log), successions=tuple(theirs))))


def test_no_pair_of_the_log_witnesses_it(log):
    witness = log.witness_key("third")
    document = json.loads(trust_file.to_text(new_trust(log)))
    document |= {"witnesses": [{"vkey": str(witness), "party": "Auditor GmbH"}]}
    with pytest.raises(MalformedInput, match="the log's own"):
        trust_file.parse(json.dumps(document))


def test_an_old_trust_file_is_brought_up_to_date_by_its_own_root_alone(log, keys):
    old = old_trust(log)
    told = extended(old, log.successions(), log.log_keys)
    assert (told.heads, told.log_keys, keys_of(told)) == (old.heads, log.log_keys, keys)
    assert extended(told, log.successions()[:1], log.log_keys) == told
    stranger = renewed(seed="stranger")
    with pytest.raises(VerificationFailed, match="not by the key given"):
        extended(old, stranger.successions(), stranger.log_keys)


def test_the_digest_of_a_pair_is_over_both_keys_in_their_order(log):
    one, two = log.log_keys
    assert len({pair_digest(log.log_keys), pair_digest((two, one)), pair_digest((one, one))}) == 3


def test_a_statement_survives_printing(log, replaced):
    printed = [parse_envelope(envelope.data) for envelope in log.successions()]
    assert [succession.parse(each, log.public("root"), log.origin) for each in printed] == replaced


def test_a_pair_that_never_signed_is_followed_all_the_same(log, replaced):
    first, second = replaced
    keys = chained(log.origin, log.log_keys, [first, replace(second, size=first.size, root=first.root)])
    assert [keys.of(size) for size in (0, 1, first.size, first.size + 1)] == [*[log.log_keys] * 3, second.new]


def test_a_log_does_not_replace_its_keys_for_ever(log, replaced):
    with pytest.raises(VerificationFailed, match="at most 64 times"):
        chained(log.origin, log.log_keys, [replaced[0]] * 65)
