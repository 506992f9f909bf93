"""The OSCAL catalogue: provisions of the acts in one group each, and our controls, which link to the provisions."""

from collections.abc import Mapping
from datetime import date
from itertools import groupby

from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json
from ringfence.exports.parts import control_id, document, line, objective_id, prop, props, statement_id
from ringfence.kernel.statement import Strength
from ringfence.obligations import domains
from ringfence.obligations.model import Catalog, Control, Obligation, Requirement

REMARKS = (
    "Obligations are paraphrases for implementation, neither legal text nor advice. source: V = the text of the "
    "article was read in a stored copy; S = secondary pages only; FKV = from knowledge, to be verified. Which of them "
    "bind whom is in the profile, not here."
)
UNSTATED = "The stored legal data name this provision and say nothing else about it."


def catalog(facts: Facts) -> Json:
    """Return the catalogue that the rules of a board are made of."""
    known = facts.catalog
    acts = groupby(known.obligations.values(), key=lambda one: one.id.partition("-")[0])
    grouped = groupby(known.controls, key=lambda one: one.domain)
    body = {
        "groups": [
            *(_act(slug, tuple(members)) for slug, members in acts),
            *(_domain(title, tuple(members), known) for title, members in grouped),
        ]
    }
    return document(Kind.CATALOG, facts, "Ringfence: obligations and controls", body, REMARKS)


def method_of(strength: Strength) -> str:
    """Return OSCAL's word for how evidence of a strength comes about: what a person states is examined, not tested."""
    return "TEST" if strength >= Strength.OBSERVED else "EXAMINE"


def _act(slug: str, members: tuple[Obligation, ...]) -> Json:
    controls = [_obligation(one) for one in members]
    return {"id": f"act-{slug}", "class": "act", "title": line(members[0].act), "controls": controls}


def _obligation(one: Obligation) -> Json:
    return {
        "id": one.id,
        "class": one.kind,
        "title": line(f"{one.act} {one.provision}"),
        "props": [
            *props(act=one.act, provision=one.provision, addressee=one.who.value, source=one.source),
            prop("verified-on", one.verified_on.isoformat()),
            *_dates(one),
        ],
        "parts": [{"id": statement_id(one.id), "name": "statement", "prose": one.paraphrase or UNSTATED}],
    }


def _dates(one: Obligation) -> list[Json]:
    match one.applies_from:
        case date() as start:
            return props(applies_from=start.isoformat())
        case Mapping() as starts:
            return [prop("applies-from", f"{kind}: {start.isoformat()}") for kind, start in starts.items()]
        case "national":
            return props(applies_from="national")
        case _:
            return []


def _domain(title: str, members: tuple[Control, ...], known: Catalog) -> Json:
    return {
        "id": f"domain-{domains.of(members[0].id).lower()}",
        "class": "domain",
        "title": title,
        "controls": [_control(one, known) for one in members],
    }


def _control(one: Control, known: Catalog) -> Json:
    crosswalk = [prop(f"maps-{name}", code) for name, codes in one.maps.items() for code in codes]
    return {
        "id": control_id(one.id),
        "class": "control",
        "title": line(one.title),
        "props": [
            *props(label=one.id, tier=one.tier, freshness_days=one.freshness_days, period_basis=one.period_basis),
            *props(trigger=one.trigger),
            *crosswalk,
        ],
        "links": [{"href": f"#{name}", "rel": "obligation"} for name in one.obligations],
        "parts": [
            {"id": statement_id(one.id), "name": "statement", "prose": one.requirement},
            {"name": "guidance", "title": "Does not prove", "prose": "\n\n".join(one.does_not_prove)},
            *(_objective(rule) for rule in known.of(one.id)),
        ],
    }


def _objective(rule: Requirement) -> Json:
    return {
        "id": objective_id(rule.id),
        "name": "assessment-objective",
        "props": [
            *props(evidence=rule.evidence, strength=rule.strength.text, method=method_of(rule.strength)),
            *props(freshness_days=rule.freshness.days if rule.freshness else None, basis=rule.freshness_basis),
            *(prop("issuer", role.value) for role in sorted(rule.issuers)),
        ],
        "prose": rule.asks,
        "parts": [{"name": "item", "prose": f"Fails where {one.because}."} for one in rule.conditions],
    }
