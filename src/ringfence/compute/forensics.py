"""Evidence of a node: salted digests of each item, chained, so that one altered byte is seen."""

from collections.abc import Mapping

from ringfence.compute.model import Evidence, Item
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed

BUDGET_SECONDS = 1.0  # how long the cut may wait for evidence; anchors of the field allow three
MAX_SECONDS = 3.0
MAX_ITEM = 4 * 2**20  # bytes of one item that are kept: a node must not fill the disk with what it says of itself
MAX_ITEMS = 32
_START = b"ringfence-evidence-v1\n"


def trimmed(items: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what is kept of the items: a bounded number, each of bounded length, by name."""
    return {name[:64]: items[name][:MAX_ITEM] for name in sorted(items)[:MAX_ITEMS]}


def chain(items: Mapping[str, bytes], salt: bytes, *, before_cut: bool, milliseconds: int) -> Evidence:
    """Hash every item with the salt, and chain the digests in the order of their names."""
    known = tuple(Item(name, Digest.of(salt + items[name]), len(items[name])) for name in sorted(items))
    link = Digest.of(_START + salt)
    for item in known:
        link = Digest.of(link.value + len(item.name).to_bytes(2, "big") + item.name.encode() + item.digest.value)
    return Evidence(known, link, before_cut, milliseconds)


def verify_chain(items: Mapping[str, bytes], salt: bytes, expected: Digest) -> Evidence:
    """Return the evidence where it is what was stated; raise `VerificationFailed`."""
    found = chain(items, salt, before_cut=True, milliseconds=0)
    if found.chain != expected:
        raise VerificationFailed("the evidence that is kept is not what was stated when it was collected")
    return found
