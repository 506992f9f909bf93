"""The Merkle tree of RFC 6962, section 2.1, over a reader of hashes.

Nothing here opens a file: every question collects the coordinates of all subtrees that it needs and asks the
reader once. A coordinate `(level, index)` names the complete subtree over the leaves
`index << level` up to `(index + 1) << level`.
"""

import hmac
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from ringfence.kernel.errors import InternalError, NotFound, UsageError, VerificationFailed

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
MAX_SIZE = 2**63 - 1  # what C2SP tiles can address; keeps every loop below 64 rounds

Coordinate = tuple[int, int]
HashReader = Callable[[Sequence[Coordinate]], Sequence[bytes]]
Run = tuple[int, Sequence[bytes]]  # index of the first node, and consecutive nodes of one level


def leaf_hash(data: bytes) -> bytes:
    """Hash the data of one leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children."""
    return sha256(b"\x01" + left + right).digest()


def frontier(size: int) -> tuple[Coordinate, ...]:
    """Return the complete subtrees that together make up the tree of `size` leaves, from left to right."""
    return _cover(0, size)


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of a frontier."""
    if not subtrees:
        return EMPTY_ROOT
    result = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        result = node_hash(left, result)
    return result


def root(size: int, read: HashReader) -> bytes:
    """Compute the root of the tree over the first `size` leaves: MTH(D[0:size])."""
    return _ranges([(0, size)], read)[0] if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: HashReader) -> tuple[bytes, ...]:
    """Prove that leaf `index` is in the tree of `size` leaves: PATH(index, D[0:size]).

    Raises:
        NotFound: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise NotFound(f"the log of {size} entries has no entry {index}")
    low, high, ranges = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return _ranges(ranges[::-1], read)


def consistency_proof(old: int, new: int, read: HashReader) -> tuple[bytes, ...]:
    """Prove that the tree of `old` leaves is a prefix of the tree of `new` leaves: PROOF(old, D[0:new]).

    Raises:
        UsageError: the sizes do not follow one another; nothing is proven about the empty tree.
    """
    if not 1 <= old <= new:
        raise UsageError(f"there is no consistency proof from size {old} to size {new}")
    low, high, ranges = 0, new, []
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    if low:  # otherwise the verifier holds this very subtree: it is the old root
        ranges.append((low, high))
    return _ranges(ranges[::-1], read)


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> None:
    """Check an inclusion proof for the leaf hash `leaf` against the root `expected`; RFC 9162, section 2.1.3.2.

    Raises:
        VerificationFailed: the proof does not lead from the leaf to the root.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise VerificationFailed(f"a log of {size} entries has no entry {index}")
    _check_hashes(leaf, expected, *proof)
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if not last:
            raise VerificationFailed("the inclusion proof is too long for a log of this size")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            lone = 0 if node & 1 else _trailing_zeros(node)
            node, last = node >> lone, last >> lone
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise VerificationFailed("the inclusion proof is too short for a log of this size")
    _check_equal(result, expected, f"the inclusion proof does not lead from entry {index} to the root of the log")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `old` leaves is a prefix of the tree of `new` leaves; RFC 9162, section 2.1.4.2.

    An empty old tree is refused, as nothing would be proven about it.

    Raises:
        VerificationFailed: the proof does not show it.
    """
    if not 1 <= old <= new <= MAX_SIZE:
        raise VerificationFailed(f"a log of {old} entries cannot be shown to be the beginning of one of {new}")
    if old == new:
        if proof:
            raise VerificationFailed("a consistency proof between equal sizes is empty")
        _check_equal(old_root, new_root, f"two different roots are given for one size, {old}")
        return
    _check_hashes(old_root, new_root, *proof)
    # Where the old tree is one complete subtree, its root is the first node of the path and is left out.
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    _walk_consistency(old, old_root, new, new_root, path)


