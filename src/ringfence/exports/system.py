"""The OSCAL system security plan and the component definition: no more than what statements or rules say.

OSCAL asks for facts about a system that nobody signed, such as its boundary in words; there the document says so.
"""

from collections.abc import Iterable

from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json
from ringfence.exports.parts import component_uuid, control_id, document, identify, line, moment, prop, props
from ringfence.kernel.statement import KeyRole
from ringfence.obligations.duties import ENTITY
from ringfence.obligations.model import Catalog, Control, Requirement
from ringfence.obligations.results import ControlResult, State

UNSAID = "Nothing that was signed says so."
_OF_SYSTEM = (
    "What OSCAL asks for and no signed statement says is marked as such; nothing was made up. Data flow and network "
    "are left out. The state of each control is the computed one; that a control is satisfied means that the signed "
    "evidence its rules ask for is there, and no more."
)
_OF_COMPONENTS = (
    "What the product states itself, rule by rule, where it runs; whether it does so for a tenant is in the assessment "
    "results. Of a compute provider nothing is claimed."
)


def components(facts: Facts) -> Json:
    """Return the component definition: what the product can state itself; of a provider, nothing."""
    own = [_stated(control, rules) for control, rules in _by_product(facts.catalog)]
    implemented = {
        "uuid": identify("definition", "ringfence", "implementation"),
        "source": Kind.CATALOG.file,
        "description": "Controls of which the product states evidence itself, by a collector or as it acts.",
        "implemented-requirements": own,
    }
    listed: list[Json] = [
        {
            "uuid": identify("definition", "ringfence"),
            "type": "software",
            "title": "Ringfence",
            "description": "Runs workloads, seals data, watches, cuts off, and states each act in a signed log.",
            "control-implementations": [implemented],
        },
        {
            "uuid": identify("definition", "provider"),
            "type": "service",
            "title": "Provider of compute",
            "description": f"Whoever runs the machines below the nodes. {UNSAID}",
            "remarks": "What is known of a provider is evidence of SUP controls, stated by people.",
        },
    ]
    return document(Kind.COMPONENTS, facts, "Ringfence as a component", {"components": listed}, _OF_COMPONENTS)


def _by_product(known: Catalog) -> Iterable[tuple[Control, tuple[Requirement, ...]]]:
    for control in known.controls:
        rules = tuple(rule for rule in known.of(control.id) if rule.issuers != {KeyRole.OPERATOR})
        if rules:
            yield control, rules


def _stated(control: Control, rules: tuple[Requirement, ...]) -> Json:
    asked = "; ".join(f"{rule.evidence}: {rule.asks}" for rule in rules)
    return {
        "uuid": identify("definition", "ringfence", control.id),
        "control-id": control_id(control.id),
        "description": f"States {asked}.",
        "props": [prop("evidence", rule.evidence) for rule in rules],
        "remarks": "\n\n".join(("Does not prove:", *control.does_not_prove)),
    }


def system(facts: Facts) -> Json:
    """Return the system security plan of a board."""
    tenant = facts.board.tenant
    body: Json = {
        "import-profile": {"href": Kind.PROFILE.file},
        "system-characteristics": _characteristics(facts),
        "system-implementation": {"components": [_this(facts), _product(facts)]},
        "control-implementation": {
            "description": "Controls of which something is asked now, each with its computed state.",
            "implemented-requirements": [_implemented(result, facts) for result in facts.assessed],
        },
    }
    return document(Kind.SYSTEM, facts, f"What {tenant} runs under Ringfence", body, _OF_SYSTEM)


def _characteristics(facts: Facts) -> Json:
    tenant, claims = facts.board.tenant, _scope(facts)
    personal = {
        True: "Personal data are processed, by the signed scope.",
        False: "No personal data, by the signed scope.",
    }
    said = claims.get("personalData")
    return {
        "system-ids": [{"identifier-type": f"urn:ringfence:log:{facts.log}", "id": tenant}],
        "system-name": tenant,
        "description": f"Everything of which the log {facts.log} holds statements of tenant {tenant}.",
        "props": [
            *props(scope=str(claims.get("category", "not signed")), size_class=str(claims.get("sizeClass", ""))),
            *props(jurisdiction=str(claims.get("jurisdiction", ""))),
        ],
        "system-information": {
            "information-types": [
                {
                    "uuid": identify("information", tenant),
                    "title": "All information",
                    "description": personal[said] if isinstance(said, bool) else UNSAID,
                }
            ]
        },
        "status": {"state": "other", "remarks": UNSAID},
        "authorization-boundary": {"description": f"{UNSAID} asset.inventory statements name what was counted."},
    }


def _scope(facts: Facts) -> Json:
    """Return the claims of the scope that counts; none where none does."""
    found = [part for result in facts.board.controls for part in result.requirements if part.requirement.id == ENTITY]
    rests = [support.entry for part in found for support in part.rests_on]
    return dict(facts.statements[rests[-1]].envelope.statement.claims) if rests else {}


def _this(facts: Facts) -> Json:
    return {
        "uuid": component_uuid(facts, "this-system"),
        "type": "this-system",
        "title": line(facts.board.tenant),
        "description": "The system as a whole, and the people who sign for it.",
        "status": {"state": "other", "remarks": UNSAID},
    }


def _product(facts: Facts) -> Json:
    return {
        "uuid": component_uuid(facts, "ringfence"),
        "type": "software",
        "title": "Ringfence",
        "description": f"The installation that runs the log {facts.log}.",
        "status": {"state": "operational"},
    }


def _implemented(result: ControlResult, facts: Facts) -> Json:
    control, verdict = result.control, result.verdict
    people = all(part.requirement.issuers == {KeyRole.OPERATOR} for part in result.requirements)
    by: Json = {
        "component-uuid": component_uuid(facts, "this-system" if people else "ringfence"),
        "uuid": identify("by-component", facts.board.tenant, control.id),
        "description": verdict.because,
        **_status(result),
    }
    return {
        "uuid": identify("implemented", facts.board.tenant, control.id),
        "control-id": control_id(control.id),
        "props": props(state=verdict.state.value, next_change=moment(verdict.next_change)),
        "by-components": [by],
    }


def _status(result: ControlResult) -> Json:
    """Return the implementation status; none where no evidence counts, since that says nothing about what is there."""
    met = [part.verdict.state is State.SATISFIED for part in result.requirements]
    if result.verdict.state is State.SATISFIED:
        return {"implementation-status": {"state": "implemented", "remarks": "By the signed evidence."}}
    if any(met):
        remarks = f"Signed evidence meets {sum(met)} of {len(met)} rules."
        return {"implementation-status": {"state": "partial", "remarks": remarks}}
    return {}
