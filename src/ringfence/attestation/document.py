"""Evidence documents: what a node sends, as JSON (docs/specs/attestation.md)."""

from collections.abc import Mapping

from ringfence.attestation import certificates, tpm_structures
from ringfence.attestation.fields import Fields, encoded, hexadecimal, index
from ringfence.attestation.model import Evidence, Family, GpuEvidence, SnpEvidence, TdxEvidence, TpmEvidence
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput

MAX_DOCUMENT = 32 * 2**20
_PCR_SIZE = 32


def parse(data: bytes, *, source: str = "") -> Evidence:
    """Parse an evidence document strictly; what its binary fields hold is read when it is judged.

    Raises:
        MalformedInput: it is no document, of no known family, or has fields that mean nothing.
    """
    return from_json(digest.loads(data, source=source, limit=MAX_DOCUMENT))


def from_json(document: object) -> Evidence:
    """Return the evidence in a parsed document; raise `MalformedInput` as `parse` does."""
    family = document.get("family") if isinstance(document, dict) else None
    match family:
        case Family.TPM2:
            return _tpm(document)
        case Family.SEV_SNP:
            fields = _fields(document, {"report"}, {"certificate", "chain", "crl"})
            return SnpEvidence(
                fields.octets("report"),
                fields.octets_or_none("certificate"),
                _chain(fields),
                fields.octets_or_none("crl"),
            )
        case Family.TDX:
            fields = _fields(document, {"quote"}, {"tcbInfo", "qeIdentity", "tcbChain", "pckCrl", "rootCrl"})
            return TdxEvidence(
                fields.octets("quote"),
                fields.octets_or_none("tcbInfo"),
                fields.octets_or_none("qeIdentity"),
                _chain(fields, "tcbChain"),
                fields.octets_or_none("pckCrl"),
                fields.octets_or_none("rootCrl"),
            )
        case Family.NVIDIA_GPU:
            fields = _fields(document, {"report"}, {"chain"})
            return GpuEvidence(fields.octets("report"), _chain(fields))
        case _:
            known = ", ".join(known.value for known in Family)
            raise MalformedInput(f"the evidence document names no family of evidence ({known})")


def _fields(document: object, names: set[str], optional: set[str]) -> Fields:
    return Fields(document, "the evidence", frozenset(names | {"family"}), frozenset(optional))


def _chain(fields: Fields, name: str = "chain") -> tuple[bytes, ...]:
    return fields.all_octets(name, certificates.MAX_CHAIN)


def _tpm(document: object) -> TpmEvidence:
    fields = _fields(
        document, {"ak", "ek", "quote", "signature", "pcrs"}, {"ekCertificate", "ekChain", "eventLog", "ima"}
    )
    banks = Fields(fields.raw("pcrs"), "the PCRs", frozenset({"sha256"}))
    table = banks.table("sha256", tpm_structures.PCRS)
    pcrs = {
        index(number, tpm_structures.PCRS, "a PCR"): hexadecimal(value, _PCR_SIZE, f"PCR {number}")
        for number, value in table.items()
    }
    return TpmEvidence(
        ak=fields.octets("ak"),
        ek=fields.octets("ek"),
        ek_certificate=fields.octets_or_none("ekCertificate"),
        quote=fields.octets("quote"),
        signature=fields.octets("signature"),
        pcrs=pcrs,
        event_log=fields.octets_or_none("eventLog"),
        ima=fields.octets_or_none("ima"),
        ek_chain=_chain(fields, "ekChain"),
    )


def to_json(evidence: Evidence) -> dict[str, object]:
    """Return the document of evidence: `from_json` gives it back."""
    found: Mapping[str, bytes | tuple[bytes, ...] | None]
    more: dict[str, object] = {}
    match evidence:
        case TpmEvidence():
            found = {
                "ak": evidence.ak,
                "ek": evidence.ek,
                "ekCertificate": evidence.ek_certificate,
                "ekChain": evidence.ek_chain,
                "quote": evidence.quote,
                "signature": evidence.signature,
                "eventLog": evidence.event_log,
                "ima": evidence.ima,
            }
            more = {"pcrs": {"sha256": {str(number): evidence.pcrs[number].hex() for number in sorted(evidence.pcrs)}}}
        case SnpEvidence():
            found = {
                "report": evidence.report,
                "certificate": evidence.certificate,
                "chain": evidence.chain,
                "crl": evidence.crl,
            }
        case TdxEvidence():
            found = {
                "quote": evidence.quote,
                "tcbInfo": evidence.tcb_info,
                "qeIdentity": evidence.qe_identity,
                "tcbChain": evidence.tcb_chain,
                "pckCrl": evidence.pck_crl,
                "rootCrl": evidence.root_crl,
            }
        case GpuEvidence():
            found = {"report": evidence.report, "chain": evidence.chain}
    written = {
        name: [encoded(item) for item in value] if isinstance(value, tuple) else encoded(value)
        for name, value in found.items()
        if value is not None and value != ()
    }
    return {"family": evidence.family.value, **written, **more}
