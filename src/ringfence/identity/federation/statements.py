"""What is stated of names elsewhere. Pure; source and subject stay in the side record."""

from ringfence.identity.federation.model import Alias
from ringfence.kernel import digest
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject


def alias_linked(alias: Alias, by: Person) -> Draft:
    """State that a person can sign in elsewhere."""
    return _draft(PredicateName("person.linked"), alias, by)


def alias_unlinked(alias: Alias, by: Person) -> Draft:
    """State that a person can sign in there no more."""
    return _draft(PredicateName("person.unlinked"), alias, by)


def _draft(predicate: PredicateName, alias: Alias, by: Person) -> Draft:
    claims = {"person": alias.person, "by": by.id}
    details = {"source": alias.source, "subject": alias.subject}
    subject = Subject(f"person/{alias.person.removeprefix('person-')}", Digest.of(digest.dumps(claims)))
    return Draft(predicate, (subject,), claims, Strength.OBSERVED, details)
