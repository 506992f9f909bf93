"""Read a team's overrides from its home."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ringfence.kernel.errors import RingfenceError, UsageError
from ringfence.obligations import catalog, overrides, reading
from ringfence.obligations.model import Catalog
from ringfence.obligations.reading import Document
from ringfence.storage.files import explained, read_below

FOLDER = "overrides"
ENDING = ".yaml"
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Effective:
    """The rules of an installation; where a team's files are refused, ours, and why."""

    catalog: Catalog
    refused: str = ""


def effective(home: Path, today: date) -> Effective:
    """Return the rules with the overrides of a home, or without any of them where one is refused."""
    try:
        return Effective(checked(home, today))
    except RingfenceError as error:
        return Effective(catalog.load(), str(error))


def checked(home: Path, today: date) -> Catalog:
    """Return the rules with the overrides of a home; raise with file, line and column where they are refused."""
    documents = read(home)
    found = overrides.apply(catalog.load(), documents)
    for document in documents:
        overrides.check_day(document, today)
    return found


def read(home: Path) -> list[Document]:
    """Read every file of overrides strictly, in the order of the names; only their owner can read or write them."""
    folder = home / FOLDER
    if not folder.exists():
        return []
    _check_private(folder, "chmod 700")
    with explained(folder, "read"):
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ENDING)
    if len(names) > overrides.MAX_FILES:
        raise UsageError(f"{folder} has {len(names)} files; the limit is {overrides.MAX_FILES}")
    return [_read(folder, name) for name in names]


def _read(folder: Path, name: str) -> Document:
    path = folder / name
    _check_private(path, "chmod 600")
    data = read_below(folder, path, limit=overrides.MAX_FILE)
    schema = reading.package_file("overrides.schema.json")
    return reading.validate(reading.parse(data, source=f"{FOLDER}/{name}"), schema)


def _check_private(path: Path, remedy: str) -> None:
    with explained(path, "read"):
        found = path.lstat()
    if found.st_uid not in {os.geteuid(), 0}:
        raise UsageError(f"{path} belongs to somebody else; a team's overrides belong to whoever owns the home")
    if found.st_mode & _OTHERS:
        raise UsageError(f"{path} is open to others; run `{remedy}` on it")
