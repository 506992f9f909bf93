"""Overrides over HTTP: what counts, what it changes, and the signature that sets a control aside."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.identifier import Tenant
from ringfence.obligations import overrides
from ringfence.obligations.choices import Aside
from ringfence.obligations.overriding.service import Overriding
from ringfence.obligations.results import ControlResult

Control = Annotated[str, Path(max_length=16)]
Reader = Annotated[Person, Depends(require("status.read"))]


def shown_aside(result: ControlResult, found: Aside) -> dict[str, Any]:
    """Return a control that a file says does not apply."""
    return {
        "control": result.control.id,
        "title": result.control.title,
        "counts": result.set_aside,
        "why_not": found.why_not,
        "reason": found.row.reason,
        "owner": found.row.owner,
        "expires": found.row.expires.isoformat(),
        "entry": found.entry,
    }


def document(overriding: Overriding, tenant: Tenant) -> dict[str, Any]:
    """Return everything about the overrides, as a tenant sees it."""
    known = overriding.catalog
    return {
        "rules": str(known.digest),
        "shipped": str(overriding.shipped.digest),
        "refused": overriding.refused or None,
        "files": [{"name": file.name, "digest": str(file.digest)} for file in known.overrides.files],
        "rows": [{"file": name, "about": about, "because": why} for name, about, why in overrides.reasons(known)],
        "changed": [change.to_json() for change in overriding.changes().changed],
        "set_aside": [shown_aside(*pair) for pair in overriding.asides(tenant)],
    }


def router(overriding: Overriding) -> APIRouter:
    """Return the routes of overrides."""
    routes = APIRouter(tags=["rules"])

    @routes.get("/overrides")
    def listed(caller: Reader) -> dict[str, Any]:
        """Say what this team's files change of the rules, and which controls they set aside."""
        return document(overriding, caller.tenant)

    @routes.post("/overrides/{control}/signature", status_code=201)
    def sign(
        control: Control, body: PostedStatement, caller: Annotated[Person, Depends(require("control.set-aside"))]
    ) -> dict[str, Any]:
        """Take the caller's signature that a control does not apply."""
        return {"control": control, "statement": overriding.take(caller, control, *body.parsed()).to_json()}

    return routes