def _walk_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    if not path:
        raise VerificationFailed("the consistency proof is too short for logs of these sizes")
    node, last = old - 1, new - 1
    complete = _trailing_zeros(~node)
    node, last = node >> complete, last >> complete
    old_result = new_result = path[0]
    for sibling in path[1:]:
        if not last:
            raise VerificationFailed("the consistency proof is too long for logs of these sizes")
        if node & 1 or node == last:
            old_result, new_result = node_hash(sibling, old_result), node_hash(sibling, new_result)
            lone = 0 if node & 1 else _trailing_zeros(node)
            node, last = node >> lone, last >> lone
        else:
            new_result = node_hash(new_result, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise VerificationFailed("the consistency proof is too short for logs of these sizes")
    _check_equal(old_result, old_root, "the consistency proof does not lead to the root of the older log")
    _check_equal(new_result, new_root, "the consistency proof does not lead to the root of the newer log")


def grow(size: int, leaves: Sequence[bytes], read: HashReader) -> list[Run]:
    """Compute the nodes that become complete when the leaf hashes `leaves` follow the first `size` leaves.

    Returns one run per level, from the leaves upwards: about two hash computations per leaf, and only those old
    nodes are read that the new ones rest on (all of them stand in `frontier(size)`).
    """
    new = size + len(leaves)
    wanted = [
        (level, (size >> level) - 1)
        for level in range(new.bit_length())
        if size >> level & 1 and new >> level + 1 > size >> level + 1
    ]
    left = dict(zip(wanted, read(wanted), strict=True)) if wanted else {}
    runs: list[Run] = [(size, leaves)]
    for level in range(new.bit_length()):
        first, hashes = runs[-1]
        parents = (new >> level + 1) - (size >> level + 1)
        if not parents:
            break
        nodes = [left[level, first - 1], *hashes] if first & 1 else hashes
        pairs = zip(nodes[0::2], nodes[1::2], strict=False)  # a last node without sibling stays incomplete
        runs.append((size >> level + 1, [sha256(b"\x01" + one + two).digest() for one, two in pairs]))
    return runs


class Growing:
    """Take leaf hashes one after another, in the memory of one path from a leaf to the root."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []  # the frontier of `size`, from left to right

    def add(self, leaf: bytes) -> Iterator[tuple[Coordinate, bytes]]:
        """Yield every subtree that this leaf completes, itself first; it is taken in once all have been asked for."""
        index, node, level = self.size, leaf, 0
        yield (0, index), node
        while index & 1:
            node, index, level = node_hash(self._subtrees.pop(), node), index >> 1, level + 1
            yield (level, index), node
        self._subtrees.append(node)
        self.size += 1

    @property
    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        return fold(self._subtrees)


def overlay(runs: Sequence[Run], read: HashReader) -> HashReader:
    """Return a reader that knows the nodes of `runs` and asks `read`, once, for all others."""

    def look_up(coordinates: Sequence[Coordinate]) -> Sequence[bytes]:
        missing = [at for at in coordinates if _in_runs(runs, at) is None]
        rest = dict(zip(missing, read(missing), strict=True)) if missing else {}
        return [_in_runs(runs, at) or rest[at] for at in coordinates]

    return look_up


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Compute the root over all leaf hashes, given in order."""
    return root(len(leaves), overlay(grow(0, leaves, _nothing), _nothing))


def _nothing(coordinates: Sequence[Coordinate]) -> Sequence[bytes]:
    raise InternalError(f"the hash {coordinates[0]} does not belong to this tree")


def _in_runs(runs: Sequence[Run], at: Coordinate) -> bytes | None:
    level, index = at
    if level >= len(runs):
        return None
    first, hashes = runs[level]
    return hashes[index - first] if first <= index < first + len(hashes) else None


def _ranges(ranges: Sequence[tuple[int, int]], read: HashReader) -> tuple[bytes, ...]:
    covers = [_cover(low, high) for low, high in ranges]
    hashes = iter(read([at for cover in covers for at in cover])) if covers else iter(())
    return tuple(fold([next(hashes) for _ in cover]) for cover in covers)


def _cover(low: int, high: int) -> tuple[Coordinate, ...]:
    cover = []
    while low < high:
        level = (high - low).bit_length() - 1
        cover.append((level, low >> level))
        low += 1 << level
    return tuple(cover)


def _split(width: int) -> int:
    return 1 << (width - 1).bit_length() - 1


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1 if number else 0


def _check_hashes(*hashes: bytes) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise VerificationFailed(f"every hash of a proof has {HASH_SIZE} bytes")


def _check_equal(result: bytes, expected: bytes, message: str) -> None:
    if not hmac.compare_digest(result, expected):
        raise VerificationFailed(message)
