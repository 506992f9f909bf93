import pytest

from ringfence.fabric.slots import SLOT, Slots
from ringfence.kernel.errors import Conflict, Unavailable, VerificationFailed


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state"


def saved(path, *payloads):
    slots = Slots(path)
    slots.load()
    for payload in payloads:
        slots.save(payload)
    slots.close()


def read(path):
    slots = Slots(path)
    try:
        return slots.load()
    finally:
        slots.close()


def test_the_last_state_is_read(path):
    assert read(path) is None
    saved(path, b"one")
    assert read(path) == b"one"
    saved(path, b"two", b"three")
    assert read(path) == b"three"


def test_the_file_is_there_before_it_is_needed(path):
    saved(path)
    blocks = path.stat().st_blocks
    assert (path.stat().st_size, blocks * 512 >= 2 * SLOT) == (2 * SLOT, True)
    saved(path, b"x" * 5000, b"y" * 9000)
    assert (path.stat().st_size, path.stat().st_blocks) == (2 * SLOT, blocks)


@pytest.mark.parametrize("length", [0, 1, 8, 12, 20, 52, 53])
def test_a_torn_write_leaves_the_state_before(path, length):
    saved(path, b"one", b"two")  # generation 2 is in slot 0, so the next write goes to slot 1
    whole = path.read_bytes()
    saved(path, b"three")
    torn = path.read_bytes()
    path.write_bytes(whole[:SLOT] + torn[SLOT : SLOT + length] + whole[SLOT + length :])
    assert read(path) == b"two"
    saved(path, b"four")
    assert read(path) == b"four"


def test_damage_is_not_taken_for_an_empty_state(path):
    saved(path, b"one")
    content = bytearray(path.read_bytes())
    content[SLOT + 60] ^= 1
    content[SLOT + 9] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(VerificationFailed):
        read(path)
    path.write_bytes(b"short")
    with pytest.raises(VerificationFailed):
        read(path)


def test_one_helper_at_a_time(path):
    first = Slots(path)
    with pytest.raises(Conflict):
        Slots(path)
    first.close()
    Slots(path).close()


def test_too_much_is_refused(path):
    slots = Slots(path)
    with pytest.raises(Unavailable):
        slots.save(bytes(SLOT))
    slots.close()


def test_no_room_is_said(tmp_path):
    with pytest.raises(Unavailable, match="no room"):
        Slots(tmp_path / "missing" / "state")
    assert list(tmp_path.iterdir()) == []
