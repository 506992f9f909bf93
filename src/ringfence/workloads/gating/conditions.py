"""The conditions of the gate, each computed from statements only: what no counted statement shows is not met. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringfence.artifacts.models import statements as models
from ringfence.artifacts.models.model import Verdict
from ringfence.artifacts.statements import SEALED, VERIFIED
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.evidence import TRUSTED
from ringfence.kernel.identifier import KeyId, PersonId, PredicateName
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import LoggedStatement
from ringfence.lineage.model import Closure, GapKind, Kind, Ref
from ringfence.redteam import statements as redteam
from ringfence.workloads.gatefile import CONDITIONS, GateRules
from ringfence.workloads.gating import statements
from ringfence.workloads.gating.model import Condition, Outcome
from ringfence.workloads.intake.model import Intake, State
from ringfence.workloads.maturity import Mature

BOM = PredicateName("mlbom.generated")
PREDICATES = (models.SIGNED, models.SCAN, SEALED, VERIFIED, redteam.RUN, BOM, statements.APPROVED)
SHOWN = 3  # gaps that a sentence names
_TOLD = 300  # characters of a sentence that comes from elsewhere

Found = tuple[Outcome, str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the conditions look at."""

    digest: Digest
    logged: Sequence[LoggedStatement]  # of `PREDICATES`, in log order
    closure: Closure
    intakes: Sequence[Intake]
    in_force: Callable[[KeyId], bool]  # whether a key of ours may state anything now
    mature: Mature  # whether a credential was known for long enough when it signed
    at: datetime

    def about(self, predicate: PredicateName, digest: Digest | None = None) -> list[LoggedStatement]:
        """Return the counted statements of a type about a digest, the newest last."""
        wanted = digest or self.digest
        return [
            one
            for one in self.counted(predicate)
            if any(subject.digest == wanted for subject in one.envelope.statement.subjects)
        ]

    def counted(self, predicate: PredicateName) -> list[LoggedStatement]:
        """Return the statements of a type by keys that count."""
        return [one for one in self.logged if one.envelope.statement.predicate == predicate and one.standing == TRUSTED]

    def accepted(self, digest: Digest) -> Intake | None:
        """Return the newest intake of a model that a person accepted, where its newest decision is that."""
        found = [one for one in self.intakes if one.digest == digest and one.decided]
        newest = max(found, key=lambda one: one.decided.entry if one.decided else -1, default=None)
        return newest if newest is not None and newest.state is State.ACCEPTED else None

    def old(self, one: LoggedStatement, most: timedelta) -> bool:
        """Tell whether a statement is older than it may be; one from the future is, too."""
        return not timedelta(0) <= self.at - one.recorded_at <= most


def judge(evidence: Evidence, rules: GateRules) -> tuple[Condition, ...]:
    """Return every condition, those that are not demanded included."""
    found: Mapping[str, Found] = {
        "signed": _signed(evidence),
        "data": _data(evidence),
        "lineage": _lineage(evidence),
        "scan": _scan(evidence, rules),
        "redteam": _redteam(evidence, rules),
        "bom": _bom(evidence, rules),
        "approval": _approval(evidence, rules),
    }
    return tuple(Condition(name, *found[name], demanded=name in rules.demands) for name in CONDITIONS)


def _unmet(because: str, *entries: int) -> Found:
    return Outcome.UNMET, because, entries


def _signed(evidence: Evidence) -> Found:
    found = evidence.about(models.SIGNED)
    if not found:
        return _unmet("nobody whose key counts signed these bytes")
    now = [one for one in found if evidence.in_force(one.envelope.signer)]
    if not now:
        return _unmet("whoever signed these bytes has no key in force any more", found[-1].entry)
    return Outcome.MET, "signed by a key that is in force", (now[-1].entry,)


