"""The OSCAL profile: which obligations bind this tenant, or may, and the controls of which something is asked."""

from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json
from ringfence.exports.parts import control_id, document
from ringfence.obligations.results import Standing

REMARKS = (
    "Selected are the obligations that bind the tenant by its signed scope, and those that the scope leaves open, for "
    "they may bind; and every control that serves one of them. Left out: {counts}. The statement of applicability "
    "gives the reason for each."
)


def profile(facts: Facts) -> Json:
    """Return the profile of a board."""
    ids = [one.id for one in facts.binding] + [control_id(result.control.id) for result in facts.assessed]
    chosen = {"href": Kind.CATALOG.file, "include-controls": [{"with-ids": ids}]}
    title = f"What applies to {facts.board.tenant}"
    body: Json = {"imports": [chosen], "merge": {"as-is": True}}
    return document(Kind.PROFILE, facts, title, body, REMARKS.format(counts=_left_out(facts)))


def _left_out(facts: Facts) -> str:
    chosen = {one.id for one in facts.binding}
    words = {
        Standing.UPCOMING: "not binding yet",
        Standing.NOT_OURS: "not addressed to it",
        Standing.BASIS: "definitions and rules of scope",
        Standing.UNDETERMINED: "open and not binding yet",
    }
    out = [duty for duty in facts.board.duties if duty.obligation.id not in chosen]
    return ", ".join(f"{sum(d.standing is s for d in out)} {word}" for s, word in words.items())
