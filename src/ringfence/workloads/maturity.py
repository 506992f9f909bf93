"""Whose signature makes a second person: a credential that the log has known for a day, as the log knows it. Pure.

Whoever holds the root key can enrol somebody who does not exist. A day is what others have to notice it.
"""

from collections.abc import Callable
from datetime import datetime

from ringfence.cutoff.colleagues import established
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.two_person import MATURITY, TWO
from ringfence.ledger.issuers import Issuers

Mature = Callable[[KeyId, datetime], bool]


def is_mature(issuers: Issuers, key: KeyId, at: datetime) -> bool:
    """Tell whether the log had known a credential for a day when it signed; one that it does not know is not."""
    known = issuers.enrolments.get(key)
    return known is not None and at - known.recorded_at >= MATURITY


def is_first_day(issuers: Issuers, at: datetime) -> bool:
    """Tell whether fewer than two people had a credential that old: then nobody could have signed with one."""
    return len(established(issuers, at)) < TWO


def counts(issuers: Issuers, key: KeyId, at: datetime) -> bool:
    """Tell whether a signature of that time may stand for a person of its own."""
    return is_mature(issuers, key, at) or is_first_day(issuers, at)
