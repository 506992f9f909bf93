"""An edition of the rules as values in one file: to travel with a checker, and to compare a later one with. Pure."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import catalog, reading
from ringfence.obligations.model import Catalog
from ringfence.obligations.reading import Document
from ringfence.obligations.scope import document, rules
from ringfence.obligations.scope.rules import Rules

MAX_EDITION = 8 * 2**20
MAX_RECEIVED = 2 * 2**20  # four times ours: to hold a larger one against the schemas takes too long for a page


def printed(documents: Mapping[str, Document], edition: Rules, parsed: Mapping[str, Any]) -> bytes:
    """Print the rules: their values, and the versions of both parts.

    Without what reads YAML nothing could tie values to the bytes that a version is a digest of, so that those do not
    travel: whoever has the sources makes the same file again, and compares that.
    """
    version = catalog.digest_of(documents, edition)
    return digest.dumps(
        {
            "documents": {name: one.value for name, one in documents.items()},
            "version": str(version),
            "law": {"version": str(edition.digest), "values": parsed},
        }
    )


def shipped() -> bytes:
    """Print the rules of the package."""
    documents = {name: reading.shipped(name) for name in catalog.FILES}
    parsed = {name: document.shipped(reading.package_file(name)) for name in rules.PARSED}
    return printed(documents, rules.load(), parsed)


def parse(data: bytes, *, source: str = "rules.json") -> Catalog:
    """Return the catalogue that `printed` has printed; raise `MalformedInput` where the file is none such."""
    return _parsed(data, source, lambda document: document)


def received(data: bytes, *, source: str = "rules.json") -> Catalog:
    """Return the catalogue of a file that anybody sent: every value is held against its schema first.

    Raises:
        MalformedInput: it is too large, or no edition that this release can read.
    """
    if len(data) > MAX_RECEIVED:
        raise MalformedInput(f"an edition that a page takes has at most {MAX_RECEIVED} bytes", source=source)

    def checked(document: Document) -> Document:
        return reading.validate(document, reading.schema_of(document.source))

    return _parsed(data, source, checked)


def _parsed(data: bytes, source: str, checked: Callable[[Document], Document]) -> Catalog:
    try:
        known = json.loads(data)
        json.dumps(known, ensure_ascii=False, allow_nan=False).encode()  # what could not be shown again is refused
        told = {name: Document(name, b"", known["documents"][name], {(): (1, 1)}) for name in catalog.FILES}
        documents = {name: checked(document) for name, document in told.items()}
        edition = rules.build(Digest.parse(known["law"]["version"]), known["law"]["values"])
        return catalog.assemble(documents, edition, Digest.parse(known["version"]))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise MalformedInput(
            "this is no edition of the rules, or of another release than can be read", source=source
        ) from error
