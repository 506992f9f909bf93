"""What a TDX quote shows, with the collateral beside it."""

from dataclasses import dataclass
from datetime import datetime

from ringfence.attestation import certificates, tdx_collateral, tdx_quote
from ringfence.attestation.certificates import Certificate
from ringfence.attestation.model import (
    REPORT_DATA_SIZE,
    Appraisal,
    Bound,
    Claim,
    Expected,
    Level,
    Root,
    TdxEvidence,
    TdxValues,
)
from ringfence.attestation.tdx_collateral import Answer
from ringfence.attestation.tdx_quote import Platform, Quote
from ringfence.attestation.verdict import Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed

_PCK = "Intel SGX PCK Certificate"
_NOT_SHOWN = ("Where the machine stands: no quote says so.", "What the guest did after it was started.")


@dataclass(frozen=True, slots=True)
class _Read:
    """A quote with everything beside it, read."""

    quote: Quote
    chain: list[Certificate]
    platform: Platform
    tcb_info: Answer | None
    identity: Answer | None
    tcb_chain: list[Certificate]
    pck_crl: certificates.Revocations | None
    root_crl: certificates.Revocations | None


def judge(
    evidence: TdxEvidence, expected: Expected, values: TdxValues, binding: Bound | None, at: datetime
) -> Appraisal:
    """Judge a quote claim by claim; raise `MalformedInput` where a part of it cannot be read."""
    read = _read(evidence)
    quote = read.quote
    verdict = Verdict()
    verdict.decide(Claim.SIGNATURE, lambda: _signed(quote, read.chain[0]))
    verdict.trace(lambda: _rooted(read.chain, expected, at), "the platform's key")
    verdict.decide(Claim.IDENTITY, lambda: _identified(read.platform))
    verdict.bind(quote.report_data, binding, size=REPORT_DATA_SIZE)
    verdict.decide(Claim.DEBUG, lambda: _undebugged(quote))
    _judge_measurements(verdict, quote, values)
    _judge_collateral(verdict, read, expected, values, at)
    shown = {"mrtd": quote.mrtd.hex(), "mrseam": quote.module.hex()}
    return verdict.finish(
        expected,
        # Its PCK key is another one for each TCB level, and the host chooses among those that it has reached.
        device=f"tdx:{Digest.of(bytes.fromhex(read.platform.ppid))}",
        platform=f"Intel TDX, FMSPC {read.platform.fmspc}",
        measurements=shown | {f"rtmr-{number}": value.hex() for number, value in enumerate(quote.rtmrs)},
        not_shown=_NOT_SHOWN,
    )


def _read(evidence: TdxEvidence) -> _Read:
    quote = tdx_quote.parse(evidence.quote)
    chain = [certificates.parse(data, "a PCK certificate") for data in quote.chain]
    return _Read(
        quote,
        chain,
        tdx_quote.platform(chain[0]),
        None if evidence.tcb_info is None else tdx_collateral.parse(evidence.tcb_info, "tcbInfo"),
        None if evidence.qe_identity is None else tdx_collateral.parse(evidence.qe_identity, "enclaveIdentity"),
        [certificates.parse(data, "a TCB signing certificate") for data in evidence.tcb_chain],
        None if evidence.pck_crl is None else certificates.parse_crl(evidence.pck_crl),
        None if evidence.root_crl is None else certificates.parse_crl(evidence.root_crl),
    )


def _signed(quote: Quote, pck: Certificate) -> str:
    if broken := tdx_quote.is_signed(quote, pck):
        raise VerificationFailed(broken)
    after = f"; {quote.after} bytes after it were not read" if quote.after else ""
    return f"the platform's quoting enclave signed the quote{after}"


def _rooted(chain: list[Certificate], expected: Expected, at: datetime) -> Root:
    if chain[0].common_name != _PCK or chain[0].is_ca:
        raise VerificationFailed("the first certificate in the quote is not a PCK certificate")
    return certificates.chained(chain[0], chain[1:], expected.roots, at)


def _identified(platform: Platform) -> str:
    if not any(bytes.fromhex(platform.ppid)):
        raise VerificationFailed("the PCK certificate names no platform: its PPID is zero")
    return "the PCK certificate names one platform"


def _undebugged(quote: Quote) -> str:
    if quote.attributes & tdx_quote.DEBUG:
        raise VerificationFailed("the guest runs in debug mode, so that the host can read its memory")
    if quote.attributes & tdx_quote.UNDER_DEBUG:
        raise VerificationFailed(f"the guest's attributes 0x{quote.attributes:x} have bits of the debug group")
    if quote.attributes & tdx_quote.MIGRATABLE:
        raise VerificationFailed(
            "the guest may be migrated: another guest of the host's choice can take its memory along"
        )
    if quote.attributes & tdx_quote.SECURITY & ~tdx_quote.HARMLESS:
        raise VerificationFailed(f"the guest's attributes 0x{quote.attributes:x} have bits that are not known here")
    return "the guest does not run in debug mode, and may not be migrated"


