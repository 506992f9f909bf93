"""Forms and the register of evidence over HTTP: which types there are, their questions, and what people signed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.model import Known
from ringfence.obligations.forms.service import EvidenceType, Forms

Reader = Annotated[Person, Depends(require("status.read"))]
Name = Annotated[str, Path(max_length=80)]


def shown(kind: EvidenceType) -> dict[str, Any]:
    """Return what front ends show of an evidence type."""
    last = kind.last
    return {
        "type": kind.producer.type,
        "way": kind.producer.way.value,
        "command": kind.producer.command,
        "title": kind.title,
        "controls": sorted({rule.control for rule in kind.asked_by}),
        "last": None
        if last is None
        else {
            "entry": last.entry,
            "recorded_at": to_text(last.recorded_at),
            "subject": last.envelope.statement.subjects[0].name,
            "strength": last.envelope.statement.issuance.strength.text,
        },
        "fresh_until": to_text(kind.fresh_until) if kind.fresh_until else None,
    }


def known(one: Known) -> dict[str, Any]:
    """Return something that a form can be about."""
    return {"name": one.name, "digest": str(one.digest), "entry": one.entry}


def router(forms: Forms) -> APIRouter:
    """Return the routes of forms."""
    routes = APIRouter(tags=["records"])

    @routes.get("/records")
    def listed(caller: Reader) -> dict[str, Any]:
        """List every evidence type: who states it, which controls ask for it, what there is of it."""
        return {"types": [shown(kind) for kind in forms.kinds(caller.tenant)]}

    @routes.get("/forms/{form}")
    def one(form: Name, caller: Reader) -> dict[str, Any]:
        """Return the questions of a form, and what it can be about."""
        found = shelf.form(form)
        about = [known(one) for one in forms.known(caller.tenant, found)]
        counted = dict(forms.counted(caller.tenant, found))
        return {"type": found.type, "form": found.schema, "about": about, "counted": counted}

    @routes.post("/forms/{form}", status_code=201)
    def stated(
        form: Name, body: PostedStatement, caller: Annotated[Person, Depends(require("record.form"))]
    ) -> dict[str, Any]:
        """Take a filled form that the caller signed."""
        return {"type": form, "statement": forms.take(caller, form, *body.parsed()).to_json()}

    return routes
