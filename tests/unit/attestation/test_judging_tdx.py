from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import Binding, Claim, Family, Level, Nonce, TdxValues
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT, Authority, expected
from ringfence.testing.confidential import MEASUREMENT, TdxPlatform

BINDING = Binding(b"n" * 32, b"key", Digest.of(b"workload"), "patients")
PLATFORM = TdxPlatform()
RTMRS = {number: frozenset({bytes((number,)) * 48}) for number in range(3)}
VALUES = TdxValues(frozenset({MEASUREMENT}), RTMRS)
EXPECTED = expected(Family.TDX, VALUES, (PLATFORM.root.trusted(software=False),))
QUOTE = PLATFORM.quote(BINDING.digest)
DAY = timedelta(days=1)


def judge(evidence, wanted=EXPECTED, binding=BINDING, at=AT):
    return appraise(evidence, wanted, binding, at)


def level(appraisal, claim):
    return appraisal.claims[claim].level


@pytest.mark.parametrize("version", [4, 5])
def test_a_guest_that_is_as_expected(version):
    done = judge(PLATFORM.evidence(PLATFORM.quote(BINDING.digest, version=version)))
    assert done.acceptable, done.claims
    assert done.device.startswith("tdx:sha256:")
    assert done.measurements["mrtd"] == MEASUREMENT.hex()


def test_the_published_quote_is_right_as_far_as_it_goes():
    report_data = Nonce(bytes.fromhex("6c62dec1b8191749a31dab490be532a35944dea47caef1f980863993d9899545"
                                      "eb7406a38d1eed313b987a467dacead6f0c87a6d766c66f6f29f8acb281f1113"))  # fmt: skip
    done = judge(samples.tdx(), samples.tdx_expected(), report_data)
    for claim in (Claim.SIGNATURE, Claim.CHAIN, Claim.IDENTITY, Claim.FRESH, Claim.DEBUG):
        assert level(done, claim) is Level.AFFIRMING
    assert level(done, Claim.BOOT) is Level.WARNING  # of the guest's own registers nothing is known
    assert level(done, Claim.COLLATERAL) is level(done, Claim.TCB) is Level.NONE
    assert not done.acceptable
    expired = replace(samples.tdx(), tcb_info=samples.read("tdx/tcbinfo-sample.json"))
    assert not judge(expired, samples.tdx_expected(), report_data).acceptable


@pytest.mark.parametrize(
    ("given", "claim"),
    [
        ({"attributes": 1}, Claim.DEBUG),
        ({"attributes": 2}, Claim.DEBUG),
        ({"attributes": 1 << 29}, Claim.DEBUG),  # may be migrated
        ({"attributes": 1 << 8}, Claim.DEBUG),  # bits that nobody knows
        ({"attributes": 1 << 26}, Claim.DEBUG),
        ({"mrtd": b"x" * 48}, Claim.BOOT),
        ({"tcb": bytes((3, 9))}, Claim.TCB),  # a module that nobody knows
        ({"chain": (PLATFORM.issuer.certificate, PLATFORM.pck)}, None),
        ({"chain": (PLATFORM.pck, PLATFORM.root.certificate)}, Claim.CHAIN),
        ({"chain": (PLATFORM.pck, Authority.root("Intel SGX Root CA", 66).certificate)}, Claim.CHAIN),
    ],
)
def test_guests_that_are_not(given, claim):
    quote = PLATFORM.quote(BINDING.digest, **given)
    if claim is None:  # an issuer in the place of the platform names no platform
        with pytest.raises(MalformedInput, match="names no platform"):
            judge(PLATFORM.evidence(quote))
        return
    done = judge(PLATFORM.evidence(quote))
    assert level(done, claim) is Level.CONTRAINDICATED
    assert not done.acceptable


def test_debug_mode_is_called_by_its_name():
    done = judge(PLATFORM.evidence(PLATFORM.quote(BINDING.digest, attributes=1)))
    assert "runs in debug mode" in done.claims[Claim.DEBUG].reason


