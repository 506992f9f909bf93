"""Retention over HTTP: what is kept and until when; hold, release, erase, sweep. No route sets a period."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ringfence.frontends.http import require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, to_text
from ringfence.kernel.identifier import Tenant, person_id
from ringfence.retention import shown
from ringfence.retention.erasing import LONGEST_REASON, Asked
from ringfence.retention.model import Scope, hold_id
from ringfence.retention.service import Retention

_BACKUPS = "Copies in backups, in exported packs and in memory of whoever read them are out of reach."


class NewHold(BaseModel):
    """What is to be kept until somebody releases it."""

    model_config = ConfigDict(extra="forbid")
    person: str = Field(default="", max_length=32)
    incident: str = Field(default="", max_length=16)
    family: str = Field(default="", max_length=128, pattern=r"^([a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*)?$")
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    because: str = Field(min_length=1, max_length=LONGEST_REASON)

    def scope(self) -> Scope:
        """Return what it covers."""
        person = person_id(self.person) if self.person else ""
        return Scope(person, self.incident, self.family, self.start, self.end)


class Release(BaseModel):
    """End a hold."""

    model_config = ConfigDict(extra="forbid")
    because: str = Field(min_length=1, max_length=LONGEST_REASON)


class Erasure(BaseModel):
    """What is to be erased: one of statement, subject, person."""

    model_config = ConfigDict(extra="forbid")
    statement: str = Field(default="", max_length=80)
    subject: str = Field(default="", max_length=256)
    person: str = Field(default="", max_length=32)
    because: str = Field(default="", max_length=LONGEST_REASON)
    dry_run: bool = False

    def asked(self) -> Asked:
        """Return it in our own words."""
        return Asked(self.statement, self.subject, self.person, self.because)


class Sweep(BaseModel):
    """Take what is past its period."""

    model_config = ConfigDict(extra="forbid")


def overview(service: Retention, tenant: Tenant, at: datetime) -> dict[str, Any]:
    """Return everything about a tenant's retention."""
    last, schedule = service.last_sweep(tenant), service.schedule(tenant)
    return {
        "classes": [shown.kept(one, at) for one in service.overview(tenant)],
        "elsewhere": [shown.elsewhere(one) for one in schedule.elsewhere],
        "holds": [shown.hold(one) for one in service.holds(tenant)],
        "schedule": str(schedule.digest),
        "last_sweep": None if last is None else to_text(last),
    }


def router(service: Retention) -> APIRouter:
    """Return the routes of retention."""
    routes = APIRouter(tags=["retention"])
    clock: Clock = service.runner.clock

    @routes.get("/retention")
    def listed(caller: Annotated[Person, Depends(require("retention.read"))]) -> dict[str, Any]:
        """Say what is kept, why, until when, and what holds stand."""
        return overview(service, caller.tenant, clock.now())

    @routes.get("/retention/classes/{name}")
    def one(name: str, caller: Annotated[Person, Depends(require("retention.read"))]) -> dict[str, Any]:
        """Show one class."""
        return shown.kept(service.one(caller.tenant, name), clock.now())

    @routes.post("/retention/holds", status_code=201)
    def place(body: NewHold, caller: Annotated[Person, Depends(require("retention.hold"))]) -> dict[str, Any]:
        """Place a legal hold."""
        made, done = service.place(caller, body.scope(), body.because)
        return shown.hold(made) | {"statement": done.to_json()}

    @routes.post("/retention/holds/{hold}/release")
    def release(
        hold: str, body: Release, caller: Annotated[Person, Depends(require("retention.release"))]
    ) -> dict[str, Any]:
        """Release a legal hold."""
        return {"hold": hold, "statement": service.release(caller, hold_id(hold), body.because).to_json()}

    @routes.post("/retention/erasures", status_code=201)
    def erase(body: Erasure, caller: Annotated[Person, Depends(require("retention.erase"))]) -> dict[str, Any]:
        """Erase details and salts; with `dry_run` only say what would be erased."""
        if body.dry_run:
            return shown.plan(service.erasing.plan(caller.tenant, body.asked()))
        outcome, done = service.erasing.erase(caller, body.asked())
        return shown.outcome(outcome) | {"statement": done.to_json(), "not_erased": _BACKUPS}

    @routes.post("/retention/sweeps", status_code=201)
    def sweep(body: Sweep, caller: Annotated[Person, Depends(require("retention.sweep"))]) -> dict[str, Any]:
        """Take now what is past its period; `up` does so every hour."""
        del body
        done = service.sweeper.sweep(caller.tenant)
        return {"runs": [shown.outcome(each) | {"statement": stated.to_json()} for each, stated in done]}

    return routes
