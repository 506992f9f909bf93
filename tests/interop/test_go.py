"""Go's own reader of transparency logs accepts ours, made by the real program; changed, both refuse."""

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import checkpoint, note, proof, tree
from ringfence.ledger.entry import encode
from ringfence.ledger.model import SignedCheckpoint
from ringfence.ledger.tiles import DirectoryTiles
from ringfence.ledger.tiletree import TileTree
from ringfence.testing.home import LabHome
from ringfence.testing.program import called
from ringfence.testing.programs import ROOT, surroundings, tool
from ringfence.testing.succeeding import renewed

Question = dict[str, object]


@dataclass(frozen=True, slots=True)
class Log:
    """A log as the real program left it on disk, and the heads that it gave out."""

    keys: tuple[str, str]
    heads: tuple[SignedCheckpoint, ...]
    leaves: tuple[bytes, ...]
    tiles: TileTree

    @property
    def newest(self) -> SignedCheckpoint:
        return self.heads[-1]

    def question(self) -> Question:
        size = self.newest.checkpoint.size
        read = self.tiles.reader(size)
        records = [
            {"Index": index, "Data": text(leaf), "Proof": [*map(text, tree.inclusion_proof(index, size, read))]}
            for index, leaf in enumerate(self.leaves)
        ]
        heads = [
            {"Note": head.note, "Proof": [*map(text, tree.consistency_proof(head.checkpoint.size, size, read))]}
            for head in self.heads
        ]
        return {"Vkey": self.keys[0], "Checkpoint": self.newest.note, "Records": records, "Heads": heads}


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled once, without a network."""
    place = tmp_path_factory.mktemp("go")
    made, go = place / "verify_log", tool("go")
    settings = {
        "HOME": str(place),
        "GOROOT": str(ROOT / "usr/lib/go-1.19"),
        "GOPATH": str(ROOT / "usr/share/gocode"),
        "GOCACHE": str(place / "cache"),
        "GO111MODULE": "off",
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
    }
    source = str(Path(__file__).parent / "verify_log" / "main.go")
    command = [go, "build", "-o", made, source]
    done = subprocess.run(command, env=surroundings(settings), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def log(made_now: LabHome, tmp_path_factory: pytest.TempPathFactory) -> Log:
    """A log of some fifteen entries and four heads, by the command line alone."""
    home = made_now.copy(tmp_path_factory.mktemp("interop") / "home")
    given = home.environment()
    heads = [head(given)]
    for kind in ("log.heartbeat", "key.lifecycle", "access.register"):
        assert called(given, "record", kind).returncode == 0
        heads.append(head(given))
    tiles = TileTree(DirectoryTiles(home.path / "log"))
    keys = json.loads(called(given, "ledger", "head", "--json").stdout)["log_keys"]
    size = heads[-1].checkpoint.size
    assert (home.path / "log" / "checkpoint").read_text() == heads[-1].note
    return Log((keys[0], keys[1]), tuple(heads), tuple(tiles.entries(0, size)), tiles)


def head(given: dict[str, str]) -> SignedCheckpoint:
    document = json.loads(called(given, "ledger", "head", "--json").stdout)
    keys = (document["log_keys"][0], document["log_keys"][1])
    return checkpoint.open_note(document["note"], keys, document["log"])


def by_go(verifier: Path, question: Question) -> str:
    done = subprocess.run(
        [verifier], input=json.dumps(question), env={}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode == 0) is done.stdout.startswith("accepted"), done
    return done.stdout


def by_us(log: Log, question: Question) -> None:
    """Check the same question with our own code; raise where anything does not verify."""
    origin = log.newest.checkpoint.origin

    def opened(content: str) -> SignedCheckpoint:
        return checkpoint.open_note(content, log.keys, origin)

    current = opened(question["Checkpoint"])
    for record in question["Records"]:
        hashes = [note.decode_base64(each, "a hash") for each in record["Proof"]]
        proof.verify_entry(note.decode_base64(record["Data"], "the leaf"), record["Index"], hashes, current)
    for known in question["Heads"]:
        hashes = [note.decode_base64(each, "a hash") for each in known["Proof"]]
        proof.verify_head(opened(known["Note"]), current, hashes)


def test_go_accepts_every_entry_and_every_head(verifier: Path, log: Log) -> None:
    question = log.question()
    assert by_go(verifier, question) == f"accepted {log.newest.checkpoint.size} {len(log.leaves)} {len(log.heads)}\n"
    by_us(log, question)
    assert len(log.leaves) > 8
    assert len({known.checkpoint.size for known in log.heads}) == 4


def test_go_knows_no_successions_and_verifies_each_era_with_its_own_key(verifier: Path) -> None:
    again = renewed()
    leaves = [encode(at, envelope.digest, again.place(index)) for index, (at, envelope, _) in enumerate(again.entries)]
    last, size = again.eras[1][0], len(leaves)
    for name, head in (("ledger", again.checkpoint(last)), ("second", again.head())):
        covered = head.checkpoint.size
        records = [
            {"Index": index, "Data": text(leaf), "Proof": [*map(text, again.inclusion_proof(index, covered))]}
            for index, leaf in enumerate(leaves[:covered])
        ]
        question = {"Checkpoint": head.note, "Records": records, "Heads": []}
        assert by_go(verifier, question | {"Vkey": again.pair(name)[0]}) == f"accepted {covered} {covered} 0\n"
        other = "second" if name == "ledger" else "ledger"
        assert not by_go(verifier, question | {"Vkey": again.pair(other)[0]}).startswith("accepted")
    assert last < size


def flipped(encoded: str) -> str:
    data = bytearray(base64.b64decode(encoded))
    data[len(data) // 2] ^= 1
    return text(bytes(data))


def a_leaf(question: Question) -> None:
    question["Records"][3]["Data"] = flipped(question["Records"][3]["Data"])


def a_place(question: Question) -> None:
    question["Records"][3]["Index"] += 1


def an_inclusion_proof(question: Question) -> None:
    question["Records"][3]["Proof"][0] = flipped(question["Records"][3]["Proof"][0])


def a_shorter_proof(question: Question) -> None:
    question["Records"][3]["Proof"].pop()


def a_longer_proof(question: Question) -> None:
    question["Records"][3]["Proof"].append(text(bytes(32)))


def a_consistency_proof(question: Question) -> None:
    question["Heads"][1]["Proof"][-1] = flipped(question["Heads"][1]["Proof"][-1])


def the_root(question: Question) -> None:
    lines = question["Checkpoint"].split("\n")
    question["Checkpoint"] = "\n".join([*lines[:2], flipped(lines[2]), *lines[3:]])


def the_size(question: Question) -> None:
    lines = question["Checkpoint"].split("\n")
    question["Checkpoint"] = "\n".join([lines[0], str(int(lines[1]) + 1), *lines[2:]])


def the_signature(question: Question) -> None:
    lines = question["Checkpoint"].split("\n")
    dash, name, signature = lines[4].split(" ")
    question["Checkpoint"] = "\n".join([*lines[:4], f"{dash} {name} {flipped(signature)}", *lines[5:]])


def a_kept_head(question: Question) -> None:
    """Give out another root for an old size, signed by nobody."""
    lines = question["Heads"][0]["Note"].split("\n")
    question["Heads"][0]["Note"] = "\n".join([*lines[:2], flipped(lines[2]), *lines[3:]])


@pytest.mark.parametrize(
    "change",
    [
        *(a_leaf, a_place, an_inclusion_proof, a_shorter_proof, a_longer_proof, a_consistency_proof),
        *(the_root, the_size, the_signature, a_kept_head),
    ],
)
def test_what_was_changed_is_refused_by_both(verifier: Path, log: Log, change: Callable[[Question], None]) -> None:
    question = log.question()
    change(question)
    assert by_go(verifier, question).startswith("refused")
    with pytest.raises((VerificationFailed, MalformedInput)):
        by_us(log, question)


def test_go_ignores_what_witnesses_added(verifier: Path, log: Log) -> None:
    """A note may carry more signatures; that of the log is what Go asks for."""
    question = log.question()
    question["Checkpoint"] += "— witness.example/w1 " + text(bytes(76)) + "\n"
    assert by_go(verifier, question).startswith("accepted")
    by_us(log, question)
