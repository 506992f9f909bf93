"""The Merkle tree against its definition, for every size up to 64 and every leaf and pair of sizes."""

from collections.abc import Sequence
from hashlib import sha256

import pytest

from ringfence.kernel.errors import InternalError, NotFound, UsageError, VerificationFailed
from ringfence.ledger import tree
from ringfence.ledger.tree import Coordinate, HashReader

LIMIT = 64
LEAVES = [tree.leaf_hash(bytes([number])) for number in range(LIMIT + 1)]


def defined(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + defined(leaves[:split]) + defined(leaves[split:])).digest()


ROOTS = [defined(LEAVES[:size]) for size in range(LIMIT + 1)]


class Reader:
    """Answer from the definition; count the questions."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.asked: list[Sequence[Coordinate]] = []

    def __call__(self, coordinates: Sequence[Coordinate]) -> Sequence[bytes]:
        self.asked.append(coordinates)
        for level, index in coordinates:
            assert (index + 1) << level <= self.size, "only complete subtrees may be asked for"
        return [defined(LEAVES[index << level : (index + 1) << level]) for level, index in coordinates]


def test_roots_follow_the_definition() -> None:
    for size in range(LIMIT + 1):
        reader = Reader(size)
        assert tree.root(size, reader) == ROOTS[size]
        assert tree.root_of(LEAVES[:size]) == ROOTS[size]
        assert tree.fold(reader(tree.frontier(size))) == ROOTS[size]
    assert ROOTS[0] == tree.EMPTY_ROOT


def test_every_leaf_of_every_tree_is_proven_with_one_question() -> None:
    for size in range(1, LIMIT + 1):
        for index in range(size):
            reader = Reader(size)
            proof = tree.inclusion_proof(index, size, reader)
            tree.verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])
            assert len(reader.asked) == (size > 1)


def test_every_pair_of_trees_is_proven_consistent_with_one_question() -> None:
    for new in range(1, LIMIT + 1):
        for old in range(1, new + 1):
            reader = Reader(new)
            proof = tree.consistency_proof(old, new, reader)
            tree.verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)
            assert len(reader.asked) == (old < new)
            assert (proof == ()) == (old == new)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21, 33])
def test_a_proof_is_good_for_nothing_but_its_own_leaf_and_size(size: int) -> None:
    for index in range(size):
        proof = tree.inclusion_proof(index, size, Reader(size))
        for other in set(range(size + 1)) - {index}:
            expect_no_inclusion(other, size, LEAVES[index], proof, ROOTS[size])
            expect_no_inclusion(index, size, LEAVES[other], proof, ROOTS[size])
        expect_no_inclusion(index, size, LEAVES[index], (*proof, ROOTS[size]), ROOTS[size])
        expect_no_inclusion(index, size, LEAVES[index], proof[1:] if proof else (LEAVES[0],), ROOTS[size])
        expect_no_inclusion(index, size, LEAVES[index], proof, ROOTS[size + 1])


@pytest.mark.parametrize("new", [2, 3, 7, 8, 21, 33])
def test_a_consistency_proof_is_good_for_nothing_but_its_own_trees(new: int) -> None:
    for old in range(1, new):
        proof = tree.consistency_proof(old, new, Reader(new))
        other = ROOTS[LIMIT]
        expect_no_consistency(old, other, new, ROOTS[new], proof)
        expect_no_consistency(old, ROOTS[old], new, other, proof)
        expect_no_consistency(old, ROOTS[old], new, ROOTS[new], (*proof, other))
        expect_no_consistency(old, ROOTS[old], new, ROOTS[new], proof[:-1])
        expect_no_consistency(old, ROOTS[old], new, ROOTS[new], ())
        for at in range(len(proof)):
            expect_no_consistency(old, ROOTS[old], new, ROOTS[new], (*proof[:at], other, *proof[at + 1 :]))


def test_nothing_is_proven_about_an_empty_tree() -> None:
    expect_no_inclusion(0, 0, LEAVES[0], (), tree.EMPTY_ROOT)
    expect_no_consistency(0, tree.EMPTY_ROOT, 0, tree.EMPTY_ROOT, ())
    expect_no_consistency(0, tree.EMPTY_ROOT, 5, ROOTS[5], ())
    with pytest.raises(NotFound, match="0 entries has no entry 0"):
        tree.inclusion_proof(0, 0, Reader(0))
    with pytest.raises(UsageError):
        tree.consistency_proof(0, 5, Reader(5))


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    tree.verify_consistency(5, ROOTS[5], 5, ROOTS[5], ())
    expect_no_consistency(5, ROOTS[5], 5, ROOTS[6], ())
    expect_no_consistency(5, ROOTS[5], 5, ROOTS[5], (ROOTS[5],))


def test_sizes_out_of_order_or_out_of_range_are_refused() -> None:
    expect_no_consistency(6, ROOTS[6], 5, ROOTS[5], ())
    expect_no_consistency(1, ROOTS[1], tree.MAX_SIZE + 1, ROOTS[5], (ROOTS[1],))
    expect_no_consistency(tree.MAX_SIZE + 1, ROOTS[5], tree.MAX_SIZE + 1, ROOTS[5], ())
    expect_no_inclusion(-1, 5, LEAVES[0], (), ROOTS[5])
    expect_no_inclusion(0, tree.MAX_SIZE + 1, LEAVES[0], (), ROOTS[5])
    with pytest.raises(UsageError):
        tree.consistency_proof(6, 5, Reader(6))
    with pytest.raises(NotFound):
        tree.inclusion_proof(5, 5, Reader(5))


@pytest.mark.parametrize("wrong", [b"", b"short", bytes(33)])
def test_a_hash_of_another_length_is_refused_even_where_it_is_not_used(wrong: bytes) -> None:
    proof = tree.inclusion_proof(2, 5, Reader(5))
    expect_no_inclusion(2, 5, wrong, proof, ROOTS[5])
    expect_no_inclusion(2, 5, LEAVES[2], (wrong, *proof[1:]), ROOTS[5])
    expect_no_inclusion(2, 5, LEAVES[2], proof, wrong)
    proof = tree.consistency_proof(4, 6, Reader(6))
    expect_no_consistency(4, wrong, 6, ROOTS[6], proof)
    expect_no_consistency(4, ROOTS[4], 6, wrong, proof)
    with pytest.raises(VerificationFailed, match="32 bytes"):
        tree.verify_consistency(4, ROOTS[4], 6, ROOTS[6], (*proof[:-1], wrong))
    expect_no_consistency(5, ROOTS[5], 5, wrong, ())


def test_growing_yields_exactly_the_nodes_that_become_complete() -> None:
    for size in range(0, LIMIT, 3):
        for new in range(size, LIMIT + 1):
            reader = Reader(size)
            runs = tree.grow(size, LEAVES[size:new], reader)
            assert len(reader.asked) <= 1
            assert {at for question in reader.asked for at in question} <= set(tree.frontier(size))
            for level, (first, nodes) in enumerate(runs):
                assert first == size >> level
                assert len(nodes) == (new >> level) - (size >> level)
                assert nodes == Reader(new)([(level, first + offset) for offset in range(len(nodes))])
            assert tree.root(new, tree.overlay(runs, Reader(size))) == ROOTS[new]


def test_a_root_over_all_leaves_reads_nothing() -> None:
    reader: HashReader = tree.overlay(tree.grow(0, LEAVES[:5], Reader(0)), Reader(5))
    assert tree.root(5, reader) == ROOTS[5]
    with pytest.raises(InternalError, match="does not belong"):
        tree.overlay(tree.grow(0, LEAVES[:5], Reader(0)), tree._nothing)([(3, 0)])


def expect_no_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    with pytest.raises(VerificationFailed):
        tree.verify_inclusion(index, size, leaf, proof, root)


def expect_no_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    with pytest.raises(VerificationFailed):
        tree.verify_consistency(old, old_root, new, new_root, proof)
