"""What profiles need from other parts: how long data would be kept."""

from collections.abc import Mapping
from typing import Protocol


class Kept(Protocol):
    """The classes of stored data, as retention keeps them."""

    def periods(self, wanted: Mapping[str, int]) -> Mapping[str, int]:
        """Return the days that each class is kept for where a profile wants these.

        Never below what a class demands at least; a period that the team itself has set goes before.
        """
        ...
