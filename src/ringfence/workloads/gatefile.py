"""What a tenant asks of models, from a file: shipped defaults, or `gates/TENANT.yaml` in the home, read strictly."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.storage.files import read_private

FORMAT = "urn:ringfence:gate:v1"
FOLDER, SHIPPED = "gates", "gate.yaml"
MAX_FILE = 2**16
GIB = 2**30
CONDITIONS = ("signed", "data", "lineage", "scan", "redteam", "bom", "approval")
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{1,30}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\[\]:-]{1,255}")
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """What is asked of models that come from outside."""

    origins: frozenset[str]
    licences: frozenset[str]
    countries: frozenset[str]
    largest: int  # bytes
    accept_unknown: bool
    apart: bool

    def problem_with(self, licence: str, country: str) -> str:
        """Say why a licence or a country is not let in; empty where both are."""
        if licence not in self.licences:
            return f"the licence {licence} is not on this tenant's list: intake.licences in gates/TENANT.yaml"
        if self.countries and country not in self.countries:
            return f"the country {country} is not on this tenant's list: intake.countries in gates/TENANT.yaml"
        return ""


@dataclass(frozen=True, slots=True)
class GateRules:
    """What is asked of models that are to be served."""

    demands: tuple[str, ...]
    scan: timedelta
    redteam: timedelta
    bound_ppm: int
    bom: timedelta
    approvals: int
    approval: timedelta
    verdict: timedelta
    staging: str
    attached: bool


@dataclass(frozen=True, slots=True)
class GateFile:
    """Both, and the digest of the bytes that said so."""

    intake: IntakeRules
    gate: GateRules
    digest: Digest


def shipped_bytes() -> bytes:
    """Return the defaults as they ship."""
    return resources.files("ringfence.workloads.gating").joinpath("data", SHIPPED).read_bytes()


@cache
def shipped() -> GateFile:
    """Return the defaults."""
    return parse(shipped_bytes(), source=SHIPPED)


@dataclass(frozen=True, slots=True)
class GateFiles:
    """The files of an installation, one per tenant that has its own."""

    home: Path

    def of(self, tenant: Tenant) -> GateFile:
        """Return what a tenant asks; raise our family where its own file cannot be read: defaults never step in."""
        path = self.path(tenant)
        return parse(read_private(path), source=f"{FOLDER}/{path.name}") if path.exists() else shipped()

    def path(self, tenant: Tenant) -> Path:
        """Return where a tenant's own file lies."""
        return self.home / FOLDER / f"{tenant}.yaml"


def parse(data: bytes, *, source: str = SHIPPED) -> GateFile:
    """Parse a file; raise `MalformedInput` with the first place that is wrong. Nothing is left out or added."""
    match _document(data, source):
        case {"format": kind, "intake": dict() as intake, "gate": dict() as gate, **more} if (
            kind == FORMAT and not more
        ):
            return GateFile(_intake(intake, source), _gate(gate, source), Digest.of(data))
        case _:
            raise MalformedInput(f"a gate file has format ({FORMAT}), intake and gate", source=source)


def _document(data: bytes, source: str) -> Any:
    if len(data) > MAX_FILE:
        raise MalformedInput(f"a gate file has at most {MAX_FILE} bytes", source=source)
    try:
        text = data.decode("utf-8")
        _refuse_twice(yaml.compose(text, Loader=yaml.SafeLoader), source)
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
        raise MalformedInput(f"not YAML: {str(error)[:200]}", source=source) from error


def _refuse_twice(node: Any, source: str) -> None:
    """Refuse a key that stands twice, of which the reader would silently keep the last, and every alias."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            raise MalformedInput("an alias stands here; write it out", source=source)
        seen.add(id(one))
        if isinstance(one, yaml.MappingNode):
            names = [str(key.value) for key, _ in one.value]
            if len(set(names)) != len(names):
                raise MalformedInput("a key stands twice", source=source, line=one.start_mark.line + 1)
            waiting += [item for _, item in one.value]
        elif isinstance(one, yaml.SequenceNode):
            waiting += one.value


def _intake(found: Mapping[str, Any], source: str) -> IntakeRules:
    read = _Reader("intake", found, source)
    rules = IntakeRules(
        origins=frozenset(map(origin_of, read.words("origins", _ORIGIN))),
        licences=frozenset(read.words("licences", _LICENCE)),
        countries=frozenset(read.words("countries", _COUNTRY)),
        largest=read.number("largest_gib", 1, 2**14) * GIB,
        accept_unknown=read.flag("accept_unknown"),
        apart=read.flag("apart"),
    )
    read.check_done()
    return rules


def _gate(found: Mapping[str, Any], source: str) -> GateRules:
    read = _Reader("gate", found, source)
    rules = GateRules(
        demands=tuple(read.words("demands", re.compile("|".join(CONDITIONS)))),
        scan=timedelta(days=read.number("scan_days", 1, 3650)),
        redteam=timedelta(days=read.number("redteam_days", 1, 3650)),
        bound_ppm=read.number("redteam_bound_ppm", 0, PPM),
        bom=timedelta(days=read.number("bom_days", 1, 3650)),
        approvals=read.number("approvals", 1, 5),
        approval=timedelta(days=read.number("approval_days", 1, 3650)),
        verdict=timedelta(hours=read.number("verdict_hours", 1, 24 * 90)),
        staging=read.text("staging", _PREFIX),
        attached=read.flag("attached"),
    )
    read.check_done()
    return rules


class _Reader:
    """Reads the fields of a section, each exactly once."""

    def __init__(self, name: str, found: Mapping[str, Any], source: str) -> None:
        self.name, self.left, self.source = name, dict(found), source

    def flag(self, field: str) -> bool:
        value = self._take(field)
        if not isinstance(value, bool):
            raise self._wrong(field, "true or false")
        return value

    def number(self, field: str, least: int, most: int) -> int:
        value = self._take(field)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(field, f"a number from {least} to {most}")
        return value

    def text(self, field: str, pattern: re.Pattern[str]) -> str:
        value = self._take(field)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._wrong(field, "a word of its form")
        return value

    def words(self, field: str, pattern: re.Pattern[str]) -> list[str]:
        value = self._take(field)
        if not isinstance(value, list) or len(value) > 256 or len(set(map(str, value))) != len(value):
            raise self._wrong(field, "a list, each word once")
        if not all(isinstance(one, str) and pattern.fullmatch(one) for one in value):
            raise self._wrong(field, "a list of words of its form")
        return value

    def check_done(self) -> None:
        if self.left:
            raise MalformedInput(f"{self.name} has no field {min(map(str, self.left))[:40]!r}", source=self.source)

    def _take(self, field: str) -> Any:
        if field not in self.left:
            raise MalformedInput(
                f"{self.name}.{field} is missing: a file of your own holds everything", source=self.source
            )
        return self.left.pop(field)

    def _wrong(self, field: str, what: str) -> MalformedInput:
        return MalformedInput(f"{self.name}.{field} is {what}", source=self.source)


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address; raise `MalformedInput` where it has none of these, or more."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise MalformedInput(f"{url[:80]!r} is not an address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise MalformedInput(f"{url[:80]!r} is not the address of a server: http or https, a host, nobody's name")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port or {'http': 80, 'https': 443}[parts.scheme]}"


Files = Callable[[Tenant], GateFile]
