"""Decide which controls are set aside: by a row of a team's file, and a signature over exactly that file. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Statement
from ringfence.obligations.choices import Aside, Selected, SetAside
from ringfence.obligations.duties import day
from ringfence.obligations.model import Catalog, Control
from ringfence.obligations.records import Records
from ringfence.obligations.results import Duty, Standing
from ringfence.obligations.sieve import signed

NOT_APPLICABLE = PredicateName("control.not_applicable")
LONGEST = timedelta(days=366)
BINDS = "a duty behind it binds and the law sets its period: no file sets it aside"


def subject_of(control: str) -> str:
    """Return the name of the subject of a statement that sets a control aside."""
    return f"control/{control}"


def found(
    catalog: Catalog,
    standings: Mapping[str, Duty],
    records: Records,
    at: datetime,
    chosen: Selected | None,
) -> dict[str, Aside]:
    """Return, for each control that a file says does not apply, whether that counts at `at`, and why not."""
    result = {}
    for control in catalog.controls:
        row = catalog.overrides.set_aside.get(control.id)
        if row is not None:
            duties = [standings[name] for name in control.obligations]
            refused = _ended(row, at) or refusal(control, duties, chosen)
            result[control.id] = Aside(row, None, refused) if refused else _signed(row, records, at)
    return result


def refusal(control: Control, duties: Sequence[Duty], chosen: Selected | None) -> str:
    """Say why nobody can set a control aside, whatever is signed; nothing where somebody can."""
    if control.period_basis == "law" and any(duty.standing is Standing.BINDING for duty in duties):
        return BINDS
    if chosen is not None and control.id in chosen.profile.required:
        return f"in conflict with the signed profile {chosen.profile.id}, which asks for this control"
    return ""


def fits(statement: Statement, row: SetAside) -> str:
    """Say why a statement does not make a row count; nothing where it does."""
    claims = statement.claims
    if claims.get("overrideDigest") != str(row.file):
        return "its file changed after it was signed; sign it again"
    if (claims.get("control"), claims.get("expires")) != (row.control, row.expires.isoformat()):
        return "another end was signed than the file says"
    return ""


def _ended(row: SetAside, at: datetime) -> str:
    return f"it ended on {row.expires}" if at >= day(row.expires) else ""


def _signed(row: SetAside, records: Records, at: datetime) -> Aside:
    newest = next(signed(records, NOT_APPLICABLE, at, subject_of(row.control)), None)
    if newest is None:
        return Aside(row, None, f"nobody has signed it: ringfence rules sign {row.control}", signable=True)
    if day(row.expires) > newest.recorded_at + LONGEST:
        return Aside(row, newest.entry, f"it was signed for more than {LONGEST.days} days")
    why_not = fits(newest.envelope.statement, row)
    return Aside(row, newest.entry, why_not, signable=bool(why_not))
