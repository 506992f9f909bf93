"""What is stated of movers and of imports. Pure; names and roles of a person stay in the side record."""

from ringfence.identity.joining.proposal import Proposal
from ringfence.kernel import digest
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject


def role_changed(person: PersonId, before: Role, after: Role, by: Person) -> Draft:
    """State that somebody's role is another one now."""
    claims = {"person": person, "by": by.id}
    subject = Subject(f"person/{person.removeprefix('person-')}", Digest.of(digest.dumps(claims)))
    details = {"before": before.value, "after": after.value}
    return Draft(PredicateName("person.role_changed"), (subject,), claims, Strength.OBSERVED, details)


def imported(proposal: Proposal, file: Digest, source: str, by: Person) -> Draft:
    """State that somebody confirmed what a directory's file proposed."""
    claims = {
        "leavers": len(proposal.leavers),
        "roleChanges": len(proposal.moves),
        "joinersLeft": len(proposal.joiners),
        "notInFile": proposal.not_in_file,
        "proposal": str(proposal.digest),
        "by": by.id,
    }
    # The file holds names: its digest stays in the side record, with the salt.
    details = {"source": source, "file": str(file)}
    subject = Subject("import/people", proposal.digest)
    return Draft(PredicateName("access.imported"), (subject,), claims, Strength.OBSERVED, details)