@pytest.mark.parametrize("missing", ["tcb_info", "qe_identity", "pck_crl", "root_crl"])
def test_collateral_is_whole_or_none(missing):
    done = judge(PLATFORM.evidence(QUOTE, **{missing: None}))
    assert level(done, Claim.COLLATERAL) is level(done, Claim.TCB) is Level.NONE
    assert not done.acceptable


@pytest.mark.parametrize(
    "given",
    [
        {"tcb_info": PLATFORM.tcb_info(until=-DAY)},
        {"qe_identity": PLATFORM.identity(until=-DAY)},
        {"pck_crl": PLATFORM.issuer.revoking(until=-DAY / 2)},
        {"root_crl": PLATFORM.root.revoking(until=-DAY / 2)},
        {"pck_crl": PLATFORM.issuer.revoking(PLATFORM.pck)},
        {"root_crl": PLATFORM.root.revoking(PLATFORM.issuer.certificate)},
        {"root_crl": PLATFORM.root.revoking(PLATFORM.signer)},
        {"pck_crl": PLATFORM.root.revoking()},
        {"tcb_info": PLATFORM.tcb_info().replace(b'"version":3', b'"version":4')},
    ],
)
def test_collateral_that_is_expired_revoked_or_changed(given):
    done = judge(PLATFORM.evidence(QUOTE, **given))
    assert level(done, Claim.COLLATERAL) is Level.CONTRAINDICATED
    assert level(done, Claim.TCB) is Level.NONE
    assert not done.acceptable


def test_the_signer_of_collateral_has_a_name_and_a_root():
    for chain in (
        (PLATFORM.pck, PLATFORM.issuer.certificate),
        (Authority.root("Intel SGX TCB Signing", 61).certificate,),
    ):
        done = judge(replace(PLATFORM.evidence(QUOTE), tcb_chain=chain))
        assert level(done, Claim.COLLATERAL) is Level.CONTRAINDICATED


def test_an_issuer_that_was_revoked_vouches_for_no_signer_of_collateral():
    """Whoever had the key of an issuer of PCK certificates could name any key as that of the collateral's signer."""
    stolen = PLATFORM.root.below("Intel SGX PCK Processor CA", 72)
    forged = stolen.certify("Intel SGX TCB Signing", PLATFORM.signer_key)
    chain = (forged, stolen.certificate, PLATFORM.root.certificate)
    done = judge(
        replace(PLATFORM.evidence(QUOTE, root_crl=PLATFORM.root.revoking(stolen.certificate)), tcb_chain=chain)
    )
    assert "revoked an issuer" in done.claims[Claim.COLLATERAL].reason
    assert not done.acceptable


def test_a_platform_is_one_device_whichever_of_its_keys_signs():
    older = TdxPlatform(pck_seed=37, components=(2,) * 16)
    assert judge(older.evidence(older.quote(BINDING.digest))).device == judge(PLATFORM.evidence(QUOTE)).device
    other = TdxPlatform(ppid=b"q" * 16)
    assert judge(other.evidence(other.quote(BINDING.digest))).device != judge(PLATFORM.evidence(QUOTE)).device
    nobody = TdxPlatform(ppid=bytes(16))
    done = judge(nobody.evidence(nobody.quote(BINDING.digest)))
    assert level(done, Claim.IDENTITY) is Level.CONTRAINDICATED


@pytest.mark.parametrize("status", ["OutOfDate", "SWHardeningNeeded", "Revoked"])
def test_a_status_has_to_be_accepted_by_name(status):
    for given in ({"tcb_info": PLATFORM.tcb_info(status=status)}, {"qe_identity": PLATFORM.identity(status=status)}):
        evidence = PLATFORM.evidence(QUOTE, **given)
        assert level(judge(evidence), Claim.TCB) is Level.CONTRAINDICATED
        if status != "Revoked":
            lenient = replace(EXPECTED, values=replace(VALUES, statuses=frozenset({status})))
            assert level(judge(evidence, lenient), Claim.TCB) is Level.AFFIRMING


