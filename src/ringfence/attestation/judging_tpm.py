"""What a TPM's quote, its log and the list of IMA show together."""

from collections.abc import Mapping
from datetime import date, datetime

from ringfence.attestation import boot, certificates, der, event_log, ima
from ringfence.attestation import tpm_structures as tpm
from ringfence.attestation.model import (
    Activation,
    Appraisal,
    Bound,
    Claim,
    Expected,
    Level,
    TpmEvidence,
    TpmValues,
)
from ringfence.attestation.tpm_structures import Public, Quote
from ringfence.attestation.verdict import Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

LOGGED = frozenset({*range(10), 14})  # PCRs that firmware, loaders and the kernel's stub alone extend
_HIERARCHIES = (0x4000000B, 0x40000001, 0x4000000C)  # endorsement, owner, platform
_ENDORSEMENT_USE = "2.23.133.8.1"
_FIRST_YEAR = 2014  # of TPM 2.0
_PROGRAMS = (b"swtpm", b"SWTPM", b"software TPM")  # the last is how our own issuer names them
_SAID = {
    Activation.NONE: "nothing shows that the attestation key lives in the TPM of this endorsement key",
    Activation.PROVEN: "the TPM of this endorsement key gave back a secret made for this attestation key",
    Activation.ENFORCED: "what is released can be opened only by the TPM that holds both keys",
}
_NOT_SHOWN = (
    "Where the machine stands: no quote says so.",
    "What was done since the machine was started, beyond the files in a list that was judged.",
    "That nobody reads the machine's memory: a TPM does not protect it from whoever runs the machine.",
)


def judge(
    evidence: TpmEvidence,
    expected: Expected,
    values: TpmValues,
    binding: Bound | None,
    at: datetime,
    activation: Activation,
) -> Appraisal:
    """Judge a TPM's evidence claim by claim; raise `MalformedInput` where a part of it cannot be read."""
    ak, ek = tpm.parse_public(evidence.ak, "the attestation key"), tpm.parse_public(evidence.ek, "the endorsement key")
    quote = tpm.parse_quote(evidence.quote)
    events = None if evidence.event_log is None else event_log.parse(evidence.event_log)
    verdict = Verdict()
    verdict.decide(Claim.SIGNATURE, lambda: _signed(evidence, values, ak, ek, quote))
    _judge_chain(verdict, evidence, expected, ek, at)
    verdict.software = verdict.software or _is_dated(quote.firmware)
    _judge_identity(verdict, ek, activation)
    verdict.bind(quote.extra, binding)
    _judge_firmware(verdict, quote, values)
    if events is not None:
        verdict.decide(Claim.DEBUG, lambda: _undebugged(events, evidence.pcrs))
    _judge_boot(verdict, events, evidence.pcrs, values)
    if evidence.ima is not None:
        _judge_runtime(verdict, ima.parse(evidence.ima), evidence.pcrs, values)
    return verdict.finish(
        expected,
        device=device(ek.spki),
        platform=f"TPM 2.0, firmware {quote.firmware:016x}",
        measurements=_measurements(evidence.pcrs, events),
        not_shown=_NOT_SHOWN,
    )


def _signed(evidence: TpmEvidence, values: TpmValues, ak: Public, ek: Public, quote: Quote) -> str:
    signature = tpm.parse_signature(evidence.signature)
    if not tpm.is_attestation_key(ak):
        raise VerificationFailed("the attestation key is not a restricted signing key, so it may sign anything")
    if signature.scheme != ak.scheme or not tpm.is_signed(quote.data, signature, ak.key):
        raise VerificationFailed("the quote is not signed by the attestation key")
    if quote.signer not in _names(ak, ek):
        raise VerificationFailed("the quote names another signer than the attestation key below its TPM's hierarchies")
    if quote.bank != tpm.SHA256:
        raise VerificationFailed("the quote covers another bank of PCRs than SHA-256")
    if quote.selected != frozenset(evidence.pcrs):
        raise VerificationFailed("the quote covers other PCRs than those that were sent")
    if missing := sorted(values.pcrs - quote.selected):
        raise VerificationFailed(f"the quote covers fewer PCRs than demanded: {missing} are missing")
    if tpm.pcr_digest(evidence.pcrs, quote.selected, ak.scheme.hash) != quote.digest:
        raise VerificationFailed("the quote stands for other values of the PCRs than those that were sent")
    return f"a restricted key signed the values of {len(quote.selected)} PCRs"