def _data(evidence: Evidence) -> Found:
    """Judge the datasets behind the model: each sealed, none damaged, none erased; none at all meets nothing."""
    datasets = [ref for ref in evidence.closure.things if ref.kind is Kind.DATASET]
    outside = evidence.accepted(evidence.digest)
    if not datasets and outside is not None and outside.decided is not None:
        return (
            Outcome.WAIVED,
            "it came from outside, accepted by a person; what it was trained on is not known here",
            (outside.decided.entry,),
        )
    if not datasets:
        return _unmet("no sealed dataset is stated that it was trained on")
    entries: list[int] = []
    for ref in datasets:
        because, rests = _sealed(evidence, ref)
        if because:
            return _unmet(because, *rests)
        entries += rests
    return Outcome.MET, f"every one of {len(datasets)} datasets is sealed", tuple(entries)


def _sealed(evidence: Evidence, ref: Ref) -> tuple[str, tuple[int, ...]]:
    named = ref.digest.hex[:12]
    for gap in evidence.closure.gaps:
        if gap.about == ref:
            return f"dataset {named}: {gap.text[:_TOLD]}", gap.entries
    sealed = evidence.about(SEALED, ref.digest)
    if not sealed:
        return f"no seal of dataset {named} is stated by a key that counts", ()
    checks = evidence.about(VERIFIED, ref.digest)
    if checks and checks[-1].envelope.statement.claims.get("result") != "pass":
        return f"dataset {named} failed its newest verification", (checks[-1].entry,)
    return "", (sealed[-1].entry, *(one.entry for one in checks[-1:]))


def _lineage(evidence: Evidence) -> Found:
    closure, accepted = evidence.closure, list[int]()
    gaps = []
    for gap in closure.gaps:
        let_in = evidence.accepted(gap.about.digest) if gap.kind is GapKind.NO_ORIGIN else None
        if let_in is not None and let_in.decided is not None:
            accepted.append(let_in.decided.entry)  # its origin is the outside, and a person let it in
        else:
            gaps.append(gap)
    if gaps:
        told = "; ".join(gap.text[:_TOLD] for gap in gaps[:SHOWN])
        more = f"; {len(gaps) - SHOWN} more" if len(gaps) > SHOWN else ""
        entries = sorted({entry for gap in gaps for entry in gap.entries})
        return _unmet(f"{told}{more}", *entries)
    for end in closure.ends:
        let_in = evidence.accepted(end.digest)
        if let_in is None or let_in.decided is None:
            return _unmet(
                f"model {end.digest.hex[:12]} was imported, and no person's decision to let it in is recorded"
            )
        accepted.append(let_in.decided.entry)
    entries = sorted({*closure.entries, *accepted})
    if not entries:
        return _unmet("no statement says where it comes from")
    return Outcome.MET, "every step back to sealed data, or to a decision to let a model in, is stated", tuple(entries)


def _scan(evidence: Evidence, rules: GateRules) -> Found:
    found = [(one, claims) for one in evidence.about(models.SCAN) if (claims := _read(one, models.SCAN)) is not None]
    if not found:
        return _unmet("no scan of these files is stated")
    newest, claims = found[-1]
    if claims["verdict"] != Verdict.CLEAN:
        return _unmet(f"the newest scan says {claims['verdict']}", newest.entry)
    if evidence.old(newest, rules.scan):
        return _unmet(f"the newest scan is older than {rules.scan.days} days", newest.entry)
    return Outcome.MET, "the newest scan is clean", (newest.entry,)


def _read(one: LoggedStatement, predicate: PredicateName) -> Mapping[str, Any] | None:
    try:
        return models.claims_of(one.envelope.statement, predicate)
    except (RingfenceError, KeyError):
        return None


