"""A found list as CSV, of which no spreadsheet takes a cell for a formula. Pure."""

import csv
import io
from collections.abc import Iterable

from ringfence.kernel.clock import to_text
from ringfence.ledger.model import LoggedStatement

COLUMNS = (
    "entry", "recorded_at", "predicate", "subjects", "digests", "strength", "role", "issuer", "sequence", "standing",
    "demo", "late", "issued_at", "envelope",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def to_csv(statements: Iterable[LoggedStatement]) -> str:
    """Print statements as CSV (RFC 4180), every cell quoted."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(value) for value in _cells(logged)] for logged in statements)
    return out.getvalue()


def cell(text: str) -> str:
    """Return a text as a cell that a spreadsheet shows and does not compute."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _cells(logged: LoggedStatement) -> list[str]:
    statement = logged.envelope.statement
    issuance = statement.issuance
    return [
        str(logged.entry),
        to_text(logged.recorded_at),
        statement.predicate,
        " ".join(subject.name for subject in statement.subjects),
        " ".join(str(subject.digest) for subject in statement.subjects),
        issuance.strength.text,
        logged.issuer.role.value if logged.issuer else "",
        logged.envelope.signer,
        str(issuance.sequence),
        logged.standing.value,
        "demo" if issuance.demo else "",
        "late" if issuance.late else "",
        to_text(issuance.issued_at),
        str(logged.envelope.digest),
    ]
