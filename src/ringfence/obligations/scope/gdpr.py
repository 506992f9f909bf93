"""Where the GDPR touches an organisation, and what is peculiar to special categories."""

from collections.abc import Mapping
from typing import Any

from ringfence.obligations.scope.answer import UNDETERMINED, Gap, Notes, Part, Reason
from ringfence.obligations.scope.model import Organisation, PersonalData
from ringfence.obligations.scope.rules import Rules

_POINTS = (
    ("GDPR 5(1)(f), 5(2)", "integrity and confidentiality; accountability"),
    ("GDPR 25", "data protection by design and by default"),
    ("GDPR 30", "records of processing"),
    ("GDPR 32", "security of processing: pseudonymisation and encryption, resilience, restoring, regular tests"),
    ("GDPR 33, 34", "notification of breaches"),
    ("GDPR 35, 36", "data protection impact assessment, prior consultation"),
)
_PROCESSOR = ("GDPR 28", "as a processor for customers: a contract, and their authorisation of further processors")
_TRANSFER = ("GDPR 44-49", "transfers; remote access from a third country is one")
_BIAS = ("AI Act 4a", "a legal basis for special categories where bias is to be detected, under six conditions")


def processes(organisation: Organisation) -> bool | None:
    """Say whether personal data are processed: its own answer, or that it does so for a customer."""
    if any(customer.personal_data for customer in organisation.customers or ()):
        return True
    kind = organisation.personal_data
    return None if kind is None else kind is not PersonalData.NONE


def touch_points(organisation: Organisation, law: Rules) -> Part:
    """Return the provisions that concern it, each certain or possible."""
    notes = Notes()
    found = processes(organisation)
    if found is None:
        notes.gaps.append(Gap("personal_data", ("true", "false"), ("personal_data",)))
    if found is False:
        notes.reasons.append(Reason("personal_data", "none", "GDPR 28, 32", "it says that it processes none"))
        return Part(reasons=tuple(notes.reasons))
    status = "binding" if found else UNDETERMINED
    points = (*_POINTS, *_particular(organisation, law))
    if found:
        because = _why(organisation)
        notes.reasons.append(Reason("personal_data", "processed", "GDPR 5, 32", because))
    return Part(tuple(_row(ref, what, status) for ref, what in points), tuple(notes.reasons), tuple(notes.gaps))


def _particular(organisation: Organisation, law: Rules) -> list[tuple[str, str]]:
    found = []
    if any(customer.personal_data for customer in organisation.customers or ()):
        found.append(_PROCESSOR)
    if any(code not in law.member_states for code in organisation.establishment.countries or ()):
        found.append(_TRANSFER)
    if organisation.personal_data is PersonalData.SPECIAL and organisation.ai_systems:
        found.append(_BIAS)
    return found


def _why(organisation: Organisation) -> str:
    match organisation.personal_data:
        case PersonalData.SPECIAL:
            return "it says that it processes personal data, of special categories too"
        case PersonalData.ORDINARY:
            return "it says that it processes personal data"
        case _:
            return "it does so for a customer"


def _row(ref: str, what: str, status: str) -> Mapping[str, Any]:
    return {"provision": ref, "what": what, "status": status}
