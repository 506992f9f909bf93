import os
import time

import pytest

from ringfence.artifacts.model import Identity
from ringfence.artifacts.plain import CLOCK_OF_FILES, PlainFolder, directory_vault, identity_of, new_file, settled
from ringfence.artifacts.sealing import Memory
from ringfence.kernel.errors import Conflict, InternalError, NotFound, Unavailable, UsageError


def listed(path):
    found = {}
    for name, source in PlainFolder(path).files():
        buffer = memoryview(bytearray(source.size))
        source.read_into(buffer, 0)
        found[name] = bytes(buffer)
    return found


def test_a_tree_is_walked_in_order(tmp_path):
    for name in ("b", "a/y", "a/x/z", "ü"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert list(listed(tmp_path)) == ["a/x/z", "a/y", "b", "ü"]
    assert listed(tmp_path)["a/y"] == b"a/y"


def test_one_file_is_sealed_under_its_own_name(tmp_path):
    (tmp_path / "one.csv").write_bytes(b"1")
    assert listed(tmp_path / "one.csv") == {"one.csv": b"1"}


def test_what_is_not_there(tmp_path):
    with pytest.raises(NotFound):
        listed(tmp_path / "nothing")


@pytest.mark.parametrize("target", ["secret", ".", "nowhere"])
def test_links_are_refused_wherever_they_point(tmp_path, target):
    (tmp_path / "tree").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "tree" / "link").symlink_to(tmp_path / target)
    with pytest.raises(UsageError, match="'link' is a symbolic link"):
        listed(tmp_path / "tree")
    with pytest.raises(UsageError, match="symbolic link"):
        listed(tmp_path / "tree" / "link")


def test_special_files_are_refused_without_blocking(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a regular file"):
        listed(tmp_path)
    with pytest.raises(UsageError, match="not a regular file"):
        listed(tmp_path / "pipe")


def test_deep_trees_end(tmp_path):
    path = tmp_path
    for _ in range(70):
        path = path / "d"
        path.mkdir()
    with pytest.raises(UsageError, match="deeper"):
        listed(tmp_path)


def test_a_change_while_it_is_open_is_seen(tmp_path):
    (tmp_path / "f").write_bytes(b"1234")
    for _, source in PlainFolder(tmp_path).files():
        assert source.unchanged()
        (tmp_path / "f").write_bytes(b"12345")
        assert not source.unchanged()
        assert source.size == 4


def test_a_vault_does_not_follow_links(tmp_path):
    (tmp_path / "objects").mkdir()
    (tmp_path / "index").write_bytes(b"i")
    (tmp_path / "objects" / "o").symlink_to(tmp_path / "index")
    (tmp_path / "seal.json").symlink_to(tmp_path / "index")
    (tmp_path / "chunks").symlink_to(tmp_path / "objects")
    os.mkfifo(tmp_path / "key.json")
    with directory_vault(tmp_path) as vault:
        for name in ("objects/o", "seal.json", "chunks/o", "key.json", "objects", "index/x"):
            with pytest.raises(UsageError):
                vault.read(name, 10)
        assert vault.read("index", 1) == b"i"
        with pytest.raises(UsageError, match="limit"):
            vault.read("index", 0)
        assert vault.listing().chunks == frozenset()


def test_what_is_listed_is_what_is_opened(tmp_path):
    for name in ("b", "a/y", "a/x/z"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(name)
    tree = PlainFolder(tmp_path / "tree")
    found = dict(tree.listed())
    assert list(found) == ["a/x/z", "a/y", "b"]
    for path, identity in found.items():
        assert identity == identity_of((tmp_path / "tree" / path).stat())
        with tree.open(path) as source:
            assert tree.identity(source) == identity
    with pytest.raises(InternalError):
        tree.identity(Memory(b""))


def test_a_file_that_changed_in_any_way_has_another_identity(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"1")
    seen = [identity_of(path.stat())]
    os.utime(path, ns=(1, 1))
    seen.append(identity_of(path.stat()))
    path.write_bytes(b"22")
    seen.append(identity_of(path.stat()))
    (tmp_path / "g").write_bytes(b"22")
    (tmp_path / "g").replace(path)
    seen.append(identity_of(path.stat()))
    assert len(set(seen)) == len(seen)


def test_one_file_is_listed_and_opened_under_its_own_name(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    tree = PlainFolder(tmp_path / "one")
    assert [path for path, _ in tree.listed()] == ["one"]
    with tree.open("one") as source:
        assert source.size == 1


def test_neither_listing_nor_opening_follows_links(tmp_path):
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"x")
    tree = PlainFolder(tmp_path / "tree")
    (tmp_path / "tree" / "sub" / "a").write_bytes(b"1")
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "tree" / "sub")
    with pytest.raises(UsageError, match="symbolic link"):
        list(tree.listed())
    for path in ("link/a", "../secret", "sub/../../secret", "link", "/etc/passwd"):
        with pytest.raises(UsageError), tree.open(path):
            pass


def test_a_new_file_appears_whole_or_not_at_all(tmp_path):
    with new_file(tmp_path / "out") as sink:
        sink.write(b"12")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out").read_bytes() == b"12"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Unavailable), new_file(tmp_path / "other") as sink:
        broken_off(sink)
    with pytest.raises(Conflict), new_file(tmp_path / "out"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def broken_off(sink):
    sink.write(b"1")
    raise Unavailable("the disk is full")


@pytest.mark.parametrize("name", ["a", None])
def test_a_change_right_after_opening_shows_however_coarse_the_clock_of_the_disk_is(tmp_path, name):
    path = tmp_path / "a"
    folder = PlainFolder(path if name is None else tmp_path)
    for number in range(20):
        path.write_bytes(b"%03d" % number)
        with folder.open("a") as source:
            with path.open("r+b") as writer:
                writer.write(b"new")
            assert not source.unchanged()


def test_a_file_from_the_future_is_not_waited_for():
    class Future:
        identity = Identity(1, 1, 1, 2**62, 2**62)

    assert settled(Future) is Future


def test_a_file_that_changed_within_this_tick_is_read_in_the_next():
    """Kernels that stamp more finely show a second change in any case; this holds on those that do not."""

    class Fresh:
        identity = Identity(1, 1, 1, 0, time.clock_gettime_ns(CLOCK_OF_FILES) + 20_000_000)

    assert settled(Fresh) is Fresh
    assert time.clock_gettime_ns(CLOCK_OF_FILES) > Fresh.identity.changed
