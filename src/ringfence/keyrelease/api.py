"""Key release over HTTP: rules, challenges, answers, leases."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.keyrelease import rules, shown
from ringfence.keyrelease.model import CHALLENGE_LIFE, MAX_LIST, Wish, lease_id
from ringfence.keyrelease.service import KeyRelease

PATH = "/api/v1/releases"
Bytes = Annotated[str, Field(max_length=6 * 2**20)]


class PostedRule(PostedStatement):
    """A rule as it was signed, and the reference documents that it names."""

    references: list[Bytes] = Field(default_factory=list, max_length=MAX_LIST)


class PostedRegister(BaseModel):
    """A site register, as its provider signed it."""

    model_config = ConfigDict(extra="forbid")
    register_: Bytes = Field(alias="register")


class PostedWish(BaseModel):
    """What a key is asked for."""

    model_config = ConfigDict(extra="forbid")
    dataset: str = Field(max_length=64)
    node: str = Field(max_length=32)
    purpose: str = Field(max_length=32)
    workload: str = Field(max_length=80)
    place: str = Field(default="", max_length=2)

    def wish(self) -> Wish:
        """Return it, checked."""
        place = rules.country(self.place) if self.place else ""
        return Wish(self.dataset, self.node, rules.purpose(self.purpose), Digest.parse(self.workload), place)


class PostedChallenge(PostedWish):
    """The same, by a node that answers by itself: with the key it made."""

    node_key: Bytes

    def key(self) -> bytes:
        """Return the node's public key."""
        return _bytes(self.node_key, "node_key")


class PostedAnswer(PostedWish):
    """What a node's device signed over a challenge."""

    nonce: str = Field(max_length=64)
    evidence: Bytes


def router(service: KeyRelease) -> APIRouter:
    """Return the routes of key release."""
    routes = APIRouter(tags=["releases"], prefix="/releases")
    _reading(routes, service)
    _ruling(routes, service)
    _asking(routes, service)
    return routes


def overview(service: KeyRelease, caller: Person) -> dict[str, Any]:
    """Return the leases, the newest denials, and what none of it shows."""
    now = service.clock.now()
    return {
        "leases": [shown.lease(one, now) for one in service.leases(caller.tenant)],
        "denials": [shown.refusal(one) for one in service.refusals(caller.tenant)],
        "policy": str(service.policy_digest),
        "does_not_show": list(shown.DOES_NOT_SHOW),
    }


def _reading(routes: APIRouter, service: KeyRelease) -> None:
    @routes.get("")
    def listed(caller: Annotated[Person, Depends(require("release.read"))]) -> dict[str, Any]:
        """List leases and denials."""
        return overview(service, caller)


def _ruling(routes: APIRouter, service: KeyRelease) -> None:
    @routes.post("/rules", status_code=201)
    def allowed(body: PostedRule, caller: Annotated[Person, Depends(require("release.allow"))]) -> dict[str, Any]:
        """Record who may get the key of a dataset; it takes the place of the rule before."""
        envelope, opening = body.parsed()
        references = [_bytes(one, "references") for one in body.references]
        return {"statement": service.ruling.allow(caller, envelope, opening, references).to_json()}

    @routes.post("/registers", status_code=201)
    def registered(
        body: PostedRegister, caller: Annotated[Person, Depends(require("release.allow"))]
    ) -> dict[str, Any]:
        """Keep a site register; it counts for rules that name its key."""
        found = service.ruling.register(caller, _bytes(body.register_, "register"))
        return {
            "key": found.key,
            "provider": found.provider,
            "devices": len(found.devices),
            "issued_at": to_text(found.issued_at),
            "expires_at": to_text(found.expires_at),
            "digest": str(found.digest),
        }


def _asking(routes: APIRouter, service: KeyRelease) -> None:
    @routes.post("", status_code=201)
    def released(body: PostedWish, caller: Annotated[Person, Depends(require("release.request"))]) -> dict[str, Any]:
        """Attest a node, release the key of a dataset to it, and hand it over; a denial is recorded first."""
        return shown.lease(service.release(caller, body.wish()), service.clock.now())

    @routes.post("/challenges", status_code=201)
    def challenged(
        body: PostedChallenge, caller: Annotated[Person, Depends(require("release.request"))]
    ) -> dict[str, Any]:
        """Draw a nonce for a node that answers by itself."""
        drawn = service.challenge(caller.tenant, body.wish(), body.key())
        return {
            "nonce": drawn.nonce.hex(),
            "dataset": drawn.dataset,
            "workload": str(drawn.workload),
            "expires_at": to_text(drawn.made_at + CHALLENGE_LIFE),
        }

    @routes.post("/answers", status_code=201)
    def answered(body: PostedAnswer, caller: Annotated[Person, Depends(require("release.request"))]) -> dict[str, Any]:
        """Take the evidence of a challenge; the answer holds the released key, which only that node opens."""
        handed = service.answer(caller, body.wish(), _hex(body.nonce), _bytes(body.evidence, "evidence"))
        lease = shown.lease(handed.lease, service.clock.now())
        return lease | {"released": base64.b64encode(handed.released).decode()}

    @routes.post("/leases/{lease}/end")
    def ended(lease: str, caller: Annotated[Person, Depends(require("release.end"))]) -> dict[str, Any]:
        """End a lease: the agent drops the key where it is reached, and nothing is renewed."""
        return shown.lease(service.leasing.end_for(caller, lease_id(lease)), service.clock.now())


def _bytes(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise MalformedInput("it is not standard base64", source=name) from error


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedInput("it is not hexadecimal", source="nonce") from error
