"""The crosswalk as an OSCAL mapping collection: our controls beside the codes of other frameworks; no equivalence.

That a control and a code overlap is our reading. Titles and texts of those frameworks are not ours and not here.
"""

from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json
from ringfence.exports.parts import control_id, document, identify, line, props
from ringfence.obligations.frameworks import crosswalk
from ringfence.obligations.frameworks.crosswalk import Framework

RELATIONSHIP = "intersects-with"  # the weakest that OSCAL has: they share something, and neither holds the other
RATIONALE = "semantic"
REMARKS = (
    "Each entry says that a control of ours and a code treat some of the same. None says that meeting one meets the "
    "other. The reading is this project's own; no publisher of a framework has seen it."
)


def mapping(facts: Facts) -> Json:
    """Return the mapping collection of the catalogue; the controls are those of the catalogue beside it."""
    found = [one for one in crosswalk.load().values() if any(one.id in c.maps for c in facts.catalog.controls)]
    body: Json = {
        "provenance": {
            "method": "human",
            "matching-rationale": RATIONALE,
            "status": "draft",
            "mapping-description": REMARKS,
        },
        "mappings": [_mapping(one, facts) for one in found],
        "back-matter": {"resources": [_resource(one) for one in found]},
    }
    return document(Kind.MAPPING, facts, "Controls beside the codes of other frameworks", body, REMARKS)


def _mapping(framework: Framework, facts: Facts) -> Json:
    listed = [(one.id, one.maps[framework.id]) for one in facts.catalog.controls if one.maps.get(framework.id)]
    return {
        "uuid": identify("mapping", framework.id),
        "source-resource": {"type": "catalog", "href": Kind.CATALOG.file},
        "target-resource": {"type": "catalog", "href": f"#{_uuid(framework)}"},
        "maps": [
            {
                "uuid": identify("map", framework.id, name),
                "relationship": RELATIONSHIP,
                "sources": [{"type": "control", "id-ref": control_id(name)}],
                "targets": [{"type": "control", "id-ref": code} for code in codes],
            }
            for name, codes in listed
        ],
    }


def _uuid(framework: Framework) -> str:
    return identify("framework", framework.id, framework.edition)


def _resource(framework: Framework) -> Json:
    return {
        "uuid": _uuid(framework),
        "title": line(framework.title),
        "props": props(framework=framework.id, edition=framework.edition, status=framework.status),
        "citation": {"text": line(framework.title)},
        "remarks": framework.note,
    }
