"""What the checks need from outside: files that can be gone through more than once."""

from collections.abc import Iterator
from typing import Protocol

from ringfence.artifacts.ports import Source


class Files(Protocol):
    """The files of a dataset, plain or sealed."""

    def files(self) -> Iterator[tuple[str, Source]]:
        """Give each file with its path, in a fixed order and open until the next; each call begins anew."""
        ...
