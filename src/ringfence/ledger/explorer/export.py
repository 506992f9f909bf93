"""A found list as CSV, of which no spreadsheet takes a cell for a formula. Pure."""

from collections.abc import Iterable

from ringfence.frontends import spreadsheet
from ringfence.frontends.spreadsheet import Cell
from ringfence.kernel.clock import to_text
from ringfence.ledger.model import LoggedStatement

COLUMNS = (
    "entry", "recorded_at", "predicate", "subjects", "digests", "strength", "role", "issuer", "sequence", "standing",
    "demo", "late", "issued_at", "envelope",
)  # fmt: skip


def to_csv(statements: Iterable[LoggedStatement]) -> str:
    """Print statements as CSV (RFC 4180), every cell quoted."""
    return spreadsheet.to_csv([COLUMNS, *map(_cells, statements)])


def _cells(logged: LoggedStatement) -> list[Cell]:
    statement = logged.envelope.statement
    issuance = statement.issuance
    return [
        logged.entry,
        to_text(logged.recorded_at),
        statement.predicate,
        " ".join(subject.name for subject in statement.subjects),
        " ".join(str(subject.digest) for subject in statement.subjects),
        issuance.strength.text,
        logged.issuer.role.value if logged.issuer else "",
        logged.envelope.signer,
        issuance.sequence,
        logged.standing.value,
        "demo" if issuance.demo else "",
        "late" if issuance.late else "",
        to_text(issuance.issued_at),
        str(logged.envelope.digest),
    ]
