"""Stories of data, runs, models and deployments, told in statements: for tests of lineage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Draft, KeyRole, Strength, Subject
from ringfence.ledger.model import LoggedStatement, Standing
from ringfence.services import Services
from ringfence.testing.home import TENANT, LabHome, signed
from ringfence.testing.obligations import Story

RUN: Mapping[str, Any] = {
    "outcome": "completed", "code": "git", "commit": "c" * 40, "dirty": False, "codeChanged": False,
    "environment": str(Digest.of(b"lock")), "packages": 3, "seed": 7, "outputsSkipped": 0,
}  # fmt: skip


def digest_of(name: str) -> Digest:
    """Return the digest by which a story names a thing."""
    return Digest.of(name.encode())


class Tale(Story):
    """A story about things by short names; each name always has the same digest."""

    def about(
        self,
        predicate: str,
        claims: Mapping[str, Any],
        subjects: Iterable[tuple[str, str]],
        *,
        role: KeyRole = KeyRole.OPERATOR,
        strength: Strength = Strength.OBSERVED,
        standing: Standing = Standing.TRUSTED,
    ) -> LoggedStatement:
        """Log a statement about things; a subject is its name in the statement and its name in the story."""
        made = self.add(predicate, claims, role=role, strength=strength, standing=standing)
        statement = made.envelope.statement
        named = tuple(Subject(subject, digest_of(name)) for subject, name in subjects)
        data = f"{self.tenant}/{made.entry}".encode()  # so that each has a digest of its own
        envelope = replace(made.envelope, data=data, statement=replace(statement, subjects=named))
        self.statements[-1] = replace(made, envelope=envelope)
        return self.statements[-1]

    def seal(self, name: str, *, dataset: str = "", epoch: int = 1, **how: Any) -> LoggedStatement:
        """Seal a dataset; `name` stands for the seal of this epoch."""
        claims = {"dataset": dataset or f"id-{name}", "epoch": epoch, "objects": 2, "bytes": 20}
        claims |= {"plaintextRoot": str(digest_of(f"plain {name}")), "ciphertextRoot": str(digest_of(f"cipher {name}"))}
        return self.about("dataset.sealed", claims, [(f"dataset/{dataset or name}", name)], **how)

    def erase(self, name: str, **how: Any) -> LoggedStatement:
        """Erase a sealed epoch."""
        return self.about("dataset.erased", {"epoch": 1}, [(f"dataset/{name}", name)], **how)

    def run(
        self, name: str, inputs: Sequence[str] = (), output: str = "", *, bases: Sequence[str] = (),
        standing: Standing = Standing.TRUSTED, **claims: Any,
    ) -> LoggedStatement:  # fmt: skip
        """Run something on datasets and base models."""
        used = [{"dataset": f"id-{one}", "epoch": 1, "seal": str(digest_of(one))} for one in inputs]
        models = [{"digest": str(digest_of(one)), "files": 1} for one in bases]
        subjects = [(f"run/{name}", name), *([(f"outputs/{name}", output)] if output else [])]
        said = {**RUN, "run": name, "inputs": used, "models": models, **claims}
        return self.about("run.manifest", said, subjects, standing=standing)

    def sign(self, name: str, **how: Any) -> LoggedStatement:
        """Sign a model."""
        return self.about("model.signed", {"model": name, "files": 2, "bytes": 9}, [(f"model/{name}", name)], **how)

    def take_in(self, name: str, **how: Any) -> LoggedStatement:
        """Import a model."""
        return self.about("model.imported", {"model": name, "files": 2}, [(f"model/{name}", name)], **how)

    def deploy(self, name: str, model: str = "", *, basis: str = "loaded", **how: Any) -> LoggedStatement:
        """Serve a model under a name."""
        claims = {"deployment": name, "basis": basis} | ({"digest": str(digest_of(model))} if model else {})
        predicate = "deployment.started" if basis == "loaded" else "deployment.attached"
        return self.about(predicate, claims, [(f"deployment/{name}", name)], role=KeyRole.CONTROL_PLANE, **how)


def whole() -> Tale:
    """Return a story without a gap: two datasets, a base model, a fine-tune, its test and where it serves."""
    tale = Tale()
    tale.seal("books")
    tale.seal("letters")
    tale.take_in("base")
    tale.run("tune", ["books", "letters"], "tuned", bases=["base"])
    tale.sign("tuned")
    tale.about("model.scan", {"model": "tuned", "verdict": "clean"}, [("model/tuned", "tuned")])
    claims = {"suite": "s", "verdict": "pass", "label": "gate", "modelDigest": str(digest_of("tuned"))}
    tale.about("redteam.run", claims, [("redteam/probe", "probe")])
    tale.about("model.gated", {"verdict": "pass"}, [("model/tuned", "tuned")], role=KeyRole.CONTROL_PLANE)
    tale.deploy("small", "tuned")
    return tale


def logged_in(services: Services, home: LabHome, tale: Tale) -> None:
    """Take a story into a real log, by the keys that state such things."""
    for logged in tale.statements:
        said = logged.envelope.statement
        draft = Draft(said.predicate, said.subjects, said.claims, said.issuance.strength)
        with services.ledger.publishable():
            if logged.issuer and logged.issuer.role is KeyRole.CONTROL_PLANE:
                services.outbox.record(draft, tenant=TENANT)
            else:
                envelope, opening = signed(services, home.people[Role.ENGINEER], draft)
                services.outbox.admit(envelope, opening, by=home.actor(Role.ENGINEER))
    services.ledger.integrate()
