"""Whoever asks for whatever heads, between restarts and torn writes: all that is signed is one log."""

import tempfile
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel.errors import RingfenceError
from ringfence.ledger import tree
from ringfence.signing.mark import SLOT
from ringfence.signing.opening import in_process
from ringfence.testing import signing
from ringfence.testing.clock import FakeClock

FORKS = [
    signing.LEAVES[:24],
    (*signing.LEAVES[:8], *(tree.leaf_hash(b"b%d" % number) for number in range(16))),
    tuple(tree.leaf_hash(b"c%d" % number) for number in range(24)),
]
sizes = st.integers(1, 24)
steps = st.lists(
    st.tuples(st.just("head"), st.integers(0, 2), sizes, sizes, st.integers(-7, 7))
    | st.tuples(st.sampled_from(["restart", "tear"])),
    min_size=1,
    max_size=25,
)


def tear(path: Path) -> None:
    """Spoil the slot that the next mark is written to, as a crash in the middle of that write would."""
    if not path.exists():
        return
    data = bytearray(path.read_bytes())
    counts = [signing_count(data[:SLOT]), signing_count(data[SLOT:])]
    older = 0 if counts[0] < counts[1] else 1
    data[older * SLOT + 40 : older * SLOT + 80] = b"\xff" * 40
    path.write_bytes(data)


def signing_count(slot: bytes) -> int:
    """Return the count that stands in a slot; 0 where none does."""
    digits = bytes(slot).partition(b'"count":')[2].partition(b",")[0]
    return int(digits) if digits.isdigit() else 0


@settings(max_examples=40)
@given(steps=steps)
def test_all_that_is_signed_is_one_log(steps):
    with tempfile.TemporaryDirectory() as folder:
        home, clock = signing.folder(Path(folder) / "home"), FakeClock()
        signer, signed = in_process(home, signing.LOG, None, clock), []
        for step in steps:
            match step:
                case ("restart",):
                    signer.marks.close()
                    signer = in_process(home, signing.LOG, None, clock)
                case ("tear",):
                    tear(home / "signer.mark")
                case (_, fork, old, new, seconds):
                    clock.advance(timedelta(seconds=seconds))
                    if old > 6 and signed:  # mostly as an honest integrator asks
                        old = signed[-1].checkpoint.size
                        new = min(old + new % 4, 24)
                    proof = signing.proof(old, new, FORKS[fork]) if old < new else ()
                    try:
                        signed.append(signer.head(signing.head(new, FORKS[fork]), clock.now(), proof))
                    except RingfenceError:
                        continue
        signer.marks.close()
    heads = [each.checkpoint for each in signed]
    assert [head.size for head in heads] == sorted(head.size for head in heads)
    assert [each.signed_at for each in signed] == sorted(each.signed_at for each in signed)
    assert all(len({head.root for head in heads if head.size == size}) == 1 for size in {head.size for head in heads})
    for first, second in pairwise(heads):
        (fork,) = [leaves for leaves in FORKS if tree.root_of(leaves[: second.size]) == second.root][:1]
        assert tree.root_of(fork[: first.size]) == first.root
