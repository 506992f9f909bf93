"""The manifest: paths, sizes and digests of the plaintext (docs/specs/sealed-dataset.md, section 3)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ringfence.artifacts import tree
from ringfence.artifacts.model import (
    MAX_FILES,
    SALT_SIZE,
    FileEntry,
    Manifest,
    dataset_id,
    epoch_number,
    object_id,
)
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

FORMAT = "urn:ringfence:sealed-manifest:v1"
MAX_PATH = 4096  # bytes; PATH_MAX of Linux
MAX_PART = 255  # bytes; NAME_MAX of Linux
MAX_PARTS = 64  # deeper trees are loops or attacks
MAX_MANIFEST = 512 * 2**20  # 2^20 files with paths of ordinary length
_LABEL = b"ringfence sealed plaintext v1\0"


def check_path(path: str) -> str:
    """Return a path that is safe to create below a folder, or raise `MalformedInput`."""
    try:
        encoded = path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedInput(f"the file name {path!r} is not UTF-8 text; rename it") from error
    parts = encoded.split(b"/")
    if len(encoded) > MAX_PATH or len(parts) > MAX_PARTS or max(map(len, parts)) > MAX_PART:
        raise MalformedInput(f"the path {path[:80]!r}… is longer or deeper than a sealed dataset allows")
    if any(part in {b"", b".", b".."} for part in parts):
        raise MalformedInput(f"the path {path!r} is not a plain relative path")
    if any(character < " " or character in "\x7f\\" for character in path):
        raise MalformedInput(f"the file name {path!r} holds a control character or a backslash; rename it")
    return path


def ordered(files: Sequence[FileEntry]) -> tuple[FileEntry, ...]:
    """Return the entries in the manifest's order."""
    return tuple(sorted(files, key=lambda file: file.path.encode()))


def print_manifest(manifest: Manifest) -> bytes:
    """Print a manifest whose files are in order."""
    files = [
        {"path": file.path, "object": file.object, "size": file.size, "sha256": file.digest.hex}
        for file in manifest.files
    ]
    head = {"format": FORMAT, "dataset": manifest.dataset, "epoch": manifest.epoch, "salt": manifest.salt.hex()}
    return digest.dumps(head | {"files": files})


def parse_manifest(data: bytes) -> Manifest:
    """Parse a manifest strictly; raise `MalformedInput`. A manifest is sealed, but its writer may be hostile."""
    document = digest.loads(data, source="manifest", limit=MAX_MANIFEST)
    try:
        manifest = _manifest(document)
    except MalformedInput as error:
        raise MalformedInput(str(error), source="manifest") from error
    if print_manifest(manifest) != data:
        raise MalformedInput("the manifest is not in its one byte form", source="manifest")
    return manifest


def plaintext_root(manifest: Manifest) -> Digest:
    """Return the salted tree head over all files."""
    return Digest(tree.head(tree.leaf_hash(_LABEL, _leaf(manifest.salt, file)) for file in manifest.files))


def _leaf(salt: bytes, file: FileEntry) -> bytes:
    return salt + file.size.to_bytes(8, "big") + file.digest.value + file.path.encode()


def _manifest(document: Any) -> Manifest:
    match document:
        case {"format": "urn:ringfence:sealed-manifest:v1", "salt": str() as salt, "files": list() as values}:
            pass
        case _:
            raise MalformedInput("this is not a manifest of version 1")
    if not 0 <= len(values) <= MAX_FILES:
        raise MalformedInput(f"a dataset has at most {MAX_FILES} files, not {len(values)}")
    salt_bytes = Digest.parse(salt).value if len(salt) == 2 * SALT_SIZE else b""
    if not salt_bytes:
        raise MalformedInput(f"the salt has {SALT_SIZE} bytes")
    files = tuple(map(_file, values))
    _check_order(files)
    return Manifest(dataset_id(document.get("dataset")), epoch_number(document.get("epoch")), salt_bytes, files)


def _file(value: Any) -> FileEntry:
    match value:
        case {"path": str() as path, "object": str() as name, "size": int() as size, "sha256": str() as text} if (
            type(size) is int and size >= 0
        ):
            return FileEntry(check_path(path), object_id(name), size, Digest.parse(text))
        case _:
            raise MalformedInput("a file has path, object, size and sha256")


def _check_order(files: tuple[FileEntry, ...]) -> None:
    if any(a.path.encode() >= b.path.encode() for a, b in pairwise(files)):
        raise MalformedInput("the files are not in strictly ascending order of path")
    if len({file.object for file in files}) != len(files):
        raise MalformedInput("two files share one object")
    paths = {file.path for file in files}
    for path in paths:
        if not paths.isdisjoint(parents(path)):
            raise MalformedInput(f"a folder of {path!r} is also listed as a file")


def parents(path: str) -> list[str]:
    """Return the folders that hold `path`, outermost first, without the root."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
