import hashlib

from ringfence.artifacts import tree


def reference(leaves):
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + reference(leaves[:k]) + reference(leaves[k:])).digest()


def test_every_size_to_200_is_the_recursive_definition():
    leaves = [tree.leaf_hash(b"", bytes([n])) for n in range(200)]
    for size in range(201):
        assert tree.head(iter(leaves[:size])) == reference(leaves[:size])


def test_labels_keep_trees_apart():
    assert tree.leaf_hash(b"a\0", b"x") != tree.leaf_hash(b"b\0", b"x")
    assert tree.leaf_hash(b"", b"x") == hashlib.sha256(b"\x00x").digest()
