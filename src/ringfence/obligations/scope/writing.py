"""Write an organisation as YAML, in the form that `organisation` reads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

HEAD = "# An organisation, for `ringfence scope FILE`. What is left out is unknown; --sample shows what there is.\n"


class Bare(str):
    """A number as it is written, decimals and exponents too."""

    __slots__ = ()


def to_yaml(organisation: Mapping[str, Any]) -> str:
    """Return the text of a file; texts are quoted, words and numbers are not, and what is None is left out."""
    return HEAD + "\n".join(_mapping(organisation, "")) + "\n"


def _mapping(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in values.items():
        if value is None or (isinstance(value, Mapping) and all(one is None for one in value.values())):
            continue
        if isinstance(value, Mapping):
            yield f"{indent}{key}:"
            yield from _mapping(value, f"{indent}  ")
        elif isinstance(value, Sequence) and any(isinstance(one, Mapping) for one in value):
            yield f"{indent}{key}:"
            for one in value:
                yield from _item(one, indent)
        else:
            yield f"{indent}{key}: {_plain(value)}"


def _item(value: Any, indent: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{indent}  - {_plain(value)}"
        return
    lines = list(_mapping(value, f"{indent}    "))
    yield f"{indent}  - {lines[0].strip()}"
    yield from lines[1:]


def _plain(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | Bare():
            return str(value)
        case str():
            return value if value.replace("_", "").isalnum() and value.isascii() and _is_word(value) else quoted(value)
        case _:
            return "[" + ", ".join(_plain(one) for one in value) + "]" if value else "[]"


def _is_word(value: str) -> bool:
    """Return whether YAML and we read the unquoted text alike: a word of the format or a country's code."""
    return value[0].isalpha() and value.lower() not in ("unknown", "null", "yes", "no", "true", "false")


def quoted(text: str) -> str:
    """Return a text in double quotes; JSON's are YAML's too."""
    return json.dumps(text, ensure_ascii=False)
