"""An installation with a sealed dataset and a node whose device is a fake: what tests of key release stand on."""

import secrets
from dataclasses import replace

from ringfence.artifacts.blobs import Home as Vaults
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import Custody, DatasetId, DatasetName, Sealed
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Statement
from ringfence.keyrelease import rules
from ringfence.keyrelease.model import Lease, Rule, Wish
from ringfence.keyrelease.service import KeyRelease
from ringfence.services import Services
from ringfence.testing.artifacts import MemoryTree
from ringfence.testing.home import TENANT, signed
from ringfence.testing.keyrelease import REFERENCE, WORKLOAD, FakeAppraiser, World
from ringfence.testing.staged import Stage

NAME = "0123456789abcdef" * 2


class Ground:
    """The installation, and what is asked of it."""

    def __init__(self, stage: Stage, clock: Clock) -> None:
        self.stage, self.home, self.services, self.clock = stage, stage.home, stage.services, clock
        self.node = stage.node("alpha")
        self.fakes = World()
        self.fakes.nodes["alpha"].target = replace(self.fakes.nodes["alpha"].target, node=self.node.id)
        keyring = FileKeyring.create(self.home.path / "kek.json", None)
        with Vaults(self.home.path).staging(TENANT, {}) as staged:
            seal = seal_tree(
                MemoryTree({"a.txt": b"hello"}),
                staged,
                NewSeal(DatasetId(NAME), 1, 2**16),
                keyring,
                secrets.token_bytes,
            )
            staged.publish(DatasetId(NAME), 1)
            staged.settle(None)
        self.seal = Digest.of(print_seal(seal))
        sealed = Sealed(
            DatasetId(NAME), DatasetName("claims"), 1, self.seal, 1, 5, seal.ciphertext_root, Custody.FILE_PLAIN
        )
        with self.services.database.transaction():
            self.services.artifacts.datasets.put(TENANT, sealed, Digest.of(b"envelope"))

    def keys(self) -> KeyRelease:
        """Return the use cases with the fake device in the place of a measured machine."""
        return over(self.services, self.fakes)

    def rule(self, **changes: object) -> Rule:
        """Return a rule that allows what `ask` asks for."""
        made = Rule(
            dataset=NAME,
            purposes=frozenset({"training"}),
            workloads=frozenset({WORKLOAD}),
            classes=frozenset({"namespace"}),
            families=frozenset({"tpm2"}),
            places=frozenset(),
            place_kinds=frozenset(),
            references=frozenset({Digest.of(REFERENCE)}),
            registers=frozenset(),
            software_tpm=False,
            minutes=15,
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    def allow(self, role: Role = Role.OWNER, **changes: object) -> Acknowledgement:
        """Put a rule in force."""
        rule = self.rule(**changes)
        envelope, _ = signed(self.services, self.home.people[role], rules.draft(rule))
        return self.keys().ruling.allow(self.home.actor(role), envelope, None, [REFERENCE])

    def ask(self) -> Lease:
        """Ask for the key."""
        return self.keys().release(self.home.actor(Role.ENGINEER), Wish("claims", "alpha", "training", WORKLOAD))

    def said(self, predicate: str) -> list[Statement]:
        """Return what the log says of one type."""
        self.services.ledger.integrate()
        return [one.envelope.statement for one in self.services.ledger.statements(TENANT, (PredicateName(predicate),))]


def over(services: Services, fakes: World) -> KeyRelease:
    """Return the use cases of an installation with fake devices in the place of measured machines."""
    real = services.keyrelease
    colleagues = replace(real.colleagues, attester=fakes.service().colleagues.attester, appraiser=FakeAppraiser())
    return replace(real, colleagues=colleagues)
