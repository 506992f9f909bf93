"""What a person signs to put a profile in force. Pure."""

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.obligations.choices import Profile
from ringfence.obligations.profile import SELECTED


def draft(before: Profile, after: Profile, shown: Digest) -> Draft:
    """State that a profile is in force from now on; `shown` is the digest of the difference that was read."""
    claims = {"profile": after.id, "before": before.id, "difference": str(shown)}
    return Draft(SELECTED, (Subject(f"profile/{after.id}", after.digest),), claims, Strength.DOCUMENTED)


def check(statement: Statement, before: Profile, after: Profile, shown: Digest) -> None:
    """Return where a statement says exactly what holds now.

    Raises:
        MalformedInput: it is about something else.
        Conflict: what would change is not what was shown any more.
    """
    wanted = draft(before, after, shown)
    named = (statement.predicate, statement.subjects, statement.issuance.strength)
    if named != (wanted.predicate, wanted.subjects, wanted.strength) or statement.claims.keys() != wanted.claims.keys():
        raise MalformedInput(f"this is where the profile {after.id} is put in force, and nothing else is stated")
    if statement.claims != wanted.claims:
        raise Conflict(
            "what would change is not what you were shown any more; look at the difference again, and sign it"
        )