def _redteam(evidence: Evidence, rules: GateRules) -> Found:
    """Judge the newest run of every suite against these bytes: each a gate that passed, within the tenant's bound."""
    newest: dict[str, LoggedStatement] = {}
    for one in evidence.counted(redteam.RUN):
        said = one.envelope.statement
        try:
            claims = redteam.check(said).claims
        except RingfenceError:
            continue
        if claims.get("modelDigest") == str(evidence.digest):
            newest[str(claims["suite"])] = one
    if not newest:
        return _unmet("no red-team run against these bytes is stated")
    for suite, one in sorted(newest.items()):
        if because := _out_of_bounds(one.envelope.statement.claims, rules):
            return _unmet(f"{suite}: {because}", one.entry)
        if evidence.old(one, rules.redteam):
            return _unmet(f"{suite}: the newest run is older than {rules.redteam.days} days", one.entry)
    entries = tuple(sorted(one.entry for one in newest.values()))
    return Outcome.MET, f"within the bound in {', '.join(sorted(newest))}", entries


def _out_of_bounds(claims: Mapping[str, Any], rules: GateRules) -> str:
    if claims["label"] != "gate":
        return "it has too few cases for a gate"
    if claims["verdict"] != "pass":
        return f"its verdict is {claims['verdict']}"
    worst = max(each["upperPpm"] for each in claims["families"])
    return f"the upper bound is {worst} ppm, above {rules.bound_ppm}" if worst > rules.bound_ppm else ""


def _bom(evidence: Evidence, rules: GateRules) -> Found:
    found = evidence.about(BOM)
    if not found:
        return _unmet("no bill of materials of these bytes is stated")
    newest = found[-1]
    if because := _incomplete(newest.envelope.statement.claims):
        return _unmet(f"the newest bill of materials {because}", newest.entry)
    if evidence.old(newest, rules.bom):
        return _unmet(f"the newest bill of materials is older than {rules.bom.days} days", newest.entry)
    return Outcome.MET, "a bill of materials lists every file", (newest.entry,)


def _incomplete(claims: Mapping[str, Any]) -> str:
    files = claims.get("modelFiles")
    if claims.get("schemaErrors") != 0 or claims.get("danglingReferences") != 0:
        return "does not validate"
    if type(files) is not int or files < 1 or claims.get("filesMatched") != files:
        return "does not list every signed file with its digest"
    return ""


def _approval(evidence: Evidence, rules: GateRules) -> Found:
    """Count people who approve: none signed the model, none was enrolled by another, each known for a day by then."""
    signers = {one.issuer.person for one in evidence.about(models.SIGNED) if one.issuer}
    newest: dict[PersonId, LoggedStatement] = {}
    for one in evidence.about(statements.APPROVED):
        if one.issuer and one.issuer.person and one.issuer.role is KeyRole.OPERATOR and _is_decision(one):
            newest[one.issuer.person] = one
    agreeing = {
        person: one
        for person, one in newest.items()
        if one.envelope.statement.claims["decision"] == statements.APPROVE
        and evidence.in_force(one.envelope.signer)
        and not evidence.old(one, rules.approval)
        and evidence.mature(one.envelope.signer, one.recorded_at)
    }
    apart = _independent({person: one for person, one in agreeing.items() if person not in signers})
    entries = sorted(one.entry for one in apart)
    if len(apart) < rules.approvals:
        return _unmet(
            f"{len(apart)} of {rules.approvals} people approve, who did not sign the model themselves, each by a "
            "credential that the log had known for a day",
            *entries,
        )
    return Outcome.MET, f"{len(apart)} people approve, none of whom signed the model", tuple(entries)


def _is_decision(one: LoggedStatement) -> bool:
    try:
        statements.claims_of(one.envelope.statement, statements.APPROVED)
    except RingfenceError:
        return False
    return True


def _independent(agreeing: Mapping[PersonId, LoggedStatement]) -> list[LoggedStatement]:
    """Leave out whoever's key was enrolled by another of them: one person could have made that one up."""
    return [
        one
        for person, one in agreeing.items()
        if one.issuer and (one.issuer.enrolled_by == person or one.issuer.enrolled_by not in agreeing)
    ]
