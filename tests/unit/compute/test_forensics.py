import pytest

from ringfence.compute import forensics
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed

ITEMS = {"sockets": b"tcp 22\n", "processes": b"sshd\n"}


def chain(items, salt=b"s" * 32):
    return forensics.chain(items, salt, before_cut=True, milliseconds=3)


def test_the_chain_does_not_depend_on_the_order_in_which_items_came():
    assert chain(ITEMS) == chain(dict(reversed(ITEMS.items())))


@pytest.mark.parametrize(
    "changed",
    [
        {"sockets": b"tcp 23\n", "processes": b"sshd\n"},
        {"socket": b"tcp 22\n", "processes": b"sshd\n"},
        {"processes": b"sshd\n"},
        ITEMS | {"more": b""},
    ],
)
def test_one_altered_byte_name_or_item_is_seen(changed):
    with pytest.raises(VerificationFailed):
        forensics.verify_chain(changed, b"s" * 32, chain(ITEMS).chain)


def test_what_was_stated_verifies_with_its_salt_and_with_no_other():
    assert forensics.verify_chain(ITEMS, b"s" * 32, chain(ITEMS).chain).items == chain(ITEMS).items
    with pytest.raises(VerificationFailed):
        forensics.verify_chain(ITEMS, b"t" * 32, chain(ITEMS).chain)


def test_nobody_can_guess_an_item_from_its_digest():
    assert Digest.of(ITEMS["processes"]) not in {item.digest for item in chain(ITEMS).items}


def test_a_node_cannot_fill_the_disk_with_what_it_says_of_itself():
    kept = forensics.trimmed({f"item-{i:03}": b"x" * (forensics.MAX_ITEM + 1) for i in range(forensics.MAX_ITEMS + 1)})
    assert len(kept) == forensics.MAX_ITEMS
    assert {len(data) for data in kept.values()} == {forensics.MAX_ITEM}
