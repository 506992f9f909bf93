"""Which view of the status a command asks for: an address of the API, and how its answer reads in a terminal. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.kernel.errors import UsageError
from ringfence.obligations import domains, lines
from ringfence.obligations.frameworks import lines as of_frameworks
from ringfence.obligations.standings import lines as of_standings
from ringfence.obligations.threats import lines as of_threats

Document = dict[str, Any]
Lines = Callable[[Document], Iterator[str]]
_API = "/api/v1"


@dataclass(frozen=True, slots=True)
class View:
    """What is asked of the API, and how it is shown."""

    path: str
    lines: Lines
    query: Mapping[str, Any] = field(default_factory=dict)
    domain: str = ""

    def narrowed(self, document: Document) -> Document:
        """Return the document with the controls of the domain alone, where one is asked for."""
        if self.domain:
            document["controls"] = [one for one in document["controls"] if domains.of(one["id"]) == self.domain]
        return document


def view(
    flags: Mapping[str, bool],
    named: Mapping[str, str | None],
    options: Mapping[str, str | None],
    *,
    every: bool = False,
    missing: bool = False,
) -> View:
    """Return the one view that is asked for.

    Raises:
        UsageError: two are asked for, or an option belongs to another one.
    """
    chosen = [name for name, wanted in flags.items() if wanted] + [name for name, value in named.items() if value]
    if len(chosen) > 1:
        raise UsageError(f"name one view: {' or '.join(f'--{name}' for name in chosen)}")
    if (missing or options["against"]) and chosen != ["framework"]:
        raise UsageError("--missing and --against say more about --framework ID")
    if every and chosen:
        raise UsageError(f"--all lists every control; it says nothing about --{chosen[0]}")
    which = chosen[0] if chosen else "all" if every else ""
    if which in ("approvals", "proof") and options["as_of"]:
        raise UsageError(f"--{which} shows what is so now, and takes no --as-of")
    return _view(which, named, {"as_of": options["as_of"]}, options, missing=missing)


def _view(
    which: str,
    named: Mapping[str, str | None],
    when: Mapping[str, Any],
    options: Mapping[str, str | None],
    *,
    missing: bool,
) -> View:
    match which:
        case "control":
            return View(f"{_API}/status", lines.chain, {**when, "control": named["control"]})
        case "domain":
            domain = str(named["domain"]).upper()
            domains.named(domain)
            return View(f"{_API}/status", _every, when, domain)
        case "obligations" | "provision":
            return _provisions(named["provision"], when, options)
        case "frameworks" | "framework":
            return _frameworks(named["framework"], when, options["against"], missing=missing)
        case "threats":
            return View(f"{_API}/threats", of_threats.board, when)
        case "approvals":
            return View(f"{_API}/approvals", lines.approvals)
        case "proof":
            return View(f"{_API}/proof", lines.proof)
        case _:
            return View(f"{_API}/status", _every if which == "all" else lines.summary, when)


def _every(document: Document) -> Iterator[str]:
    return lines.summary(document, every=True)


def _provisions(provision: str | None, when: Mapping[str, Any], options: Mapping[str, str | None]) -> View:
    if provision:
        return View(f"{_API}/obligations/{provision}", of_standings.single, when)
    asked = {name: options[name] for name in ("act", "standing")}
    brief = not any(asked.values())
    return View(f"{_API}/obligations", of_standings.counts if brief else of_standings.listed, {**when, **asked})


def _frameworks(framework: str | None, when: Mapping[str, Any], against: str | None, *, missing: bool) -> View:
    if not framework:
        return View(f"{_API}/frameworks", of_frameworks.overview, when)
    asked = {**when, "missing": missing or None, "against": against}
    return View(f"{_API}/frameworks/{framework}", of_frameworks.coverage, asked)
