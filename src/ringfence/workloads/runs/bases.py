"""The models that a run starts from: named by the digest that a signature of the same files has."""

from collections.abc import Sequence
from pathlib import Path

from ringfence.artifacts.models import oms
from ringfence.artifacts.models.snapshots import source
from ringfence.workloads.runs.model import Base


def digested(folder: Path, paths: Sequence[str]) -> tuple[Base, ...]:
    """Read every byte of each base model: a folder, a snapshot of a cache, or one file.

    Raises:
        NotFound: nothing is there.
        UsageError: it is nothing of these, or holds links.
        Conflict: a file was changed meanwhile.
    """
    return tuple(_digested(folder / path, path) for path in paths)


def _digested(place: Path, path: str) -> Base:
    with source(place) as opened:
        files = {name: found.digest for name, found in opened.hashed().items()}
    return Base(path, oms.manifest_of("", files).digest, len(files))
