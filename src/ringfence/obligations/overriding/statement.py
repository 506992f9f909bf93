"""What a person signs to set a control aside. Pure."""

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.obligations.asides import NOT_APPLICABLE, subject_of
from ringfence.obligations.choices import SetAside


def draft(row: SetAside) -> Draft:
    """State that a control does not apply until a day, by exactly the file that says so; the reason is erasable."""
    claims = {"control": row.control, "expires": row.expires.isoformat(), "overrideDigest": str(row.file)}
    details = {"reason": row.reason, "owner": row.owner}
    return Draft(NOT_APPLICABLE, (Subject(subject_of(row.control), row.file),), claims, Strength.DOCUMENTED, details)


def check(statement: Statement, details: object, row: SetAside) -> None:
    """Return where a statement says what the file says, or raise `MalformedInput`."""
    wanted = draft(row)
    said = (statement.predicate, statement.subjects, statement.claims, statement.issuance.strength)
    if said != (wanted.predicate, wanted.subjects, wanted.claims, wanted.strength) or details != wanted.details:
        raise MalformedInput(f"what was signed is not what the file says of {row.control} now; sign it again")
