"""What an SEV-SNP report shows."""

from collections.abc import Mapping
from datetime import datetime

from ringfence.attestation import certificates, snp_report
from ringfence.attestation.certificates import Certificate
from ringfence.attestation.model import (
    REPORT_DATA_SIZE,
    Appraisal,
    Bound,
    Claim,
    Expected,
    Level,
    Root,
    SnpEvidence,
    SnpValues,
)
from ringfence.attestation.snp_report import Report
from ringfence.attestation.verdict import Verdict
from ringfence.kernel.errors import VerificationFailed

_NOT_SHOWN = ("Where the machine stands: no report says so.", "What the guest did after it was started.")


def judge(
    evidence: SnpEvidence, expected: Expected, values: SnpValues, binding: Bound | None, at: datetime
) -> Appraisal:
    """Judge a report claim by claim; raise `MalformedInput` where a part of it cannot be read."""
    report = snp_report.parse(evidence.report)
    leaf = None if evidence.certificate is None else certificates.parse(evidence.certificate, "the chip's certificate")
    between = [certificates.parse(data) for data in evidence.chain]
    verdict = Verdict()
    if leaf is not None:
        verdict.decide(Claim.SIGNATURE, lambda: _signed(report, leaf))
        verdict.trace(lambda: _rooted(leaf, between, expected, at), "the key")
        _judge_identity(verdict, report, leaf)
        _judge_tcb(verdict, report, leaf, values)
        if evidence.crl is not None:
            listed = certificates.parse_crl(evidence.crl)
            verdict.decide(Claim.COLLATERAL, lambda: _unrevoked(listed, leaf, between, expected, at))
    verdict.bind(report.report_data, binding, size=REPORT_DATA_SIZE)
    _judge_policy(verdict, report, values)
    _judge_measurement(verdict, report, values)
    name = snp_report.product(leaf) if leaf is not None else ""
    shown = {"measurement": report.measurement.hex(), "host-data": report.host_data.hex()}
    return verdict.finish(
        expected,
        device=f"sev-snp:{report.chip.hex()}" if any(report.chip) else "",
        platform=f"AMD SEV-SNP {name}".rstrip(),
        measurements=shown,
        not_shown=_NOT_SHOWN,
    )


def _signed(report: Report, leaf: Certificate) -> str:
    is_provider = bool(snp_report.provider(leaf))
    if report.key != (snp_report.VLEK if is_provider else snp_report.VCEK):
        raise VerificationFailed("the report says that another kind of key signed it than the certificate is for")
    if not snp_report.is_signed(report, leaf.spki):
        raise VerificationFailed("the report is not signed by the key of the certificate beside it")
    return f"the key of {'the provider (VLEK)' if is_provider else 'the chip (VCEK)'} signed the report"


def _rooted(leaf: Certificate, between: list[Certificate], expected: Expected, at: datetime) -> Root:
    if leaf.is_ca:
        raise VerificationFailed("the certificate beside the report is for issuing others")
    return certificates.chained(leaf, between, expected.roots, at)


def _judge_identity(verdict: Verdict, report: Report, leaf: Certificate) -> None:
    if provider := snp_report.provider(leaf):
        reason = f"the key is the same on many chips of {provider}; which of them it is, only its firmware says"
        verdict.say(Claim.IDENTITY, Level.WARNING, reason)
        return

    def check() -> str:
        if not any(report.chip) or report.masks_chip:
            raise VerificationFailed("the report does not name its chip")
        if snp_report.hardware_id(leaf) != report.chip:
            raise VerificationFailed("the certificate beside the report is another chip's")
        return "the certificate is for the chip that the report names"

    verdict.decide(Claim.IDENTITY, check)


def _judge_tcb(verdict: Verdict, report: Report, leaf: Certificate, values: SnpValues) -> None:
    name = snp_report.product(leaf)
    if not values.least_tcb:
        verdict.say(Claim.TCB, Level.NONE, "no least versions of the firmware are demanded")
        return

    def check() -> str:
        if not name or (values.product and values.product != name):
            raise VerificationFailed(f"the certificate is for the product {name or 'of no name'}, not {values.product}")
        if report.policy & snp_report.SMT == 0 and report.platform & snp_report.SMT_RUNNING:
            raise VerificationFailed("the processor runs several threads, and the guest's policy forbids that")
        reported = snp_report.parts(report.reported_tcb, name)
        issued = snp_report.certified_parts(leaf)
        if any(issued.get(part) != version for part, version in reported.items()):
            raise VerificationFailed("the certificate is for other firmware versions than the report names")
        for stage in ("reported", "current", "committed", "launch"):
            _check_versions(stage, snp_report.parts(getattr(report, f"{stage}_tcb"), name), values.least_tcb)
        return f"the firmware of this {name} is no older than demanded, and cannot be put back to older"

    verdict.decide(Claim.TCB, check)


def _check_versions(stage: str, have: Mapping[str, int], least: Mapping[str, int]) -> None:
    for part, version in sorted(least.items()):
        if part not in have:
            raise VerificationFailed(f"this product has no part {part!r}, of which a least version is demanded")
        if have[part] < version:
            raise VerificationFailed(f"the {stage} version of {part} is {have[part]}, older than {version}")


def _judge_policy(verdict: Verdict, report: Report, values: SnpValues) -> None:
    def check() -> str:
        if report.policy & snp_report.DEBUG:
            raise VerificationFailed("the guest's policy allows the host to debug it: the host can read its memory")
        if not report.policy & snp_report.RESERVED_ONE or report.policy & ~snp_report.KNOWN_POLICY:
            raise VerificationFailed(f"the guest's policy 0x{report.policy:x} has bits whose meaning is not known here")
        if report.policy & snp_report.MIGRATION_AGENT and not values.allow_migration_agent:
            raise VerificationFailed("the guest's policy allows a migration agent, which can take its memory along")
        if report.policy & snp_report.SMT and not values.allow_smt:
            raise VerificationFailed("the guest's policy allows several threads per core")
        if report.vmpl != values.vmpl:
            raise VerificationFailed(f"the report was asked for at privilege level {report.vmpl}, not {values.vmpl}")
        return "the guest's policy forbids debugging and migration agents that were not allowed"

    verdict.decide(Claim.DEBUG, check)


def _judge_measurement(verdict: Verdict, report: Report, values: SnpValues) -> None:
    if not values.measurements:
        verdict.say(Claim.BOOT, Level.NONE, "there are no reference values to compare the measurement with")
    elif report.measurement not in values.measurements:
        verdict.say(Claim.BOOT, Level.CONTRAINDICATED, "the guest was started with another measurement than expected")
    else:
        verdict.say(Claim.BOOT, Level.AFFIRMING, "the guest was started with an expected measurement")


def _unrevoked(
    listed: certificates.Revocations, leaf: Certificate, between: list[Certificate], expected: Expected, at: datetime
) -> str:
    """Check AMD's list, which the root signs and which speaks of the keys below it."""
    root = certificates.chained(leaf, between, expected.roots, at)
    below = [certificate for certificate in (leaf, *between) if certificate.spki != root.spki]
    certificates.check_revocations(listed, below[-1].issuer, root.spki, at)
    if any(certificate.serial in listed.serials for certificate in below):
        raise VerificationFailed("the maker has revoked a key of the chain")
    return "the maker's revocation list is in force and does not name this chain"
