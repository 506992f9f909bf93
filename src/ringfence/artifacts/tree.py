"""RFC 6962 tree heads over SHA-256, computed in one pass with a stack of at most 64 nodes.

The ledger has its own tree with proofs; capabilities do not import each other, and heads alone are this short.
"""

import hashlib
from collections.abc import Iterable

EMPTY = hashlib.sha256().digest()


def leaf_hash(label: bytes, data: bytes) -> bytes:
    """Hash a leaf; `label` keeps the leaves of different trees apart."""
    return hashlib.sha256(b"\x00" + label + data).digest()


def head(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the tree head over leaves that are hashed already."""
    stack: list[bytes] = []
    for count, leaf in enumerate(leaf_hashes):
        node, height = leaf, count
        while height & 1:
            node = hashlib.sha256(b"\x01" + stack.pop() + node).digest()
            height >>= 1
        stack.append(node)
    if not stack:
        return EMPTY
    node = stack.pop()
    while stack:
        node = hashlib.sha256(b"\x01" + stack.pop() + node).digest()
    return node
