"""Anchors over HTTP: heads with what others said about them, and who is asked."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import posted_bytes, require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.ledger.anchoring.configuring import Configuring
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness
from ringfence.ledger.anchoring.service import Anchoring
from ringfence.ledger.anchors import timestamp
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.ledger.model import AnchoredHead, Cosigned, Stamped

Reader = Annotated[Person, Depends(require("ledger.read"))]
Anchorer = Annotated[Person, Depends(require("ledger.export"))]
Governor = Annotated[Person, Depends(require("ledger.anchor"))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewWitness(_Body):
    """A witness that is to cosign from now on."""

    url: str = Field(max_length=512)
    vkeys: list[str] = Field(min_length=1, max_length=4)
    party: str = Field(max_length=64)


class Named(_Body):
    """A witness that is to be asked no more."""

    name: str = Field(max_length=255)


class Quorum(_Body):
    """How many other parties have to cosign."""

    quorum: int = Field(ge=0, le=64)


class NewAuthority(_Body):
    """An authority that is to stamp from now on."""

    url: str = Field(max_length=512)
    certificate: str = Field(max_length=2 * timestamp.MAX_CERTIFICATE)
    party: str = Field(max_length=64)
    policy: str = Field(default="", max_length=128)


class Certified(_Body):
    """An authority that is to be asked no more, by the beginning of its certificate's digest."""

    certificate: str = Field(max_length=64)


class Wanted(_Body):
    """Whom to ask now."""

    witnesses: bool = True
    timestamps: bool = False


def router(anchoring: Anchoring, configuring: Configuring) -> APIRouter:
    """Return the routes of anchors."""
    routes = APIRouter(tags=["ledger"])

    @routes.get("/heads")
    def heads(caller: Reader, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:  # noqa: ARG001
        """List heads, newest first, with who cosigned and stamped each."""
        found, until = anchoring.heads(limit=limit), anchoring.until()
        return {
            "anchored_outside_until": to_text(until) if until else None,
            "quorum": anchoring.rows.quorum(),
            "heads": [shown(head) for head in found],
        }

    @routes.post("/ledger/anchor")
    def anchor(body: Wanted, caller: Anchorer) -> dict[str, Any]:  # noqa: ARG001
        """Ask everybody about the newest head now."""
        head = anchoring.collect(witnesses=body.witnesses, timestamps=body.timestamps)
        asked: list[AskedWitness | AskedAuthority] = []
        asked += anchoring.rows.witnesses() if body.witnesses else []
        asked += anchoring.rows.authorities() if body.timestamps else []
        troubles = [each.progress.trouble for each in asked if each.active and each.progress.trouble]
        tokens = [base64.b64encode(token).decode() for token in head.anchors.timestamps]
        return shown(head) | {"note": head.head.note, "timestamps": tokens, "troubles": troubles}

    @routes.get("/ledger/statements/{entry}/stage")
    def stage(
        entry: Annotated[int, Path(ge=0, lt=MAX_ENTRY)], caller: Annotated[Person, Depends(require("evidence.read"))]
    ) -> dict[str, Any]:
        """Return how far one of the tenant's statements has come: published, or witnessed."""
        return {"statement": anchoring.stage(caller.tenant, entry).to_json()}

    _witnesses(routes, anchoring, configuring)
    _authorities(routes, anchoring, configuring)
    return routes


def _witnesses(routes: APIRouter, anchoring: Anchoring, configuring: Configuring) -> None:
    @routes.get("/ledger/witnesses")
    def witnesses(caller: Reader) -> dict[str, Any]:  # noqa: ARG001
        """List who is asked to cosign."""
        found = [each for each in anchoring.rows.witnesses() if each.active]
        named = [{"name": each.name, "vkeys": list(each.vkeys), "url": each.url} | _progress(each) for each in found]
        return {"witnesses": named, "quorum": anchoring.rows.quorum()}

    @routes.post("/ledger/witnesses", status_code=201)
    def add(body: NewWitness, caller: Governor) -> dict[str, Any]:
        """Have a witness cosign."""
        return {"statement": configuring.add_witness(caller, body.url, body.vkeys, body.party).to_json()}

    @routes.post("/ledger/witnesses/remove", status_code=201)
    def remove(body: Named, caller: Governor) -> dict[str, Any]:
        """Ask a witness no more."""
        return {"statement": configuring.remove_witness(caller, body.name).to_json()}

    @routes.post("/ledger/quorum", status_code=201)
    def quorum(body: Quorum, caller: Governor) -> dict[str, Any]:
        """Demand cosignatures of so many other parties."""
        return {"statement": configuring.set_quorum(caller, body.quorum).to_json()}


def _authorities(routes: APIRouter, anchoring: Anchoring, configuring: Configuring) -> None:
    @routes.get("/ledger/timestamp-authorities")
    def authorities(caller: Reader) -> dict[str, Any]:  # noqa: ARG001
        """List who is asked for time stamps."""
        found = [each for each in anchoring.rows.authorities() if each.active]
        named = [
            {
                "certificate": each.digest.hex(),
                "subject": timestamp.subject_of(each.certificate),
                "url": each.url,
                "policy": each.policy,
            }
            | _progress(each)
            for each in found
        ]
        return {"authorities": named}

    @routes.post("/ledger/timestamp-authorities", status_code=201)
    def add(body: NewAuthority, caller: Governor) -> dict[str, Any]:
        """Have an authority stamp heads."""
        certificate = posted_bytes(body.certificate, "certificate")
        done = configuring.add_authority(caller, body.url, certificate, body.party, body.policy)
        return {"statement": done.to_json()}

    @routes.post("/ledger/timestamp-authorities/remove", status_code=201)
    def remove(body: Certified, caller: Governor) -> dict[str, Any]:
        """Ask an authority no more."""
        return {"statement": configuring.remove_authority(caller, body.certificate).to_json()}


def shown(head: AnchoredHead) -> dict[str, Any]:
    """Return what a front end shows of a head."""
    checkpoint, judged = head.head.checkpoint, head.judged
    return {
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "signed_at": to_text(head.head.signed_at),
        "cosigned": [{"witness": each.witness} | _said(each) for each in judged.cosigned],
        "stamped": [{"authority": each.authority} | _said(each) for each in judged.stamped],
        "quorum_met": judged.quorum_met,
        "outside_since": to_text(judged.outside_since) if judged.outside_since else None,
    }


def _said(each: Cosigned | Stamped) -> dict[str, Any]:
    return {"party": each.party, "at": to_text(each.at), "counts_as_operator": not each.outside}


def _progress(asked: AskedWitness | AskedAuthority) -> dict[str, Any]:
    progress = asked.progress
    return {
        "party": asked.party,
        "size": progress.size,
        "at": to_text(progress.at) if progress.at else None,
        "tried_at": to_text(progress.tried_at) if progress.tried_at else None,
        "trouble": progress.trouble,
    }
