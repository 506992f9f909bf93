"""The provenance file: where a dataset comes from, in YAML, with the line in every error."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from ringfence.kernel.errors import MalformedInput

PARTS = ("collection", "licence", "rights", "source", "steps")
MAX_FILE = 64 * 2**10
MAX_TEXT = 4096  # characters; the place for more is a document that `source` names
MAX_STEPS = 200
MAX_DEPTH = 4  # a mapping with a list in it needs two
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
_STRING = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the file says, and its bytes."""

    file: bytes
    licence: str
    texts: Mapping[str, str | list[str]]

    @property
    def recorded(self) -> tuple[str, ...]:
        """Return which parts are filled in, sorted."""
        return tuple(sorted(self.texts))


def licence(text: object) -> str:
    """Parse an SPDX licence identifier; one of the tenant's own begins with `LicenseRef-`."""
    if not isinstance(text, str) or not _LICENCE.fullmatch(text):
        raise MalformedInput(f"{str(text)[:80]!r} is not an SPDX licence identifier such as CC-BY-4.0")
    return text


def parse_provenance(data: bytes, *, source: str = "provenance") -> Provenance:
    """Parse a provenance file; raise `MalformedInput` with its line.

    The file is one mapping of `source`, `licence`, `collection`, `rights` (texts) and `steps` (a list of texts).
    `licence` must be there. Anchors, aliases, tags and other types are refused: a date or a number is quoted.
    """
    if len(data) > MAX_FILE:
        raise MalformedInput(f"the file has more than {MAX_FILE} bytes", source=source)
    texts = dict(_parts(_root(data, source), source))
    if "licence" not in texts:
        raise MalformedInput(
            "licence is missing: an SPDX identifier, or LicenseRef- and a name of yours", source=source
        )
    return Provenance(data, str(texts["licence"]), texts)


def _root(data: bytes, source: str) -> yaml.MappingNode:
    try:
        text = data.decode("utf-8")
        _check_events(text, source)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise MalformedInput(f"not UTF-8 text: {error.reason}", source=source) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise MalformedInput(f"not YAML: {error.problem}", source=source, line=line) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise MalformedInput("not YAML that can be read", source=source) from error
    if not isinstance(node, yaml.MappingNode):
        raise MalformedInput(f"the file is a mapping of {', '.join(PARTS)}", source=source, line=1)
    return node


def _check_events(text: str, source: str) -> None:
    """Refuse aliases and deep nesting while the text is read: PyYAML's time is quadratic in the depth."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > MAX_DEPTH:
            raise MalformedInput("aliases and deep nesting are not allowed", source=source)


def _parts(root: yaml.MappingNode, source: str) -> Iterator[tuple[str, str | list[str]]]:
    seen: set[str] = set()
    for key, value in root.value:
        name = _text(key, source)
        if name not in PARTS:
            raise _wrong(key, f"{name!r} is not one of {', '.join(PARTS)}", source)
        if name in seen:
            raise _wrong(key, f"{name} stands twice", source)
        seen.add(name)
        if name == "steps":
            yield name, _steps(value, source)
        else:
            yield name, _licence(value, source) if name == "licence" else _text(value, source)


def _steps(node: yaml.Node, source: str) -> list[str]:
    if not isinstance(node, yaml.SequenceNode) or not 1 <= len(node.value) <= MAX_STEPS:
        raise _wrong(node, f"steps is a list of 1 to {MAX_STEPS} texts", source)
    return [_text(item, source) for item in node.value]


def _licence(node: yaml.Node, source: str) -> str:
    try:
        return licence(_text(node, source))
    except MalformedInput as error:
        raise error if error.line else _wrong(node, str(error), source) from error


def _text(node: yaml.Node, source: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != _STRING:
        raise _wrong(node, "a text is expected here; put numbers, dates, yes and no in quotes", source)
    value = str(node.value).strip()
    if not 1 <= len(value) <= MAX_TEXT or any("\ud800" <= character <= "\udfff" for character in value):
        raise _wrong(node, f"a text has 1 to {MAX_TEXT} characters", source)
    return value


def _wrong(node: yaml.Node, message: str, source: str) -> MalformedInput:
    return MalformedInput(message, source=source, line=node.start_mark.line + 1, column=node.start_mark.column + 1)
