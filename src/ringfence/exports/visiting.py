"""Visit every object of a JSON document, with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """An object, and the name of the list or the member in which it stands."""

    path: str
    stands_in: str
    value: dict[str, Any]

    def property(self, name: str) -> str:
        """Return the value of its first property of this name; empty where it has none."""
        listed = self.value.get("props")
        found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return next((str(one.get("value", "")) for one in found if one.get("name") == name), "")


def nodes(document: Any, path: str = "", stands_in: str = "") -> Iterator[Node]:
    """Yield every object of a document, outer ones first."""
    if isinstance(document, dict):
        yield Node(path or "/", stands_in, document)
        for name, value in document.items():
            yield from nodes(value, f"{path}/{name}", name)
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from nodes(value, f"{path}/{number}", stands_in)
