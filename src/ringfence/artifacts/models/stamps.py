"""What a folder's files looked like when they were hashed, so that signing again hashes only what changed.

For signing alone: whoever may write to the folder and set the clock could fool a stamp, and a signer signs their own
files. Verification never looks here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

FORMAT = "urn:ringfence:model-stamps:v1"
SETTLED_NS = 1_000_000_000  # a write within the clock's grain of the last one would leave the times as they are


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a file lies, how long it is, and when it and its entry changed."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(slots=True)
class Stamps:
    """The digests of one folder's files, by name and stamp; `now_ns` is the clock of the file system."""

    now_ns: Callable[[], int]
    before: Mapping[str, tuple[Stamp, Digest]] = field(default_factory=dict)
    after: dict[str, tuple[Stamp, Digest]] = field(default_factory=dict)

    def known(self, name: str, stamp: Stamp) -> Digest | None:
        """Return the digest of a file that did not change since it was hashed."""
        found = self.before.get(name)
        if found is None or found[0] != stamp:
            return None
        self.after[name] = found
        return found[1]

    def remember(self, name: str, stamp: Stamp, found: Digest) -> None:
        """Keep a digest, unless the file changed so lately that another change might not show."""
        if self.now_ns() - stamp.changed_ns > SETTLED_NS:
            self.after[name] = (stamp, found)

    def printed(self) -> bytes:
        """Return the bytes to keep."""
        files = {
            name: [*map(str, (at.device, at.inode, at.size, at.modified_ns, at.changed_ns)), found.hex]
            for name, (at, found) in self.after.items()
        }
        return digest.dumps({"format": FORMAT, "files": files})


def parse(data: bytes) -> dict[str, tuple[Stamp, Digest]]:
    """Read them back; raise `MalformedInput`."""
    match digest.loads(data, source="stamps"):
        case {"format": str() as kind, "files": dict() as files} if kind == FORMAT:
            return {name: _entry(value) for name, value in files.items()}
        case _:
            raise MalformedInput("not the stamps of a model's files")


def _entry(value: Any) -> tuple[Stamp, Digest]:
    match value:
        case [*numbers, str() as text] if len(numbers) == 5 and all(map(_is_number, numbers)):
            return Stamp(*map(int, numbers)), Digest.parse(text)
        case _:
            raise MalformedInput("a file's stamp has five numbers and a digest")


def _is_number(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 20
