"""Step `release`: a dataset's key is refused to a node that shows nothing, and goes to one that shows its boot."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from ringfence.app import open_services
from ringfence.attestation import reference
from ringfence.compute.providers import reference as values
from ringfence.compute.providers.endorsement import Issuer
from ringfence.installation import SystemClock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.settings import Settings
from ringfence.tour.place import clear, no_nodes
from ringfence.tour.seal import NAME
from ringfence.tour.stage import TENANT, Stage
from ringfence.workloads.attesting import NodeAgents

PLAIN, MEASURED = "plain", "measured"
ISSUER = ("keys", "ek_ca")  # below the home: who certifies the software TPMs of this host
FILE = "wdbc.csv"
READER = "print(open('wdbc.csv').readline())\n"
LIFE = timedelta(days=30)
TRIES = 4


def release(stage: Stage) -> dict[str, Any]:
    """Say who may get the key, see it refused without evidence, and released where the boot is the expected one."""
    if because := no_nodes(stage):
        return {"release": f"not played: {because}"}
    clear(stage, PLAIN, MEASURED)
    try:
        return _played(stage)
    finally:
        clear(stage, PLAIN, MEASURED)


def _played(stage: Stage) -> dict[str, Any]:
    workload = stage.work / "reader.py"
    workload.write_text(READER, encoding="utf-8")
    missing = _missing(stage)
    if not missing:
        _allow(stage, workload)
    stage.expect("node", "start", PLAIN, "--class", "namespace")
    facts: dict[str, Any] = {"namespace": _refused(stage, workload)}
    if missing:
        return facts | {"measured machine": f"not played: {missing}"}
    return facts | _released(stage, workload)


def _missing(stage: Stage) -> str:
    """Say why no measured machine can run here, and write what is expected of one where it can."""
    offers = {offer["class"]: offer for offer in stage.quietly("node", "offers")["offers"]}
    offer = offers.get("measured-vm")
    if offer is None or not offer["available"]:
        return str(offer["because"]) if offer else "this Ringfence has no measured machines"
    clock = SystemClock()
    try:
        issuer = Issuer(stage.home.joinpath(*ISSUER), clock).root()
        wanted = values.expected("measured machines of the tour", issuer, clock.now(), clock.now() + LIFE)
    except Unavailable as error:
        return str(error)
    _paper(stage).write_bytes(reference.payload(wanted))
    return ""


def _paper(stage: Stage) -> Path:
    return stage.work / "measured.json"


def _allow(stage: Stage, workload: Path) -> None:
    stage.expect(
        "release", "allow", NAME, "--purpose", "training", "--workload", str(workload),
        "--reference", str(_paper(stage)), "--class", "measured-vm", "--evidence", "tpm2", "--software-tpm",
        by=stage.owner,
    )  # fmt: skip


def _ask(node: str, workload: Path) -> tuple[str, ...]:
    return ("release", "key", NAME, "--to", node, "--purpose", "training", "--workload", str(workload))


def _refused(stage: Stage, workload: Path) -> str:
    """Ask for the key on a node that has no device; the denial stands in the log before it is answered."""
    ran = stage.run(*_ask(PLAIN, workload), by=stage.engineer)
    listed = stage.quietly("ledger", "list", "--predicate", "key.denied", "--limit", "1")["statements"]
    if ran.code != 3 or not listed or "no-evidence" not in listed[0]["claims"]["because"]:
        raise VerificationFailed(f"a node without evidence should have been refused; it ended with {ran.code}")
    return f"refused, entry {listed[0]['entry']}: {ran.said.removeprefix('ringfence: ')}"


def _released(stage: Stage, workload: Path) -> dict[str, Any]:
    started = _started(stage)
    if started["state"] != "ready":
        return {"measured machine": f"not played: it is {started['state']} after {TRIES} waits. {started['because']}"}
    lease = stage.expect(*_ask(MEASURED, workload), by=stage.engineer)
    if lease["strength"] != "lab-attested":
        raise VerificationFailed(f"a TPM that a program plays is lab-attested, and this is {lease['strength']}")
    same = _opened_there(stage, lease) == sha256((stage.work / "dataset" / FILE).read_bytes()).hexdigest()
    if not same:
        raise VerificationFailed("what the machine opened is not what was sealed")
    ended = stage.expect("release", "end", lease["lease"], by=stage.engineer)
    return {
        "measured machine": f"{started['isolation']}; the key was released to it and opened {FILE} there",
        "strength": "lab-attested: this host runs the TPM, which proves nothing against this host; demo tenants only",
        "lease": f"{lease['lease']}, until {lease['expires_at']}, {ended['state']} by hand: {ended['because']}",
        "does not show": "where the machine stands; that the workload named is what runs",
    }


def _started(stage: Stage) -> dict[str, Any]:
    """Start the machine; where its processor is emulated on a busy host, that takes longer than one command waits."""
    started: dict[str, Any] = {"state": "not asked for", "because": ""}
    for _ in range(TRIES):
        started = stage.run("node", "start", MEASURED, "--class", "measured-vm").document
        if started.get("state") not in {"requested", "starting"}:
            break
    return {"state": "refused", "because": ""} | started


def _opened_there(stage: Stage, lease: dict[str, Any]) -> str:
    """Have the machine open a file with the released key; return the SHA-256 of what it read."""
    folder = stage.home / "datasets" / lease["dataset_id"] / str(lease["epoch"])
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    with open_services(Settings(home=stage.home, operator=stage.engineer)) as services:
        agents = services.keyrelease.colleagues.attester
        assert isinstance(agents, NodeAgents)  # noqa: S101 - for the type checker: the wires say so
        target = services.keyrelease.colleagues.nodes.named(TENANT, lease["node"])
        read = agents.conversation(replace(target, by=stage.engineer)).read(
            lease["lease"], Digest.of(files["seal.json"]), FILE, files
        )
    return sha256(read).hexdigest()