def _names(ak: Public, ek: Public) -> set[bytes]:
    """Return the qualified names that the attestation key may have: below its endorsement key, or a primary key."""
    handles = [handle.to_bytes(4) for handle in _HIERARCHIES]
    return {tpm.qualified(tpm.qualified(handles[0], ek), ak), *(tpm.qualified(handle, ak) for handle in handles)}


def _judge_chain(verdict: Verdict, evidence: TpmEvidence, expected: Expected, ek: Public, at: datetime) -> None:
    """Judge the endorsement key's certificate, and whether a maker of hardware vouches for it."""
    if evidence.ek_certificate is None:
        verdict.say(Claim.CHAIN, Level.NONE, "no certificate of the endorsement key came with it")
        return
    leaf = certificates.parse(evidence.ek_certificate, "the endorsement key's certificate")
    between = [certificates.parse(data) for data in evidence.ek_chain]

    def check() -> str:
        if leaf.spki != ek.spki:
            raise VerificationFailed("the certificate is for another endorsement key")
        if leaf.is_ca or not _is_for_endorsement(leaf):
            raise VerificationFailed("the certificate is not for an endorsement key")
        root = certificates.chained(leaf, between, expected.roots, at)
        verdict.software = root.software or any(word in leaf.der for word in _PROGRAMS)
        kind = "a TPM that is a program" if verdict.software else "a TPM"
        return f"{root.label} vouches for the endorsement key, as that of {kind}"

    verdict.decide(Claim.CHAIN, check)


def _is_for_endorsement(leaf: certificates.Certificate) -> bool:
    """Return whether the certificate names the use, or names none, as older makers do."""
    extension = leaf.extensions.get(certificates.EXTENDED_KEY_USAGE)
    if extension is None:
        return True
    uses = der.only(extension.value, der.SEQUENCE, "the extended key usage").children().rest("a use")
    return _ENDORSEMENT_USE in {der.oid(use.expect(der.OID, "a use"), "a use") for use in uses}


def _is_dated(firmware: int) -> bool:
    """Return whether a version begins with a day, as in the TCG's reference code and the programs made from it."""
    try:
        return date.fromisoformat(f"{firmware >> 32:08x}").year >= _FIRST_YEAR
    except ValueError:
        return False


def _judge_identity(verdict: Verdict, ek: Public, activation: Activation) -> None:
    if not tpm.is_endorsement_key(ek):
        verdict.say(
            Claim.IDENTITY, Level.CONTRAINDICATED, "the endorsement key is not one: restricted, to decrypt only"
        )
        return
    level = Level.WARNING if activation is Activation.NONE else Level.AFFIRMING
    verdict.say(Claim.IDENTITY, level, _SAID[activation])


def _judge_firmware(verdict: Verdict, quote: Quote, values: TpmValues) -> None:
    if not values.least_firmware:
        verdict.say(Claim.TCB, Level.NONE, "no least version of the TPM's firmware is demanded")
    elif quote.firmware < values.least_firmware:
        verdict.say(
            Claim.TCB, Level.CONTRAINDICATED, f"the TPM's firmware {quote.firmware:016x} is older than demanded"
        )
    else:
        verdict.say(Claim.TCB, Level.AFFIRMING, f"the TPM's firmware is {quote.firmware:016x}")


def _replayed(events: list[event_log.Event], pcrs: Mapping[int, bytes]) -> str:
    values = event_log.replay(events)
    quoted = sorted(LOGGED & set(pcrs))
    if wrong := [number for number in quoted if values[number] != pcrs[number]]:
        raise VerificationFailed(f"the event log does not give the quoted PCRs {wrong}")
    if not quoted:
        raise VerificationFailed("the quote covers no PCR that the event log explains")
    return f"the event log gives the quoted PCRs {quoted}"


def _undebugged(events: list[event_log.Event], pcrs: Mapping[int, bytes]) -> str:
    _replayed(events, pcrs)
    if 7 not in pcrs:
        raise VerificationFailed("PCR 7, where firmware says that it may be debugged, is not quoted")
    if not any(pcrs[7]):
        raise VerificationFailed("PCR 7 was never extended: no firmware measured this start")
    if boot.is_debugged(events):
        raise VerificationFailed("the firmware says that a debugger may be attached")
    return "the firmware says of no debugger in the log; of who runs the machine a TPM says nothing"


