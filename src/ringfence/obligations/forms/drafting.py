"""From answers to what is signed. Pure: documents come as salt and digest, the day as an argument."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft, Strength
from ringfence.obligations.forms.checking import (
    FILES,
    check_details,
    detail_problem,
    problems,
    refuse,
    subject_of,
)
from ringfence.obligations.forms.model import Attached, Filling, Form, Kind, Known, Problem


def attached(name: str, data: bytes, salt: bytes) -> Attached:
    """Return a document as it is named in a claim: nobody who lacks the salt can tell which document it is."""
    return Attached(name, salt, Digest.of(salt + data))


def claims_of(form: Form, filling: Filling) -> dict[str, Any]:
    """Return the claims: the answers, the digests of the documents, and what follows from other answers."""
    claims = dict(filling.claims) | {name: str(one.digest) for name, one in filling.files.items()}
    for question in form.of_kind(Kind.COMPUTED):
        computed = question.computed.of(claims) if question.computed else None
        if question.name not in claims and computed is not None:
            claims[question.name] = computed
    return claims


def draft(form: Form, filling: Filling, tenant: Tenant, day: date, known: tuple[Known, ...] = ()) -> Draft:
    """Return what the person signs.

    Raises:
        MalformedInput: an answer is missing or does not fit; all that is wrong is named.
    """
    claims = claims_of(form, filling)
    refuse(form, problems(form, claims, day))
    if form.about.of is not None and not known:
        raise MalformedInput(
            f"it is about what a {form.about.of} statement names, and there is none yet", source="subject"
        )
    subject = subject_of(form, claims, filling.subject, tenant, known)
    details = details_of(filling)
    check_details(form, details, claims)
    return Draft(form.type, (subject,), claims, Strength.DOCUMENTED, details)


def details_of(filling: Filling) -> dict[str, Any]:
    """Return the side record: free texts, and what opens the digests of the documents."""
    salts = {name: {"name": one.name, "salt": one.salt.hex()} for name, one in filling.files.items()}
    return dict(filling.details) | ({FILES: salts} if salts else {})


def everything_wrong(
    form: Form, filling: Filling, tenant: Tenant, day: date, known: tuple[Known, ...] = ()
) -> tuple[Problem, ...]:
    """Return what is wrong with a form that is being filled, for showing it beside the questions."""
    claims = claims_of(form, filling)
    found = list(problems(form, claims, day))
    texts: Mapping[str, str] = filling.details
    found += [Problem(f"details.{name}", said) for name, text in texts.items() if (said := detail_problem(text))]
    try:
        subject_of(form, claims, filling.subject, tenant, known)
    except MalformedInput as error:
        if not {form.about.claim, form.about.digest} & {problem.field for problem in found}:
            found.append(Problem("subject", str(error).removeprefix("subject: ")))
    if form.about.of is not None and not known:
        found.append(Problem("subject", f"names what a {form.about.of} statement is about, and there is none yet"))
    return tuple(found)
