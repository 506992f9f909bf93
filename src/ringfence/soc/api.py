"""Findings over HTTP: list and read them, hand in lines, see and change what is done about them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.soc import policy, shown
from ringfence.soc.detection import shipped
from ringfence.soc.ingest import Ingest
from ringfence.soc.service import Watch

MAX_LINES = 4 * 2**20  # characters of one request; longer logs are read by `ringfence events ingest`
MAX_RECORDED = 200  # findings of one request

Reader = Annotated[Person, Depends(require("finding.read"))]


class Lines(BaseModel):
    """Log lines that somebody hands in; whoever does so speaks for them."""

    model_config = ConfigDict(extra="forbid")
    source: Literal["sshd", "flow", "gateway"]
    lines: str = Field(max_length=MAX_LINES)
    node: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$")
    year: int | None = Field(default=None, ge=1970, le=9998)


class Settled(BaseModel):
    """What a person did about something that waited for one."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=500, pattern=r"\S")


class Settings(BaseModel):
    """The settings of the response, changed from `version`."""

    model_config = ConfigDict(extra="forbid")
    version: int = Field(ge=0, le=2**31)
    settings: dict[str, Any]


def router(watch: Watch, *, clock: Clock) -> APIRouter:
    """Return the routes of findings."""
    routes = APIRouter(tags=["findings"])

    @routes.get("/findings")
    def findings(
        caller: Reader,
        rule: Annotated[str, Query(max_length=64)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """List findings, the one seen last first."""
        found = watch.page(caller.tenant, limit=limit, rule=rule)
        total = watch.findings.count(caller.tenant, rule=rule)
        return {"total": total, "findings": [shown.to_json(raised, rulings) for raised, rulings in found]}

    @routes.get("/findings/{reference}")
    def finding(reference: str, caller: Reader) -> dict[str, Any]:
        """Return one finding, what was done about it, and its alerts."""
        raised, rulings, alerts = watch.one(caller.tenant, reference)
        return shown.to_json(raised, rulings) | {"alerts": [shown.alert_json(*one) for one in alerts]}

    @routes.post("/findings/{reference}/settle", status_code=201)
    def settle(
        reference: str, body: Settled, caller: Annotated[Person, Depends(require("finding.settle"))]
    ) -> dict[str, Any]:
        """Say what was done about a finding that waits for a person, or about its alerts that were given up."""
        done = watch.settle(caller, reference, body.reason.strip())
        return {"finding": reference, "statement": done.to_json()}

    @routes.post("/events", status_code=201)
    def ingest(body: Lines, caller: Annotated[Person, Depends(require("event.ingest"))]) -> dict[str, Any]:
        """Read lines and record what is found in them, as declared; nobody is cut off for it."""
        now = clock.now()
        run = Ingest(shipped.rules(), body.source, body.node or None, body.year or now.year, now)
        summary = run.run([body.lines.encode("utf-8", "surrogatepass")])
        kept = [watch.declare(caller.tenant, found) for found in summary.findings[:MAX_RECORDED]]
        return summary.document() | {"recorded": [raised.reference for raised in kept]}

    _settings(routes, watch, clock)
    return routes


def _settings(routes: APIRouter, watch: Watch, clock: Clock) -> None:
    @routes.get("/playbook")
    def playbook(caller: Reader) -> dict[str, Any]:
        """Say what is done about findings."""
        version, settings = watch.settings(caller.tenant)
        return shown.settings_json(version, settings, watch.playbook)

    @routes.put("/playbook")
    def change(body: Settings, caller: Annotated[Person, Depends(require("playbook.change"))]) -> dict[str, Any]:
        """Replace the settings; the change is stated and alerted."""
        wanted = policy.parse(body.settings, at=clock.now(), source="settings")
        done = watch.change(caller, body.version, wanted)
        version, settings = watch.settings(caller.tenant)
        document = shown.settings_json(version, settings, watch.playbook)
        return document | {"statement": done.to_json() if done else None}
