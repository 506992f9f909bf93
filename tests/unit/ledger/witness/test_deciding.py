"""Whether a witness cosigns: a pure function, and every refusal of c2sp.org/tlog-witness."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.ledger import checkpoint, tree
from ringfence.ledger.anchors.exchange import SIZE_TYPE, Submission
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.witness.deciding import judge, known_logs, open_submitted
from ringfence.ledger.witness.model import Accepted, Answer
from ringfence.testing.anchors import witness_keys
from ringfence.testing.clock import START
from ringfence.testing.keys import ORIGIN, ed25519, head, log_keys, ml_dsa_44

LEAVES = [tree.leaf_hash(bytes((number,))) for number in range(20)]
READ = tree.overlay(tree.grow(0, LEAVES, lambda _: ()), lambda _: ())
LOGS = known_logs(log_keys())


def sized(size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, tree.root_of(LEAVES[:size]))


def submitted(old: int, new: int) -> Submission:
    proof = tree.consistency_proof(old, new, READ) if 0 < old < new else ()
    return Submission(old, proof, head(new, tree.root_of(LEAVES[:new])).note)


def decided(wanted: Submission, latest: Checkpoint | None) -> Accepted | Answer:
    found = open_submitted(wanted, LOGS)
    return found if isinstance(found, Answer) else judge(found, wanted, latest)


@pytest.mark.parametrize(("old", "new"), [(0, 1), (0, 20), (1, 2), (7, 8), (8, 20), (20, 20), (0, 0)])
def test_what_continues_is_accepted(old: int, new: int) -> None:
    found = decided(submitted(old, new), sized(old) if old else None)
    assert isinstance(found, Accepted)
    assert found.checkpoint == sized(new)


def test_another_size_than_held_is_answered_with_the_size() -> None:
    for latest, old in ((sized(8), 7), (sized(8), 0), (None, 7)):
        assert decided(submitted(old, 20), latest) == Answer(409, f"{latest.size if latest else 0}\n", SIZE_TYPE)


def test_a_smaller_log_is_answered_with_the_size() -> None:
    assert decided(submitted(7, 8), sized(20)) == Answer(409, "20\n", SIZE_TYPE)


def test_one_size_never_gets_two_roots() -> None:
    forked = Submission(8, (), head(8, bytes(32)).note)
    assert decided(forked, sized(8)) == Answer(409, "8\n", SIZE_TYPE)


def test_a_proof_that_does_not_lead_there_is_refused() -> None:
    good = submitted(7, 20)
    for proof in ((), good.proof[1:], (*good.proof, bytes(32)), (bytes(32), *good.proof[1:])):
        found = decided(Submission(7, proof, good.note), sized(7))
        assert isinstance(found, Answer)
        assert found.status == 422
    found = decided(Submission(0, (bytes(32),), good.note), None)
    assert isinstance(found, Answer)
    assert found.status == 422


def test_an_old_size_beyond_the_checkpoint_is_refused() -> None:
    found = decided(Submission(9, (), submitted(0, 8).note), sized(9))
    assert isinstance(found, Answer)
    assert found.status == 400


def test_an_unknown_log_is_not_found() -> None:
    strange = head(8, bytes(32), origin="example.eu/strange")
    found = decided(Submission(0, (), strange.note), None)
    assert isinstance(found, Answer)
    assert found.status == 404


def test_every_key_of_the_log_has_to_have_signed() -> None:
    good = submitted(0, 8)
    lines = good.note.splitlines(keepends=True)
    others = checkpoint.sign(sized(8), ed25519(1), ml_dsa_44(2), START).note.splitlines(keepends=True)
    for kept in ([*lines[:4], lines[4]], [*lines[:4], lines[5]], [*lines[:5], others[5]]):
        found = decided(Submission(0, (), "".join(kept)), None)
        assert isinstance(found, Answer)
        assert found.status == 403


def test_a_log_with_one_key_is_watched_by_that_key() -> None:
    found = open_submitted(submitted(0, 8), known_logs(log_keys()[:1]))
    assert isinstance(found, Accepted)
    assert found.note.count("\n— ") == 1  # what else hangs on the note is not kept


@pytest.mark.parametrize(
    "vkeys",
    [
        (),
        ("x",),
        (log_keys()[0], log_keys()[0]),
        (log_keys()[0], log_keys(seed=2)[0]),
        (str(witness_keys()[0].public),),
    ],
)
def test_only_the_keys_of_logs_are_taken(vkeys: tuple[str, ...]) -> None:
    with pytest.raises(MalformedInput):
        known_logs(vkeys)
