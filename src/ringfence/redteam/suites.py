"""The suites that are shipped."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound

PACKAGE = "ringfence.redteam"


@dataclass(frozen=True, slots=True)
class Suite:
    """A shipped pack and what it asks."""

    name: str
    about: str


SUITES: Mapping[str, Suite] = {
    "injection": Suite(
        "injection", "prompt injection: direct, encoded, in a mail, in languages of the Union; planted secrets"
    ),
}


def corpus(name: str) -> bytes:
    """Return the bytes of a suite's pack."""
    if name not in SUITES:
        raise NotFound(f"there is no suite {name[:40]!r}; there is {', '.join(SUITES)}")
    return resources.files(PACKAGE).joinpath("data", f"{name}.jsonl").read_bytes()


def harness() -> str:
    """Return the digest of the code that draws, renders, judges and counts: named in each plan."""
    folder = resources.files(PACKAGE)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".py"))
    return str(Digest.of(b"\0".join(folder.joinpath(name).read_bytes() for name in names)))
