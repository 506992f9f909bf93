"""The Data page: which datasets are sealed, and what a person can seal and verify from here."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from ringfence.artifacts import statements
from ringfence.artifacts.blobs import PlainFolder
from ringfence.artifacts.here import SealingHere
from ringfence.artifacts.model import DatasetName, Sealed, dataset_id, dataset_name
from ringfence.frontends import cookies, multipart
from ringfence.frontends.http import require
from ringfence.frontends.live import Live, proof
from ringfence.frontends.multipart import Upload
from ringfence.frontends.page import Allows, Pages, Prepare, View
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.ledger.service import Ledger
from ringfence.storage.files import memory
from ringfence.workloads.console import samples
from ringfence.workloads.console.jobs import PATIENCE, Job, Jobs

SEAL, VERIFY = "dataset.seal", "dataset.verify"
SEALING = "seal a dataset"
Reader = Annotated[Person, Depends(require("dataset.read"))]
Sealer = Annotated[Person, Depends(require(SEAL))]
Verifier = Annotated[Person, Depends(require(VERIFY))]
Fields = Annotated[dict[str, str], Depends(cookies.form_of)]
Sent = Annotated[Upload | None, Depends(multipart.sent)]


@dataclass(frozen=True, slots=True)
class Row:
    """A dataset, with the proofs of its seal and of its newest verification."""

    sealed: Sealed
    seal: Mapping[str, object] | None
    verified: Mapping[str, object] | None
    passed: bool
    verifying: Job | None


@dataclass(frozen=True, slots=True)
class DataPages:
    """The page over sealed datasets."""

    sealing: SealingHere
    ledger: Ledger
    jobs: Jobs
    pages: Pages
    live: Live
    prepare: Prepare
    signs: Callable[[Person], bool]
    allows: Allows

    def listed(self, request: Request, caller: Person) -> Response:
        """Return the page."""
        rows = self._rows(caller.tenant)
        names = {row.sealed.name for row in rows}
        return self.pages.respond(
            request,
            "data.html",
            View("Which data are sealed, and does every byte still hold?", "ringfence dataset list", caller),
            rows=rows,
            job=self.jobs.find(caller.tenant, SEALING),
            sample=None if samples.DATASET in names else samples.dataset(),
            most=multipart.MOST_FILES,
            largest=multipart.LARGEST,
            may_seal=self.allows(caller, SEAL),
            may_verify=self.allows(caller, VERIFY),
            signs=self.signs(caller),
            live=self.live(),
        )

    def seal(self, caller: Person, fields: Mapping[str, str], upload: Upload | None) -> Response:
        """Seal the sample, or what was dropped."""
        if upload is not None:
            name, work = _named(upload.fields), _of(upload)
        elif fields.get("sample") == samples.DATASET:
            name, work = samples.DATASET, samples.write_dataset
        else:
            raise MalformedInput("choose the sample, or files of your own", source="sample")

        def seal(job: Job) -> None:
            # In memory: what is to be sealed should not touch a disk in the plain.
            with tempfile.TemporaryDirectory(prefix="ringfence-seal-", dir=memory()) as place:
                job.say("reading what is to be sealed")
                folder = work(Path(place) / "files")
                job.say("encrypting it")
                self.sealing.seal(caller, name, PlainFolder(folder), lambda draft: self._ask(caller, job, draft, name))

        return _go_on(self.jobs.start(caller.tenant, SEALING, seal))

    def verify(self, caller: Person, dataset: str) -> Response:
        """Verify every byte of a dataset's newest epoch."""
        named = dataset_id(dataset)
        self.sealing.artifacts.one(caller.tenant, named)

        def look(job: Job) -> None:
            self._ask(caller, job, self.sealing.verified(caller.tenant, named), named)

        return _go_on(self.jobs.start(caller.tenant, f"verify {named}", look))

    def _ask(self, caller: Person, job: Job, draft: Draft, place: str) -> None:
        job.say("it waits for your signature")
        job.lead(self.prepare(caller, draft, place))

    def _rows(self, tenant: Tenant) -> Sequence[Row]:
        seals: dict[Digest, Mapping[str, object]] = {}
        checks: dict[Digest, tuple[Mapping[str, object], bool]] = {}
        for logged in self.ledger.statements(tenant, (statements.SEALED, statements.VERIFIED)):
            said = logged.envelope.statement
            chip = proof(logged.entry, logged.envelope.digest, said.issuance.strength.text)
            if said.predicate == statements.SEALED:
                seals[said.subjects[0].digest] = chip
            else:
                checks[said.subjects[0].digest] = (chip, said.claims.get("result") == "pass")
        return [self._row(tenant, one, seals, checks) for one in self.sealing.artifacts.all(tenant)]

    def _row(
        self,
        tenant: Tenant,
        one: Sealed,
        seals: Mapping[Digest, Mapping[str, object]],
        checks: Mapping[Digest, tuple[Mapping[str, object], bool]],
    ) -> Row:
        verified, passed = checks.get(one.seal, (None, False))
        return Row(one, seals.get(one.seal), verified, passed, self.jobs.find(tenant, f"verify {one.dataset}"))


def _go_on(job: Job) -> Response:
    """Lead to where the work goes on: to its signature, or back to the page that tells what became of it."""
    return RedirectResponse(job.within(PATIENCE).page or "/data", status_code=303)


def _named(fields: Mapping[str, str]) -> DatasetName:
    return dataset_name(fields.get("name", "").strip())


def _of(upload: Upload) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        for name, content in upload.files:
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return folder

    return write


def router(shows: DataPages) -> APIRouter:
    """Return the Data page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/data")
    def listed(request: Request, caller: Reader) -> Response:
        return shows.listed(request, caller)

    @routes.post("/data")
    def seal(caller: Sealer, fields: Fields, upload: Sent) -> Response:
        return shows.seal(caller, fields, upload)

    @routes.post("/data/datasets/{dataset}/verify")
    def verify(dataset: Annotated[str, InPath(max_length=64)], caller: Verifier) -> Response:
        return shows.verify(caller, dataset)

    return routes
