"""Five ways to cheat, as an operator with every key and every file could try them."""

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ringfence.enrolment import NewPerson
from ringfence.initialise import initialise
from ringfence.kernel import digest
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.envelope import parse
from ringfence.signing.mark import MARK
from ringfence.storage import keyfile
from ringfence.storage.signer import Ed25519Signer
from ringfence.tour.stage import LOG, TENANT, Stage

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cheat:
    """One way to cheat: makes a pack, and names the words with which a verifier must refuse it."""

    name: str
    story: str
    make: Callable[[Stage, Path], bytes]
    names: tuple[str, ...]  # each must stand in the verdict


def flipped_byte(_: Stage, pack: Path) -> bytes:
    """Change one byte of one record: a digit of the digest that says what was sealed."""
    data = pack.read_bytes()
    sealed = _of(_lines(pack), "dataset.sealed")[-1]["statement"]["subject"][0]["digest"]["sha256"].encode()
    position = data.index(sealed) + 7
    return data[:position] + (b"0" if data[position : position + 1] != b"0" else b"1") + data[position + 1 :]


def cut_tail(stage: Stage, _: Path) -> bytes:
    """Forget the newest records: restore the database to an earlier state, and let the real keys sign that."""
    home = _copied_home(stage)
    with sqlite3.connect(home / "ringfence.db") as database:
        (size,) = database.execute("SELECT max(size) FROM ledger_checkpoints").fetchone()
        kept = max(_sizes_below(database, size - 8))
        database.execute("DELETE FROM statements WHERE entry >= ? OR entry IS NULL", (kept,))
        database.execute("DELETE FROM ledger_checkpoints WHERE size > ?", (kept,))
    database.close()
    _forget_tiles(home)
    (home / MARK).unlink()  # the signer remembers the longer log; whoever is root on its host makes it forget
    return _export(stage, home)


def rebuilt_log(stage: Stage, _: Path) -> bytes:
    """Make the whole log again with fresh keys, under the same name."""
    home = stage.work / "cheats" / "rebuilt"
    shutil.rmtree(home, ignore_errors=True)
    person = NewPerson.make("Olga Demo (owner)", Role.OWNER)
    initialise(home, log=LOG, tenant=TENANT, people=[person], demo=True)
    stage.expect("record", "access.register", by=person.id, home=home)
    return _export(stage, home, by=person)


def swapped_subjects(_: Stage, pack: Path) -> bytes:
    """Present the evidence of one thing for another: swap the subjects of two records."""
    lines = _lines(pack)
    first, second = _of(lines, "dataset.sealed")[-1], _of(lines, "access.register")[-1]
    one, two = _statement(first), _statement(second)
    one["subject"], two["subject"] = two["subject"], one["subject"]
    for record, statement in ((first, one), (second, two)):
        record["statement"] = statement
        record["envelope"]["payload"] = base64.b64encode(digest.dumps(statement)).decode()
    return _print(lines)


def back_dated(stage: Stage, pack: Path) -> bytes:
    """Move a record thirty days back and sign it again with the key of the person who signed it."""
    lines = _lines(pack)
    record = _of(lines, "dataset.sealed")[-1]
    statement = _statement(record)
    issuance = statement["predicate"]["issuance"]
    earlier = from_text(issuance["issuedAt"]) - timedelta(days=30)
    issuance["issuedAt"] = record["recordedAt"] = to_text(earlier)
    keys = keyfile.load(stage.home / "operators" / f"{stage.engineer}.key", None)
    signer = Ed25519Signer.from_seed(keys.secret("signing"))
    from ringfence.kernel import envelope

    forged = envelope.sign(digest.dumps(statement), signer.private)
    record["statement"], record["envelope"] = statement, digest.loads(parse(forged.data).data)
    return _print(lines)


CHEATS = (
    Cheat("byte flipped", "one byte of one record is changed", flipped_byte, ("dataset.sealed",)),
    Cheat("tail cut", "the newest records are dropped and the shorter log is signed again", cut_tail, ("head",)),
    Cheat("log rebuilt", "the whole log is made again with fresh keys", rebuilt_log, ("key",)),
    Cheat(
        "subjects swapped", "the evidence of one thing is presented for another", swapped_subjects,
        ("dataset.sealed", "access.register"),
    ),
    Cheat("back-dated", "a record is moved thirty days back and signed again", back_dated, ("dataset.sealed",)),
)  # fmt: skip


def _lines(pack: Path) -> list[Line]:
    return [json.loads(line) for line in pack.read_text(encoding="ascii").splitlines()]


def _print(lines: list[Line]) -> bytes:
    return b"".join(digest.dumps(line) + b"\n" for line in lines)


def _of(lines: list[Line], predicate: str) -> list[Line]:
    wanted = f"urn:ringfence:{predicate}:v1"
    return [line for line in lines if line.get("statement", {}).get("predicateType") == wanted]


def _statement(record: Line) -> Line:
    found: Line = json.loads(base64.b64decode(record["envelope"]["payload"]))
    return found


def _sizes_below(database: sqlite3.Connection, limit: int) -> list[int]:
    return [row[0] for row in database.execute("SELECT size FROM ledger_checkpoints WHERE size <= ?", (limit,))]


def _copied_home(stage: Stage) -> Path:
    home = stage.work / "cheats" / "cut"
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(exist_ok=True)
    running = ("fabric", "nodes", "hosts", "evidence")  # of what runs there; the log rests on none of it
    shutil.copytree(stage.home, home, ignore=shutil.ignore_patterns("tour", "*.sock", "datasets", *running))
    return home


def _forget_tiles(home: Path) -> None:
    shutil.rmtree(home / "log")
    (home / "log").mkdir()


def _export(stage: Stage, home: Path, by: NewPerson | None = None) -> bytes:
    pack = stage.work / "cheats" / "forged.pack"
    person = by.id if by else stage.owner
    stage.expect("report", "pack", "-o", str(pack), "--force", by=person, home=home)
    return pack.read_bytes()
