"""Incidents over HTTP: read them, post what people signed about them, ask for a draft."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import PostedStatement, require
from ringfence.incidents import acts, views
from ringfence.incidents.model import incident_id
from ringfence.incidents.service import Incidents
from ringfence.kernel.actor import Person
from ringfence.kernel.identifier import PredicateName

Reader = Annotated[Person, Depends(require("incident.read"))]
Decider = Annotated[Person, Depends(require("incident.decide"))]


def router(service: Incidents) -> APIRouter:
    """Return the routes of incidents."""
    routes = APIRouter(tags=["incidents"], prefix="/incidents")

    @routes.get("")
    def listed(caller: Reader) -> dict[str, Any]:
        """List the newest incidents."""
        return {"incidents": [views.summary(shown) for shown in service.all(caller.tenant)]}

    @routes.post("", status_code=201)
    def declared(body: PostedStatement, caller: Decider) -> dict[str, Any]:
        """Open an incident by hand."""
        name, done = service.declare(caller, *body.parsed())
        return views.room(service, caller.tenant, name) | {"statement": done.to_json()}

    @routes.get("/{incident}")
    def shown(incident: str, caller: Reader) -> dict[str, Any]:
        """Show one incident: clocks, criteria, timeline, draft."""
        return views.room(service, caller.tenant, incident_id(incident))

    @routes.post("/{incident}/drafts", status_code=201)
    def drafted(incident: str, caller: Decider) -> dict[str, Any]:
        """Make the draft of the early warning, and record that it was made."""
        made, done = service.drafted(caller.tenant, incident_id(incident))
        return {"draft": made, "statement": done.to_json()}

    _signed(routes, service)
    return routes


def _signed(routes: APIRouter, service: Incidents) -> None:
    def act(incident: str, predicate: PredicateName, body: PostedStatement, caller: Person) -> dict[str, Any]:
        name = incident_id(incident)
        done = service.act(caller, name, predicate, *body.parsed())
        return views.room(service, caller.tenant, name) | {"statement": done.to_json()}

    @routes.post("/{incident}/triage", status_code=201)
    def triaged(incident: str, body: PostedStatement, caller: Decider) -> dict[str, Any]:
        """Take a signed decision on significance."""
        return act(incident, acts.TRIAGE, body, caller)

    @routes.post("/{incident}/corrections", status_code=201)
    def corrected(incident: str, body: PostedStatement, caller: Decider) -> dict[str, Any]:
        """Take a signed correction; the old value stays."""
        return act(incident, acts.CORRECTED, body, caller)

    @routes.post("/{incident}/reports", status_code=201)
    def reported(incident: str, body: PostedStatement, caller: Decider) -> dict[str, Any]:
        """Record that a person filed a report, with its acknowledgement."""
        return act(incident, acts.REPORT, body, caller)

    @routes.post("/{incident}/notices", status_code=201)
    def noticed(incident: str, body: PostedStatement, caller: Decider) -> dict[str, Any]:
        """Record that a person told a customer."""
        return act(incident, acts.NOTICE, body, caller)

    @routes.post("/{incident}/breach-notices", status_code=201)
    def breach_noticed(incident: str, body: PostedStatement, caller: Decider) -> dict[str, Any]:
        """Record that a person told a customer of the breach of its personal data."""
        return act(incident, acts.BREACH_NOTICE, body, caller)

    @routes.post("/{incident}/closing", status_code=201)
    def closed(incident: str, body: PostedStatement, caller: Decider) -> dict[str, Any]:
        """Take a signed word that the incident is handled."""
        return act(incident, acts.CLOSED, body, caller)
