"""The frameworks that ship, each in one edition, and how a code of one leads to controls of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ringfence.kernel.errors import NotFound
from ringfence.obligations import reading
from ringfence.obligations.model import Catalog
from ringfence.obligations.provisions import ACTS
from ringfence.obligations.threats.register import Threat
from ringfence.obligations.threats.register import load as threats

# The key of a threat under which it names codes of a framework.
_OF_THREATS = {
    "atlas": "atlas",
    "owasp_llm_2025": "owasp_2025",
    "owasp_llm_2026": "owasp_2026",
    "owasp_asi_2026": "asi",
    "owasp_ml_2023": "ml",
}
_PREFIX = "act-"


@dataclass(frozen=True, slots=True)
class Framework:
    """A list of codes that somebody published, or the provisions of an act that ask something."""

    id: str
    name: str
    edition: str
    status: str
    source: str
    verified_on: str
    note: str
    codes: Mapping[str, str]  # with a short title where the list may be repeated; else without
    stages: Mapping[str, str]  # our stage of each code, for a life cycle
    act: bool = False

    @property
    def title(self) -> str:
        """Return its name with its edition, once."""
        return self.name if self.edition in self.name else f"{self.name} {self.edition}"


@dataclass(frozen=True, slots=True)
class Path:
    """How one code leads to controls: by our mapping of them, or through threats of our list."""

    controls: tuple[str, ...]
    threats: tuple[str, ...] = ()


@cache
def load() -> Mapping[str, Framework]:
    """Read the file of the package, once."""
    return {one["id"]: _framework(one) for one in reading.shipped("crosswalk.yaml").value["frameworks"]}


def acts(catalog: Catalog) -> Mapping[str, Framework]:
    """Return the acts of the catalogue as frameworks, so that one can be held against another list."""
    found = {}
    for act in ACTS:
        duties = [one for one in catalog.obligations.values() if one.act == act and one.kind == "duty"]
        codes = {one.id: one.provision for one in duties}
        verified = max((one.verified_on.isoformat() for one in duties), default="")
        name = _PREFIX + act.lower().replace(" ", "-").replace("/", "-")
        note = "The provisions of our catalogue that ask something; a paraphrase of each is under Obligations."
        found[name] = Framework(name, act, "", "published", "", verified, note, codes, {}, act=True)
    return found


def one(name: str, catalog: Catalog) -> Framework:
    """Return a framework or an act; raise `NotFound` with those that there are."""
    known = {**load(), **acts(catalog)}
    if name in known:
        return known[name]
    raise NotFound(f"there is no framework {name[:40]!r}; there are {', '.join(known)}")


def paths(framework: Framework, catalog: Catalog) -> Mapping[str, Path]:
    """Return how each code of a framework leads to controls; a code to which nothing leads is not in it."""
    key = _OF_THREATS.get(framework.id)
    if key is not None:
        return _through(framework, lambda threat, code: _names(threat.codes[key], code))
    if framework.stages:
        return _through(framework, lambda threat, code: framework.stages[code] in threat.stages)
    found: dict[str, list[str]] = {}
    for control in catalog.controls:
        for code in control.obligations if framework.act else control.maps.get(framework.id, ()):
            found.setdefault(code, []).append(control.id)
    return {code: Path(tuple(found[code])) for code in framework.codes if code in found}


def _names(named: tuple[str, ...], code: str) -> bool:
    """Tell whether a threat names a technique, or a part of it."""
    return any(name == code or name.startswith(f"{code}.") for name in named)


def _through(framework: Framework, names: Callable[[Threat, str], bool]) -> dict[str, Path]:
    found = {}
    for code in framework.codes:
        chosen = [threat for threat in threats().threats if names(threat, code)]
        controls = dict.fromkeys(control for threat in chosen for control in threat.controls)
        if chosen:
            found[code] = Path(tuple(controls), tuple(threat.id for threat in chosen))
    return found


def _framework(value: Any) -> Framework:
    codes = value["titles"] if "titles" in value else dict.fromkeys(value["codes"], "")
    texts = {name: value[name] for name in ("id", "name", "edition", "status", "source", "verified_on", "note")}
    return Framework(**texts, codes=codes, stages=value.get("stages", {}))
