"""A pack of 100,000 statements, checked by each of the three verifiers; and a log of a million entries, all checked."""

import base64
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ledger import observation
from measurement import Row, timed
from sqlalchemy import insert

from ringfence.kernel import digest
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import to_millis
from ringfence.kernel.digest import Digest
from ringfence.ledger import trust as trust_file
from ringfence.ledger.model import Trust
from ringfence.reports.bundle import zipapp
from ringfence.reports.service import draft_of
from ringfence.reports.verify import verify
from ringfence.storage.rows import STATEMENTS
from ringfence.testing.home import TENANT, make, signed

RECORDS = 100_000
MILLION = 1_000_000
BATCH = 10_000
MINUTE = 60_000.0
SCRIPT = Path(__file__).parents[1] / "docs" / "auditors" / "verify_pack.py"


def long_pack(place: Path) -> tuple[bytes, Trust]:
    """Make a pack of so many statements of one tenant, in a real installation."""
    home = make(place / "home")
    with home.services() as services:
        first = services.outbox.next_sequence(TENANT, services.outbox.signer.key)
        for start in range(first, RECORDS, BATCH):
            made = [observation(services, number) for number in range(start, min(start + BATCH, RECORDS))]
            with services.database.transaction():
                services.outbox.append_all(made)
            while services.ledger.integrate():
                pass
        preview = services.packs.preview(TENANT)
        envelope, opening = signed(services, home.people[Role.OWNER], draft_of(preview.to_json()))
        return services.packs.issue(envelope, opening, by=home.actor()), services.packs.trust


def verified() -> list[Row]:
    """Check the pack with ours, with the auditors' script, and with the zipapp, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        data, trusted = long_pack(place)
        pack, trust, program = place / "a.pack", place / "trust.json", place / "recheck.pyz"
        pack.write_bytes(data)
        trust.write_text(trust_file.to_text(trusted), encoding="utf-8")
        program.write_bytes(zipapp())
        records = verify(data, trusted).checked
        commands = {
            "ringfence verify": ["-m", "ringfence", "verify", pack, "--trust", trust],
            "the auditors' script": [SCRIPT, pack, trust],
            "the zipapp": [program, pack, "--trust", trust],
        }
        size = f"{records} records, {len(data) / 2**20:.0f} MiB; one process, interpreter and reading included"
        return [
            Row(f"pack verified by {name}", "< 60 s", [timed(lambda c=command: _run(c))], limit=MINUTE, note=size)
            for name, command in commands.items()
        ]


def _run(command: list[object]) -> None:
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-400:] + done.stderr[-400:])


def rows(start: int, at: int) -> Iterator[dict[str, object]]:
    """Yield rows of statements that nobody signed: the audit compares bytes and asks no signature of an issuer."""
    for number in range(start, start + BATCH):
        payload = digest.dumps(
            {"predicate": {"issuance": {"tenant": TENANT}, "claims": {"n": number, "pad": "x" * 400}}}
        )
        envelope = digest.dumps({"payload": base64.b64encode(payload).decode()})
        yield {
            "tenant": TENANT,
            "issuer": "0" * 64,
            "sequence": number,
            "predicate": "log.heartbeat",
            "idempotency_key": str(number),
            "digest": Digest.of(envelope).value,
            "envelope": envelope,
            "sequenced_at": at,
        }


def audited() -> list[Row]:
    """Fill a real log with a million entries and let it be checked completely."""
    with tempfile.TemporaryDirectory() as name, make(Path(name) / "home").services() as services:
        for start in range(1, MILLION, BATCH):
            with services.database.transaction():
                services.database.connection().execute(
                    insert(STATEMENTS), list(rows(start, to_millis(services.clock.now())))
                )
            services.ledger.integrate()
        found = []
        took = timed(lambda: found.append(services.ledger.audit()))
        (audit,) = found
        if audit.failures or audit.entries < MILLION:
            raise RuntimeError(f"{audit.entries} entries, {audit.failures[:3]}")
        note = f"{audit.entries} entries and {audit.checkpoints} checkpoints compared, {len(audit.failures)} failures"
        return [Row("log audited completely, 1,000,000", "printed", [took], note=note)]


def measure() -> list[Row]:
    """Measure both."""
    return [*verified(), *audited()]
