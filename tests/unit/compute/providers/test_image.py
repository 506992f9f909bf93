"""The archive that makes a machine one node, and the image that all of them share."""

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.compute.providers import image
from ringfence.kernel.errors import Unavailable

PARTS = ("kernel", "initrd", "image", "probe")


def unpacked(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Read archives that follow each other, as the kernel's documentation says."""
    found, at = {}, 0
    while at < len(data):
        if data[at] == 0:  # zeros between archives
            at += 4
            continue
        assert data[at : at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = data[at + 110 : at + 110 + length - 1].decode()
        start = (at + 110 + length + 3) // 4 * 4
        if name != "TRAILER!!!":
            assert fields[2:4] == [0, 0], "everything is root's"
            found[name] = (mode, data[start : start + size])
        at = (start + size + 3) // 4 * 4
    return found


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,12}", fullmatch=True), st.binary(max_size=40)), max_size=5))
def test_what_goes_in_comes_out(files: list[tuple[str, bytes]]) -> None:
    entries = [image.Entry(name, stat.S_IFREG | 0o644, content) for name, content in dict(files).items()]
    assert {name: content for name, (_, content) in unpacked(image.archive(entries)).items()} == dict(files)


def test_a_second_archive_may_follow() -> None:
    first = image.archive([image.Entry("init", stat.S_IFREG | 0o755, b"#!")])
    whole = first + image.personal({"host_key": (0o400, b"secret"), "ca.pub": (0o444, b"ca")})
    assert len(first) % 512 == 0
    assert set(unpacked(whole)) == {"init", "node", "node/host_key", "node/ca.pub"}


def test_a_node_s_files_keep_their_permissions() -> None:
    mode, content = unpacked(image.personal({"host_key": (0o400, b"secret")}))["node/host_key"]
    assert (stat.S_IMODE(mode), content) == (0o400, b"secret")


def test_the_same_files_give_the_same_bytes() -> None:
    files = {"b": (0o444, b"2"), "a": (0o444, b"1")}
    assert image.personal(files) == image.personal(dict(reversed(files.items())))


def test_a_whole_image_is_loaded(tmp_path) -> None:
    for name in PARTS:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "image.json").write_text(json.dumps({"digest": "ab" * 32}))
    found = image.load(tmp_path)
    assert (found.digest, found.disk) == ("ab" * 32, tmp_path / "image")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '"digest"'])
def test_a_description_that_does_not_parse_is_no_image(tmp_path, text: str) -> None:
    (tmp_path / "image.json").write_text(text)
    with pytest.raises(Unavailable, match="run `make setup` again"):
        image.load(tmp_path)


def test_a_missing_part_is_named(tmp_path) -> None:
    (tmp_path / "image.json").write_text(json.dumps({"digest": "ab" * 32}))
    (tmp_path / "kernel").write_bytes(b"x")
    with pytest.raises(Unavailable, match="initrd, image, probe"):
        image.load(tmp_path)
