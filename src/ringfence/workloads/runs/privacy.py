"""What is claimed about the privacy of a training run: each figure has its place, so that what is absent is seen. Pure.

A claim of differential privacy is only as good as what it was computed from. Each input of an accountant is a field;
an empty one is `not stated`, and stays visible. Numbers are decimal text: a statement holds no floating-point numbers.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput

MAX_CLAIMS = 4
MAX_FILE = 64 * 2**10
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?(e-?[0-9]{1,3})?")
WORDS: Mapping[str, tuple[str, ...]] = {
    "unit": ("example", "sequence", "document", "user", "group"),
    "mechanism": ("dp-sgd", "dp-ftrl", "pate", "output-perturbation", "other"),
    "accountant": ("rdp", "prv", "pld", "gdp", "zcdp", "moments", "other"),
    "neighbouring": ("add-remove", "replace", "zero-out", ""),
    "sampling": ("poisson", "shuffle", "fixed", ""),
}
NUMBERS = ("epsilon", "delta")
MAY_BE_ABSENT = ("clippingNorm", "noiseMultiplier", "samplingRate")
MOST_STEPS = 2**53


@dataclass(frozen=True, slots=True)
class Privacy:
    """One claim: after so many steps, no unit of the data changes what comes out by more than epsilon and delta say."""

    unit: str
    mechanism: str
    accountant: str
    epsilon: str
    delta: str
    neighbouring: str = ""
    sampling: str = ""
    clippingNorm: str = ""  # noqa: N815 - as it stands in the statement
    noiseMultiplier: str = ""  # noqa: N815
    samplingRate: str = ""  # noqa: N815
    steps: int = 0

    @property
    def missing(self) -> tuple[str, ...]:
        """Return which inputs of the accountant are not stated: without them nobody can compute the claim again."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) in ("", 0))

    def to_claims(self) -> dict[str, Any]:
        """Return the form in which a statement holds it."""
        return asdict(self)


def parse(value: object) -> Privacy:
    """Parse one claim of a statement, which has every field; raise `MalformedInput`."""
    names = [one.name for one in fields(Privacy)]
    if not isinstance(value, dict) or sorted(value) != sorted(names):
        raise MalformedInput(f"a claim about privacy has the fields {', '.join(names)}")
    return _checked(value)


def read(data: bytes, *, source: str) -> tuple[Privacy, ...]:
    """Parse the file that a person or a training script wrote: one claim or a list; what is absent is not stated."""
    value = digest.loads(data, source=source, limit=MAX_FILE)
    rows = value if isinstance(value, list) else [value]
    if not 1 <= len(rows) <= MAX_CLAIMS:
        raise MalformedInput(f"it holds 1 to {MAX_CLAIMS} claims", source=source)
    known = {one.name for one in fields(Privacy)}
    for row in rows:
        if not isinstance(row, dict) or not row.keys() <= known:
            raise MalformedInput(f"a claim about privacy has the fields {', '.join(sorted(known))}", source=source)
        if absent := sorted({"unit", "mechanism", "accountant", *NUMBERS} - row.keys()):
            raise MalformedInput(f"a claim about privacy needs {', '.join(absent)}", source=source)
    try:
        return tuple(map(_checked, rows))
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error


def _checked(row: Mapping[str, Any]) -> Privacy:
    for name, allowed in WORDS.items():
        if row.get(name, "") not in allowed:
            raise MalformedInput(f"{name} is one of {', '.join(filter(None, allowed))}")
    for name in (*NUMBERS, *MAY_BE_ABSENT):
        text = row.get(name, "")
        if not isinstance(text, str) or not (_NUMBER.fullmatch(text) or (not text and name in MAY_BE_ABSENT)):
            raise MalformedInput(f'{name} is a number in quotation marks, such as "1.1e-10"')
    steps = row.get("steps", 0)
    if type(steps) is not int or not 0 <= steps <= MOST_STEPS:
        raise MalformedInput("steps is a whole number; 0 where it is not stated")
    return Privacy(**row)
