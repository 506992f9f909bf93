"""The gate's policy: what each check may find, and what happens where it finds more, or could not run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.artifacts.checks import credentials, personal
from ringfence.artifacts.checks.model import Check, Level
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import MalformedInput

# Each number of a check: its default, and the range in which it makes sense.
_NUMBERS: Mapping[Check, Mapping[str, tuple[float, float, float]]] = {
    Check.SIGNATURE: {},
    Check.FORMAT: {"broken_share": (0.0, 0.0, 1.0)},
    Check.SCHEMA: {},
    Check.DRIFT: {"alpha": (0.01, 1e-9, 0.2), "psi": (0.1, 0.0, 10.0)},
    Check.DUPLICATES: {
        "share": (0.01, 0.0, 1.0), "near_share": (0.02, 0.0, 1.0), "conflict_share": (0.001, 0.0, 1.0),
        "similarity": (0.8, 0.5, 1.0),
    },
    Check.LEAKAGE: {"share": (0.0, 0.0, 1.0)},
    Check.LABELS: {"share": (0.05, 0.0, 1.0)},
    Check.TRIGGERS: {"rate": (0.01, 1e-9, 0.2)},
    Check.OUTLIERS: {"z": (8.0, 3.0, 100.0), "share": (0.01, 0.0, 1.0)},
    Check.PERSONAL: {"share": (0.0, 0.0, 1.0)},
    Check.SECRETS: {},
}  # fmt: skip
_ALLOWED = {Check.PERSONAL: personal.KINDS, Check.SECRETS: credentials.KINDS}
_COLUMNS = {"label", "text", "identifiers", "keys", "split"}
MAX_POLICY = 2**20


@dataclass(frozen=True, slots=True)
class Rule:
    """What one check is held against."""

    level: Level = Level.FAIL
    given: bool = False  # by the policy itself: then a check that could not run has not passed
    numbers: Mapping[str, float] = field(default_factory=dict)
    allow: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """Every rule, and what the columns are."""

    rules: Mapping[Check, Rule]
    seed: int = 1
    sample: int = 10_000
    label: str = ""
    text: str = ""
    split: str = ""
    identifiers: frozenset[str] = frozenset()
    keys: tuple[str, ...] = ()

    def number(self, check: Check, name: str) -> float:
        """Return one number of a check."""
        return self.rules[check].numbers[name]

    @property
    def digest(self) -> Digest:
        """Return what names these rules; numbers are printed as Python writes them."""
        rules = {
            check.value: [
                rule.level.value,
                rule.given,
                sorted(rule.allow),
                sorted((k, repr(v)) for k, v in rule.numbers.items()),
            ]
            for check, rule in self.rules.items()
        }
        columns = [self.label, self.text, self.split, sorted(self.identifiers), list(self.keys)]
        return Digest.of(dumps({"rules": rules, "seed": self.seed, "sample": self.sample, "columns": columns}))


def parse(document: Any, source: str = "") -> Policy:
    """Parse a policy; raise `MalformedInput` for anything that is not understood."""
    if not isinstance(document, dict) or not document.keys() <= {"version", "seed", "sample", "columns", "checks"}:
        raise MalformedInput("a policy has version, seed, sample, columns and checks", source=source)
    if document.get("version", 1) != 1:
        raise MalformedInput("the version of a policy is 1", source=source)
    checks, columns = _given(document, "checks"), _given(document, "columns")
    if not isinstance(checks, dict) or not checks.keys() <= {check.value for check in Check}:
        raise MalformedInput(f"the checks are {', '.join(check.value for check in Check)}", source=source)
    if not isinstance(columns, dict) or not columns.keys() <= _COLUMNS:
        raise MalformedInput(f"columns has {', '.join(sorted(_COLUMNS))}", source=source)
    names = {name: _name(columns.get(name, ""), name, source) for name in ("label", "text", "split")}
    return Policy(
        {check: _rule(check, checks.get(check.value), source) for check in Check},
        _whole(document.get("seed", 1), "seed", 0, 2**32, source),
        _whole(document.get("sample", 10_000), "sample", 100, 1_000_000, source),
        identifiers=frozenset(_names(columns.get("identifiers", []), "identifiers", source)),
        keys=tuple(_names(columns.get("keys", []), "keys", source)),
        **names,
    )


def _given(document: Any, name: str) -> Any:
    value = document.get(name)
    return {} if value is None else value


def _rule(check: Check, given: Any, source: str) -> Rule:
    known = _NUMBERS[check]
    defaults = {name: default for name, (default, _, _) in known.items()}
    if given is None:
        return Rule(numbers=defaults)
    if isinstance(given, str | bool):  # YAML reads a bare `off` as false
        given = {"level": "off" if given is False else given}
    if not isinstance(given, dict) or not given.keys() <= {"level", "allow", *known}:
        raise MalformedInput(f"{check} has level{''.join(f', {name}' for name in known)}", source=source)
    level = "off" if given.get("level") is False else given.get("level", "fail")
    if level not in {known_level.value for known_level in Level}:
        raise MalformedInput(f"the level of {check} is fail, warn or off", source=source)
    for name, (_, least, most) in known.items():
        value = given.get(name, defaults[name])
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise MalformedInput(f"{name} of {check} is a number from {least:g} to {most:g}", source=source)
        defaults[name] = float(value)
    allow = given.get("allow", [])
    if not isinstance(allow, list) or not set(map(str, allow)) <= set(_ALLOWED.get(check, ())):
        raise MalformedInput(f"{check} may allow {', '.join(_ALLOWED.get(check, ())) or 'nothing'}", source=source)
    return Rule(Level(level), given=True, numbers=defaults, allow=frozenset(allow))


def _whole(value: Any, name: str, least: int, most: int, source: str) -> int:
    if type(value) is not int or not least <= value <= most:
        raise MalformedInput(f"{name} is a whole number from {least} to {most}", source=source)
    return int(value)


def _name(value: Any, name: str, source: str) -> str:
    if not isinstance(value, str) or len(value) > 1000:
        raise MalformedInput(f"columns.{name} is the name of a column", source=source)
    return value


def _names(values: Any, name: str, source: str) -> list[str]:
    if not isinstance(values, list) or len(values) > 100:
        raise MalformedInput(f"columns.{name} is a list of names", source=source)
    return [_name(value, name, source) for value in values]
