from dataclasses import replace

import pytest

from ringfence.artifacts import manifest
from ringfence.artifacts.model import DatasetId, FileEntry, Manifest, ObjectId
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput


def entry(path, number=1):
    return FileEntry(path, ObjectId(f"{number:032x}"), 5, Digest.of(path.encode("utf-8", "surrogatepass")))


def made(*files):
    return Manifest(DatasetId("a" * 32), 1, bytes(range(32)), files)


def test_a_manifest_reads_back():
    given = made(entry("a/b.csv", 1), entry("a/ü.csv", 2), entry("b", 3))
    assert manifest.parse_manifest(manifest.print_manifest(given)) == given


def test_order_is_that_of_utf_8_bytes():
    files = manifest.ordered([entry("\U00010000"), entry("\uffff"), entry("a.b"), entry("a/b")])
    assert [file.path for file in files] == ["a.b", "a/b", "\uffff", "\U00010000"]


HOSTILE = [
    "../x", "a/../../x", "/etc/passwd", "..", ".", "", "a//b", "a/", "/a", "a/./b", "a\\b", "..\\x", "a\nb", "a\x00b",
    "a\x7fb", "\x1b[2J", "a" * 256, "/".join("a" * 70), "a/" * 2100 + "a",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_could_leave_its_folder_or_confuse_is_refused(path):
    with pytest.raises(MalformedInput):
        manifest.check_path(path)
    with pytest.raises(MalformedInput, match="manifest"):
        manifest.parse_manifest(manifest.print_manifest(made(entry(path))))


def test_a_name_that_is_not_text_is_refused():
    with pytest.raises(MalformedInput, match="UTF-8"):
        manifest.check_path("a\udc80b")
    with pytest.raises(MalformedInput):
        manifest.parse_manifest(manifest.print_manifest(made(entry("a\udc80b"))))


@pytest.mark.parametrize("path", ["a", "a b/c'd", "ü/日本", "-rf", "...", "a..b", ".hidden", "a" * 255])
def test_ordinary_paths(path):
    assert manifest.check_path(path) == path


@pytest.mark.parametrize(
    "files",
    [
        (entry("b", 1), entry("a", 2)),
        (entry("a", 1), entry("a", 2)),
        (entry("a", 1), entry("b", 1)),
        (entry("a", 1), entry("a/b", 2)),
        (entry("a", 1), entry("a.b", 2), entry("a/b", 3)),
    ],
)
def test_order_double_use_and_files_as_folders(files):
    with pytest.raises(MalformedInput):
        manifest.parse_manifest(manifest.print_manifest(made(*files)))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "urn:ringfence:sealed-manifest:v2"},
        {"salt": "00"},
        {"salt": "sha256:" + "0" * 57},
        {"epoch": 0},
        {"dataset": "x"},
        {"files": {}},
        {"files": [1]},
        {"files": [{"path": "a", "object": "a" * 32, "size": -1, "sha256": "0" * 64}]},
        {"files": [{"path": "a", "object": "a" * 32, "size": True, "sha256": "0" * 64}]},
        {"files": [{"path": "a", "object": "a" * 32, "size": 1, "sha256": "0" * 63}]},
        {"extra": 1},
    ],
)
def test_fields_are_strict(change):
    document = digest.loads(manifest.print_manifest(made(entry("a")))) | change
    with pytest.raises(MalformedInput, match="manifest"):
        manifest.parse_manifest(digest.dumps(document))


def test_blanks_are_refused():
    with pytest.raises(MalformedInput, match="one byte form"):
        manifest.parse_manifest(manifest.print_manifest(made(entry("a"))) + b"\n")


def test_the_plaintext_root_binds_salt_path_size_and_digest():
    file = entry("a")
    variants = [
        made(file),
        replace(made(file), salt=bytes(32)),
        made(replace(file, path="b")),
        made(replace(file, size=6)),
        made(replace(file, digest=Digest.of(b"other"))),
    ]
    assert len({manifest.plaintext_root(variant) for variant in variants}) == 5


def test_parents():
    assert manifest.parents("a/b/c") == ["a", "a/b"]
    assert manifest.parents("a") == []
