"""The page of a dataset: each epoch with what opened, verified, checked, screened and used it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from starlette.responses import Response

from ringfence.artifacts.checks.model import Check
from ringfence.artifacts.checks.service import DatasetHistories
from ringfence.artifacts.model import dataset_id
from ringfence.frontends.http import require
from ringfence.frontends.live import Live, proof
from ringfence.frontends.page import Pages, View
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest

SHOWN = 12  # epochs; the line for the terminal has all
CONTROLS = ("DAT-01", "DAT-02", "DAT-04", "DAT-05")
Reader = Annotated[Person, Depends(require("dataset.read"))]
_ENDS = {"passed": "satisfied", "failed": "not-satisfied", "notRun": "pending", "off": "not-applicable"}
_WORDS = {"passed": "passed", "failed": "failed", "notRun": "did not run", "off": "off by policy"}


@dataclass(frozen=True, slots=True)
class DatasetPages:
    """The page over what the log says of a dataset."""

    histories: DatasetHistories
    pages: Pages
    live: Live

    def one(self, request: Request, caller: Person, dataset: str) -> Response:
        """Return the page of a dataset."""
        document = self.histories.of(caller.tenant, dataset_id(dataset))
        return self.pages.respond(
            request,
            "dataset.html",
            View("What happened to this dataset, and what did checks of it find?", _line(document), caller),
            document=document,
            epochs=document["epochs"][:SHOWN],
            more=len(document["epochs"]) > SHOWN,
            controls=CONTROLS,
            ends=ends,
            chip=_chip,
            live=self.live(),
        )


def _line(document: Mapping[str, Any]) -> str:
    return f"ringfence dataset show {document['name']}"


def ends(checked: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """Return each check that a statement speaks of, in their order: its name, its mark, and how it ended in words."""
    said = {name: end for end in _ENDS for name in checked.get(end, ())}
    return [(one.value, _ENDS[said[one.value]], _WORDS[said[one.value]]) for one in Check if one.value in said]


def _chip(said: Mapping[str, Any]) -> dict[str, Any]:
    return proof(said["entry"], Digest.parse(said["envelope"]), said["strength"])


def router(histories: DatasetHistories, pages: Pages, live: Live) -> APIRouter:
    """Return the page of a dataset."""
    routes = APIRouter(include_in_schema=False)
    shown = DatasetPages(histories, pages, live)

    @routes.get("/data/datasets/{dataset}")
    def one(request: Request, dataset: Annotated[str, InPath(max_length=64)], caller: Reader) -> Response:
        return shown.one(request, caller, dataset)

    return routes
