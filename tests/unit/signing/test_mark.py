import os

import pytest

from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.signing.mark import SLOT, MarkFile, published
from ringfence.signing.model import Mark
from ringfence.testing.clock import START
from ringfence.testing.signing import LOG


def mark(size):
    return Mark(size, bytes([size]) * 32, START)


@pytest.fixture
def file(tmp_path):
    made = MarkFile(tmp_path / "mark", LOG)
    yield made
    made.close()


def put(file, *sizes):
    for size in sizes:
        with file.held():
            file.put(mark(size))


def read(file):
    with file.held() as last:
        return last


def test_what_was_put_is_held_again(file):
    assert read(file) is None
    put(file, 1, 2, 3)
    again = MarkFile(file.path, LOG)
    assert read(again) == mark(3)
    again.close()
    assert file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [0, 1, 40, 200, SLOT - 1])
@pytest.mark.parametrize("puts", [2, 3, 4])
def test_a_torn_write_leaves_the_mark_before_it(file, puts, cut):
    put(file, *range(1, puts + 1))
    with file.path.open("r+b") as raw:
        raw.seek(puts % 2 * SLOT)
        kept = raw.read(SLOT)
        raw.seek(puts % 2 * SLOT)
        raw.write(kept[:cut] + b"\xff" * (SLOT - cut))
    again = MarkFile(file.path, LOG)
    assert read(again) == mark(puts - 1)
    again.close()


def test_a_slot_that_reads_well_and_has_another_digest_does_not_count(file):
    put(file, 1, 2)
    data = file.path.read_bytes()
    file.path.write_bytes(data.replace(b'"size":2', b'"size":9'))
    again = MarkFile(file.path, LOG)
    assert read(again) == mark(1)
    again.close()


def test_a_damaged_mark_signs_nothing(file):
    put(file, 1, 2)
    file.path.write_bytes(b"x" * 2 * SLOT)
    with pytest.raises(Unavailable, match="nothing is signed"):
        read(file)


@pytest.mark.parametrize("size", [1, SLOT - 1, SLOT, 2 * SLOT - 1])
def test_a_mark_that_was_cut_off_signs_nothing(file, size):
    """Half of it holds the mark of one head before: that would be signed once more."""
    put(file, 1, 2)
    os.truncate(file.path, size)
    for each in (file, MarkFile(file.path, LOG)):
        with pytest.raises(Unavailable, match="nothing is signed"):
            read(each)
        each.close()


@pytest.mark.parametrize("content", [b"", bytes(2 * SLOT)])
def test_a_mark_that_is_emptied_while_it_is_in_use_signs_nothing(file, content):
    put(file, 1, 2)
    file.path.write_bytes(content)
    with pytest.raises(Unavailable, match="nothing is signed"):
        read(file)


def test_an_older_mark_that_is_put_in_its_place_while_it_is_in_use_signs_nothing(file):
    put(file, 1, 2)
    kept = file.path.read_bytes()
    put(file, 3)
    file.path.write_bytes(kept)
    with pytest.raises(Unavailable, match="nothing is signed"):
        read(file)


def test_a_mark_that_is_removed_while_it_is_in_use_signs_nothing(file):
    """Whoever opens it anew would go on from another one."""
    put(file, 1, 2)
    file.path.unlink()
    with pytest.raises(Unavailable, match="was removed"):
        read(file)


def test_a_mark_of_another_log_is_no_mark(file):
    put(file, 1, 2)
    with pytest.raises(Unavailable, match="damaged"):
        read(MarkFile(file.path, "other.eu/log"))


def test_two_holders_take_turns(file):
    """Through two descriptors, as two processes have them: what one writes, the other one reads next."""
    other = MarkFile(file.path, LOG)
    put(file, 1)
    put(other, 2)
    put(file, 3)
    put(other, 4)
    assert read(file) == mark(4)
    other.close()


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").touch()
    (tmp_path / "mark").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        MarkFile(tmp_path / "mark", LOG).open()


def test_what_the_log_shows(tmp_path):
    assert published(tmp_path) is None
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "checkpoint").write_bytes(b"\xff")
    with pytest.raises(MalformedInput):
        published(tmp_path)
