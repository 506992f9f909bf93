"""Read the package's own YAML strictly, and say the file, line and column of whatever is wrong.

The text is composed, never loaded: no tag, anchor, alias, duplicate key or floating-point number gets through, and
dates stay text. JSON Schemas beside the files say the rest.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.scope.document import at, compose, own

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values, and where in the file each of them stands."""

    source: str
    data: bytes
    value: Any
    places: dict[Path, tuple[int, int]]

    def error(self, path: Sequence[str | int], message: str) -> MalformedInput:
        """Return the error that says `message` about the value at `path`, or about the nearest thing around it."""
        where = tuple(path)
        while where not in self.places:
            where = where[:-1]
        line, column = self.places[where]
        return MalformedInput(message, source=self.source, line=line, column=column)


def package_file(name: str) -> bytes:
    """Return the bytes of a file of this package's data folder."""
    return resources.files("ringfence.obligations").joinpath("data", name).read_bytes()


def parse(data: bytes, *, source: str) -> Document:
    """Parse one YAML document of mappings, lists, texts, integers, booleans and nulls.

    Raises:
        MalformedInput: with source, line and column.
    """
    return _document(compose(data, source=source), data, source)


def shipped(name: str) -> Document:
    """Read one file of the package without its schema, and fast; a test puts every file to `read` as well."""
    data = package_file(name)
    return _document(own(data), data, name)


def _document(node: yaml.Node, data: bytes, source: str) -> Document:
    places: dict[Path, tuple[int, int]] = {}
    return Document(source, data, _plain(node, (), places, source), places)


def validate(document: Document, schema: bytes) -> Document:
    """Return `document` if the JSON Schema accepts it; raise `MalformedInput` with the first place that it refuses."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(schema))
    for error in sorted(validator.iter_errors(document.value), key=lambda e: [str(p) for p in e.absolute_path]):
        cause = jsonschema.exceptions.best_match([error])
        raise document.error(list(cause.absolute_path), cause.message[:300])
    return document


def read(name: str) -> Document:
    """Read and validate one file of the package by its schema: that of its name, or of the folder that it lies in."""
    return validate(parse(package_file(name), source=name), schema_of(name))


def schema_of(name: str) -> bytes:
    """Return the schema of a file of the package."""
    stem = name.partition("/")[0].removesuffix(".yaml")
    return package_file(f"{stem}.schema.json")


def _plain(node: yaml.Node, path: Path, places: dict[Path, tuple[int, int]], source: str) -> Any:
    places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    match node:
        case yaml.MappingNode():
            return _mapping(node, path, places, source)
        case yaml.SequenceNode():
            return [_plain(item, (*path, index), places, source) for index, item in enumerate(node.value)]
        case _:
            return _scalar(node, source)


def _mapping(node: yaml.MappingNode, path: Path, places: dict[Path, tuple[int, int]], source: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
            raise at(key, "a key is plain text", source)
        if key.value in result:
            raise at(key, f"the key {key.value!r} stands twice", source)
        result[key.value] = _plain(item, (*path, key.value), places, source)
    return result


def _scalar(node: yaml.Node, source: str) -> str | int | bool | None:
    match node.tag.removeprefix("tag:yaml.org,2002:"), node.value:
        case "str" | "timestamp", text:
            return str(text)
        case "null", _:
            return None
        case "bool", "true" | "false" as text:
            return bool(text == "true")
        case "int", text if text.lstrip("-").isdecimal() and len(text) < 16:
            return int(text)
        case _, text:
            raise at(node, f"{text!r} is not text, an integer, true, false or null; quote it", source)