def _judge_measurements(verdict: Verdict, quote: Quote, values: TdxValues) -> None:
    def check() -> str:
        if quote.mrtd not in values.mrtd:
            raise VerificationFailed("the guest was started with another measurement (MRTD) than expected")
        for number, right in sorted(values.rtmrs.items()):
            if quote.rtmrs[number] not in right:
                raise VerificationFailed(f"RTMR {number} has another value than the reference values")
        return f"MRTD and {len(values.rtmrs)} RTMRs equal the reference values"

    if not values.mrtd:
        verdict.say(Claim.BOOT, Level.NONE, "there are no reference values to compare the measurements with")
    elif verdict.decide(Claim.BOOT, check) and not {0, 1, 2} <= set(values.rtmrs):
        reason = "MRTD stands for the firmware alone, and no reference values are given for RTMR 0, 1 and 2"
        verdict.say(Claim.BOOT, Level.WARNING, reason)


def _judge_collateral(verdict: Verdict, read: _Read, expected: Expected, values: TdxValues, at: datetime) -> None:
    """Judge the collateral, and by it the TCB; without it nothing is known of versions or revocation."""
    info, identity, pck_crl, root_crl = read.tcb_info, read.identity, read.pck_crl, read.root_crl
    if info is None or identity is None or pck_crl is None or root_crl is None or not read.tcb_chain:
        missing = "TCB info, enclave identity, their signer's certificate and both revocation lists"
        verdict.say(Claim.COLLATERAL, Level.NONE, f"the collateral is not whole: {missing} are needed")
        verdict.say(Claim.TCB, Level.NONE, "without collateral nobody knows whether its versions are good")
        return
    if verdict.decide(
        Claim.COLLATERAL, lambda: _in_force(read, (info, identity), (pck_crl, root_crl), expected, values, at)
    ):
        verdict.decide(Claim.TCB, lambda: _status(read, info, identity, values))
    else:
        verdict.say(
            Claim.TCB, Level.NONE, "the collateral does not count, so nobody knows whether its versions are good"
        )


def _in_force(
    read: _Read,
    answers: tuple[Answer, Answer],
    lists: tuple[certificates.Revocations, certificates.Revocations],
    expected: Expected,
    values: TdxValues,
    at: datetime,
) -> str:
    signer, between = read.tcb_chain[0], read.tcb_chain[1:]
    if signer.common_name != tdx_collateral.TCB_SIGNER or signer.is_ca:
        raise VerificationFailed("the certificate beside the collateral is not that of its signer")
    root = certificates.chained(signer, between, expected.roots, at)
    if root.spki != _rooted(read.chain, expected, at).spki:
        raise VerificationFailed("the collateral stands under another root than the platform's key")
    for answer in answers:
        tdx_collateral.check(answer, signer.spki, at)
        if answer.evaluation < values.least_evaluation:
            raise VerificationFailed(
                f"the collateral is of evaluation {answer.evaluation}, older than {values.least_evaluation}"
            )
    _check_unrevoked(read, lists, root.spki, at)
    return f"it is signed, nobody is revoked, and it holds until {min(answer.following for answer in answers):%Y-%m-%d}"


def _check_unrevoked(
    read: _Read, lists: tuple[certificates.Revocations, certificates.Revocations], root: bytes, at: datetime
) -> None:
    """Check both lists: the PCK issuer's names PCK certificates, the root's names the issuers below it."""
    if len(read.chain) < 2 or read.chain[1].spki == root:
        raise VerificationFailed("the PCK certificate has no issuer below the root, whose revocations are looked at")
    pck, issuer = read.chain[0], read.chain[1]
    pck_list, root_list = lists
    certificates.check_revocations(pck_list, issuer.subject, issuer.spki, at)
    certificates.check_revocations(root_list, issuer.issuer, root, at)
    if pck.serial in pck_list.serials:
        raise VerificationFailed("Intel has revoked the platform's PCK certificate")
    if {above.serial for above in (issuer, *read.tcb_chain)} & root_list.serials:
        raise VerificationFailed("Intel has revoked an issuer of the chain")


def _status(read: _Read, info: Answer, identity: Answer, values: TdxValues) -> str:
    statuses = (
        *tdx_collateral.platform_statuses(info, read.platform, read.quote),
        tdx_collateral.enclave_status(identity, read.quote.enclave),
    )
    accepted = values.statuses and values.statuses | {tdx_collateral.STATUSES[0]}
    for status in statuses:  # each by itself: the worst may be accepted, and one before it not
        if status not in accepted:
            raise VerificationFailed(
                f"the platform's TCB status is {status}, and {sorted(values.statuses)} are accepted"
            )
    return f"the platform's TCB status is {tdx_collateral.worst(*statuses)}"
