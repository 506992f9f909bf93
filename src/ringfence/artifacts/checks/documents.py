"""Small YAML or JSON files that people write: read strictly, so that nothing in them is passed over."""

from typing import Any

import yaml

from ringfence.kernel.errors import MalformedInput

MAX_DEPTH = 12


def parse(data: bytes, source: str = "") -> Any:
    """Parse a document; aliases, duplicate keys and depth beyond the bound are refused.

    Raises:
        MalformedInput: with source and line.
    """
    try:
        text = data.decode("utf-8")
        _check_events(text, source)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_keys(node, source)
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise MalformedInput(f"not YAML: {error.problem}", source=source, line=line) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise MalformedInput("the file is not YAML in UTF-8", source=source) from error


def _check_events(text: str, source: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            raise MalformedInput("aliases are not allowed", source=source, line=line)
        if depth > MAX_DEPTH:
            raise MalformedInput(f"it is nested deeper than {MAX_DEPTH} levels", source=source, line=line)


def _check_keys(node: yaml.Node | None, source: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise MalformedInput("a key is no text, or stands twice", source=source, line=line)
            seen.add(key.value)
            _check_keys(value, source)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_keys(value, source)
