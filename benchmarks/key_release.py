"""One release of a dataset's key in an installation of its own: everything but the TPM, the boot and SSH.

Challenge, verdict over a quote with an IMA list of 501 files, policy, two statements published by a fresh checkpoint,
the broker's process, the wrapped key; on SQLite with its fsyncs.
"""

import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from measurement import Row, timed

from ringfence.artifacts.blobs import Home as Vaults
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import Custody, DatasetId, DatasetName, Sealed
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.attestation import credential, document, reference
from ringfence.attestation.model import RELEASE, Claim, Family
from ringfence.installation import SystemClock
from ringfence.kernel import digest
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.keyrelease import rules
from ringfence.keyrelease.model import Rule, Target, Wish
from ringfence.keyrelease.service import KeyRelease
from ringfence.services import Services
from ringfence.testing import attestation as made
from ringfence.testing.artifacts import MemoryTree
from ringfence.testing.home import TENANT, LabHome, make, signed
from ringfence.testing.keyrelease import WORKLOAD, World

RUNS, LIMIT = 60, 300.0
NAME = "0123456789abcdef" * 2
FILES = {f"/usr/bin/program-{number}": str(number).encode() for number in range(500)}


class OneNode:
    """`keyrelease.ports.Nodes` with one node that is always ready."""

    def named(self, tenant, name):
        """Return the node."""
        return Target(tenant, "n-00000001", name, Digest.of(b"alpha"), "measured-vm", ready=True, cut_off=False)

    def living(self, _node):
        """Return that it lives."""
        return True


def installed(home: LabHome, services: Services) -> KeyRelease:
    """Seal a dataset, allow its release to a machine with a TPM of Python, and return the use cases over them."""
    keyring = FileKeyring.create(home.path / "kek.json", None)
    with Vaults(home.path).staging(TENANT, {}) as staged:
        new = NewSeal(DatasetId(NAME), 1, 2**16)
        seal = seal_tree(MemoryTree({"a.txt": b"hello"}), staged, new, keyring, secrets.token_bytes)
        staged.publish(new.dataset, 1)
        staged.settle(None)
    name = Digest.of(print_seal(seal))
    row = Sealed(new.dataset, DatasetName("claims"), 1, name, 1, 5, seal.ciphertext_root, Custody.FILE_PLAIN)
    with services.database.transaction():
        services.artifacts.datasets.put(TENANT, row, Digest.of(b"envelope"))
    tpm, root, now = made.SoftTpm(), made.Authority.root(), services.clock.now()
    log = tpm.boots(made.booted())
    files = made.measured(FILES, tpm)
    certificate = root.certify("EK", tpm.ek_key, use=made.ENDORSEMENT_USE)
    demands = RELEASE[Family.TPM2] | {Claim.RUNTIME}
    wanted = made.expected(Family.TPM2, made.values_of(tpm, log, FILES), (root.trusted(software=False),), demands)
    paper = reference.payload(replace(wanted, made_at=now - timedelta(days=1), valid_until=now + timedelta(days=1)))
    fakes = World()
    fakes.nodes["alpha"].answer = lambda binding: digest.dumps(
        document.to_json(tpm.evidence(binding, certificate=certificate, log=log, files=files))
    )
    fakes.nodes["alpha"].activate = lambda blob: tpm.activate(_split(blob))
    rule = Rule(
        dataset=NAME,
        purposes=frozenset({"training"}),
        workloads=frozenset({WORKLOAD}),
        classes=frozenset({"measured-vm"}),
        families=frozenset({"tpm2"}),
        places=frozenset(),
        place_kinds=frozenset(),
        references=frozenset({Digest.of(paper)}),
        registers=frozenset(),
        software_tpm=False,
        minutes=15,
    )
    real = services.keyrelease
    colleagues = replace(real.colleagues, nodes=OneNode(), attester=fakes.service().colleagues.attester)
    service = replace(real, colleagues=colleagues)
    envelope, _ = signed(services, home.people[Role.OWNER], rules.draft(rule))
    service.ruling.allow(home.actor(), envelope, None, [paper])
    return service


def _split(blob: bytes) -> credential.Credential:
    size = 2 + int.from_bytes(blob[:2])
    return credential.Credential(blob[:size], blob[size:])


def released(service: KeyRelease, caller: Person, wish: Wish) -> Iterator[float]:
    """Time releases; the lease of each is ended before the next, since a node has room for a few."""
    for _ in range(RUNS):
        yield timed(partial(service.release, caller, wish))
        for lease in service.leases(caller.tenant):
            service.leasing.end_for(caller, lease.id)


def measure() -> list[Row]:
    """Return the row of a release."""
    wish = Wish("claims", "alpha", "training", WORKLOAD)
    with tempfile.TemporaryDirectory() as folder:
        home = make(Path(folder) / "home")
        with home.services(SystemClock()) as services:
            service, caller = installed(home, services), home.actor(Role.ENGINEER)
            times = list(released(service, caller, wish))
    return [
        Row(
            what="key release, our own time",
            target=f"< {LIMIT:.0f} ms",
            ours=times,
            limit=LIMIT,
            note="wall time without boot, TPM and SSH; a TPM of Python answers in its place, within the figure",
        )
    ]