def test_collateral_of_other_platforms_or_of_an_older_evaluation_says_nothing():
    other = judge(PLATFORM.evidence(QUOTE, tcb_info=PLATFORM.tcb_info(fmspc=bytes(6))))
    assert level(other, Claim.TCB) is Level.CONTRAINDICATED
    newer = replace(EXPECTED, values=replace(VALUES, least_evaluation=19))
    assert level(judge(PLATFORM.evidence(QUOTE), newer), Claim.COLLATERAL) is Level.CONTRAINDICATED


def test_bytes_after_the_quote_change_nothing():
    assert judge(PLATFORM.evidence(QUOTE + b"anything")).acceptable


def test_measurements_have_to_be_expected():
    wrong = replace(VALUES, rtmrs=RTMRS | {2: frozenset({b"x" * 48})})
    assert level(judge(PLATFORM.evidence(QUOTE), replace(EXPECTED, values=wrong)), Claim.BOOT) is Level.CONTRAINDICATED
    none = replace(VALUES, mrtd=frozenset())
    assert level(judge(PLATFORM.evidence(QUOTE), replace(EXPECTED, values=none)), Claim.BOOT) is Level.NONE


def test_a_guest_that_may_be_migrated_is_told_so():
    done = judge(PLATFORM.evidence(PLATFORM.quote(BINDING.digest, attributes=1 << 28 | 1 << 29)))
    assert "may be migrated" in done.claims[Claim.DEBUG].reason


def test_attributes_that_take_nothing_from_the_guest_are_accepted():
    attributes = 1 << 16 | 0b11011 << 27 | 1 << 63  # without MIGRATABLE, which is bit 29
    done = judge(PLATFORM.evidence(PLATFORM.quote(BINDING.digest, attributes=attributes)))
    assert level(done, Claim.DEBUG) is Level.AFFIRMING


def test_a_worse_status_hides_none_that_is_not_accepted():
    given = {"tcb_info": PLATFORM.tcb_info(status="ConfigurationNeeded"), "qe_identity": PLATFORM.identity()}
    old = given | {"qe_identity": PLATFORM.identity(status="OutOfDate")}
    lenient = replace(EXPECTED, values=replace(VALUES, statuses=frozenset({"UpToDate", "OutOfDate"})))
    for parts in (given, old):
        done = judge(PLATFORM.evidence(QUOTE, **parts), lenient)
        assert "ConfigurationNeeded" in done.claims[Claim.TCB].reason
        assert level(done, Claim.TCB) is Level.CONTRAINDICATED
    nothing = replace(EXPECTED, values=replace(VALUES, statuses=frozenset()))
    assert level(judge(PLATFORM.evidence(QUOTE), nothing), Claim.TCB) is Level.CONTRAINDICATED


def test_whoever_else_has_a_certificate_of_the_root_signs_no_collateral():
    for name, given in (("Intel SGX Something", {}), ("Intel SGX TCB Signing", {"is_ca": True})):
        signer = PLATFORM.root.certify(name, PLATFORM.signer_key, **given)
        done = judge(replace(PLATFORM.evidence(QUOTE), tcb_chain=(signer, PLATFORM.root.certificate)))
        assert "not that of its signer" in done.claims[Claim.COLLATERAL].reason
        assert not done.acceptable


def test_collateral_under_another_root_than_the_platform_is_refused():
    other = TdxPlatform(Authority.root("Intel SGX Root CA", 71))
    trusted = tuple(each.root.trusted(software=False) for each in (PLATFORM, other))
    mixed = replace(other.evidence(QUOTE), pck_crl=PLATFORM.issuer.revoking())
    done = judge(mixed, replace(EXPECTED, roots=trusted))
    assert "another root" in done.claims[Claim.COLLATERAL].reason
    assert not done.acceptable


def test_a_root_of_programs_is_called_one():
    assert not judge(PLATFORM.evidence(QUOTE)).software_tpm
    assert judge(PLATFORM.evidence(QUOTE), replace(EXPECTED, roots=(PLATFORM.root.trusted(),))).software_tpm
    assert judge(PLATFORM.evidence(QUOTE), replace(EXPECTED, roots=())).software_tpm
