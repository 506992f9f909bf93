"""An act that takes two people: what each half has to be worth, and when it does not count as one. Pure.

Two signatures are two people only where neither could have made the other up. Whoever can enrol somebody, or has just
got a credential, is not yet a second person; in the first day of an installation nobody is, and that is stated.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused
from ringfence.kernel.identifier import PersonId

MATURITY = timedelta(hours=24)  # how long the log has known a credential that counts for such an act
TWO = 2


@dataclass(frozen=True, slots=True)
class Half:
    """One person's signed part, as the log knows it."""

    person: PersonId
    subject: Digest  # what the statement is about
    at: datetime  # when it was signed
    algorithm: str
    known_since: datetime  # when the log learnt of the credential
    credential_by: str  # who enrolled the credential: the root, or a person
    person_by: PersonId | None = None  # who enrolled the person, where that is known


@dataclass(frozen=True, slots=True)
class TwoPersonAct:
    """Two halves that belong together, once `check` has let them pass."""

    asked: Half
    agreed: Half

    @property
    def bootstrap(self) -> bool:
        """Tell whether a credential was too young: what asks for two people counts no such act."""
        return any(half.at - half.known_since < MATURITY for half in (self.asked, self.agreed))

    @property
    def claims(self) -> dict[str, Any]:
        """Return what the statement of the effect says about it."""
        return {
            "bootstrap": self.bootstrap,
            "requestedWith": self.asked.algorithm,
            "approvedWith": self.agreed.algorithm,
        }


def check(act: TwoPersonAct, *, established: int, within: timedelta) -> None:
    """Return where two halves make one act.

    Args:
        act: both halves; `asked` is the one that was signed first.
        established: how many people have a credential that is old enough, at the time of the second half.
        within: how long after the first half the second counts.

    Raises:
        Refused: they are one person's, or one of the two could have made the other up, or they do not belong together.
    """
    asked, agreed = act.asked, act.agreed
    _check_people(asked, agreed)
    if asked.subject != agreed.subject:
        raise Refused("the two signatures are about different things")
    if not timedelta(0) <= agreed.at - asked.at <= within:
        raise Refused("the second signature comes before the first, or too long after it; begin anew")
    if act.bootstrap and established >= TWO:
        raise Refused(
            "a credential that is younger than 24 hours makes no second person where two people have older ones; sign "
            "with an older one, or ask one of them"
        )


def _check_people(asked: Half, agreed: Half) -> None:
    if asked.person == agreed.person:
        raise Refused("the person who asks cannot approve: another one has to look and sign")
    for half, other in ((asked, agreed), (agreed, asked)):
        if other.person in {half.credential_by, half.person_by}:
            raise Refused("one of the two enrolled the other; somebody who is independent of both has to sign")
