"""The OSCAL assessment plan: what the results were computed for, so that their reference to it does not dangle."""

from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json
from ringfence.exports.parts import document, selected

REMARKS = (
    "The plan follows from the rules: each objective names its evidence type, who may state it, and how long it stays "
    "fresh. No person chose what was looked at."
)


def plan(facts: Facts) -> Json:
    """Return the assessment plan of a board."""
    body: Json = {
        "import-ssp": {"href": Kind.SYSTEM.file},
        "reviewed-controls": selected(facts),
        "assessment-subjects": [{"type": "component", "include-all": {}}],
    }
    return document(Kind.PLAN, facts, f"Assessment of {facts.board.tenant} from signed statements", body, REMARKS)