def _judge_boot(
    verdict: Verdict, events: list[event_log.Event] | None, pcrs: Mapping[int, bytes], values: TpmValues
) -> None:
    if not values.golden and not values.events:
        verdict.say(Claim.BOOT, Level.NONE, "there are no reference values to compare it with")
        return

    if verdict.decide(Claim.BOOT, lambda: _booted(events, pcrs, values)) and (open_parts := _uncompared(values)):
        verdict.say(Claim.BOOT, Level.WARNING, f"what was compared is right, but nothing is said of {open_parts}")


def _booted(events: list[event_log.Event] | None, pcrs: Mapping[int, bytes], values: TpmValues) -> str:
    for number, right in sorted(values.golden.items()):
        if pcrs.get(number) not in right:
            raise VerificationFailed(f"PCR {number} has another value than the reference values")
    if events is None:
        if values.events:
            raise VerificationFailed("no event log came with it to look for kernel, initrd and command line in")
        return "the PCRs equal the reference values"
    _replayed(events, pcrs)
    if boot.is_broken(events):
        raise VerificationFailed("the firmware says that measuring failed")
    if values.events:
        _check_events(events, pcrs, values)
    return "log and PCRs equal the reference values"


def _check_events(events: list[event_log.Event], pcrs: Mapping[int, bytes], values: TpmValues) -> None:
    if absent := sorted(boot.JUDGED - set(pcrs)):
        raise VerificationFailed(
            f"PCRs {absent}, where added drivers, loaders and kernels are measured, are not quoted"
        )
    boot.check(events, values.events, frozenset(values.golden))


def _uncompared(values: TpmValues) -> str:
    """Return which parts of a boot no reference value speaks of."""
    parts = {
        "the firmware (PCR 0)": 0 in values.golden,
        "drivers added to it (PCR 2)": 2 in values.golden or bool(values.events),  # explained one by one
        "the kernel (PCR 4)": 4 in values.golden or boot.KERNEL in values.events,
        "initrd and command line (PCR 8 and 9)": {8, 9} <= set(values.golden)
        or {boot.INITRD, boot.COMMAND_LINE} <= set(values.events),
    }
    return ", ".join(name for name, known in parts.items() if not known)


def _judge_runtime(verdict: Verdict, entries: list[ima.Entry], pcrs: Mapping[int, bytes], values: TpmValues) -> None:
    def check() -> str:
        if ima.PCR not in pcrs:
            raise VerificationFailed("PCR 10, where files are measured, is not quoted")
        shown = entries[: ima.covered(entries, pcrs[ima.PCR])]
        ima.check_aggregate(shown, pcrs)
        if values.ima:
            ima.check_allowed(shown, values.ima)
        return f"all of the {len(shown)} files that PCR 10 stands for are in the allow-list"

    if verdict.decide(Claim.RUNTIME, check) and not values.ima:
        verdict.say(
            Claim.RUNTIME, Level.WARNING, "the list is that of PCR 10, but there is no allow-list to compare with"
        )


def _measurements(pcrs: Mapping[int, bytes], events: list[event_log.Event] | None) -> dict[str, str]:
    shown = {f"pcr-{number}": pcrs[number].hex() for number in sorted(pcrs)}
    try:
        _replayed(events or [], pcrs)
    except VerificationFailed:
        return shown  # what such a log says of the start is said by nobody
    for name, digests in boot.digests(item for item in events or () if item.pcr in pcrs).items():
        for position, digest in enumerate(digests):
            shown[name if position == 0 else f"{name}-{position + 1}"] = digest
    return shown


def device(spki: bytes) -> str:
    """Return the name of the TPM that has this endorsement key, given as DER SubjectPublicKeyInfo."""
    return f"tpm2:{Digest.of(spki)}"


def endorsement(evidence: TpmEvidence) -> tuple[Public, bytes]:
    """Return the endorsement key, and the Name of the attestation key: what `credential.make` needs.

    Raises:
        MalformedInput: a key cannot be read, or is not what it is sent as.
    """
    ak, ek = tpm.parse_public(evidence.ak, "the attestation key"), tpm.parse_public(evidence.ek, "the endorsement key")
    if not tpm.is_attestation_key(ak) or not tpm.is_endorsement_key(ek):
        raise MalformedInput("the keys are not a restricted signing key and an endorsement key")
    return ek, ak.name
