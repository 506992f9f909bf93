from datetime import timedelta

import pytest

from ringfence.attestation import certificates
from ringfence.attestation.certificates import chained, parse
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT, Authority, private_key

ROOT = Authority.root()
MIDDLE = ROOT.below("Middle", 2)
LEAF = MIDDLE.certify("Leaf", private_key(3))


TRUSTED = (ROOT.trusted(),)


def chain(*ders, roots=TRUSTED, at=AT):
    leaf, *between = [parse(data) for data in ders]
    return chained(leaf, between, roots, at)


def test_a_chain_ends_in_a_root_with_its_certificate_or_without():
    assert chain(LEAF, MIDDLE.certificate).label == "Test Root"
    assert chain(LEAF, MIDDLE.certificate, ROOT.certificate).label == "Test Root"


def test_a_certificate_with_serial_number_zero_is_read_and_chained():
    vcek = parse(samples.read("snp/milan-vcek.der"))
    assert vcek.serial == b"\0"
    ask, ark = (parse(data) for data in samples.pem("snp/ask_ark_milan.pem"))
    assert chained(vcek, [ask], [samples.root(ark.der, "ARK")], AT).label == "ARK"
    assert chained(vcek, [ask, ark], [samples.root(ark.der, "ARK")], AT).label == "ARK"


@pytest.mark.parametrize("name", ["nvidia/h100-chain.pem", "snp/ask_ark_milan_vlek.pem"])
def test_real_chains(name):
    ders = samples.pem(name)
    assert chain(*ders, roots=[samples.root(ders[-1], "maker")]).label == "maker"


def test_a_root_of_the_right_name_and_another_key_is_no_root():
    twin = Authority.root("Test Root", seed=99)
    with pytest.raises(VerificationFailed, match="none of the roots"):
        chain(LEAF, MIDDLE.certificate, roots=[twin.trusted()])
    with pytest.raises(VerificationFailed):
        chain(LEAF, MIDDLE.certificate, twin.certificate)


@pytest.mark.parametrize(
    ("ders", "why"),
    [
        ((LEAF,), "none of the roots"),
        ((MIDDLE.certificate, LEAF), "none of the roots|not by"),
        ((LEAF, ROOT.certificate, MIDDLE.certificate), "not by"),
        ((LEAF, ROOT.below("Middle", 77).certificate), "not signed by the key"),
        ((LEAF, ROOT.below("Other", 2).certificate), "not by"),
        ((ROOT.certify("Leaf", private_key(4)), LEAF), "not by|may not issue|none of"),
        ((LEAF, *[MIDDLE.certificate] * 8), "the limit is 8"),
    ],
)
def test_order_names_and_keys_have_to_be_right(ders, why):
    with pytest.raises(VerificationFailed, match=why):
        chain(*ders)


def test_who_is_no_issuer_issues_nothing():
    no_issuer = Authority("Plain", private_key(8), ROOT.certify("Plain", private_key(8)))
    with pytest.raises(VerificationFailed, match="may not issue"):
        chain(no_issuer.certify("Leaf", private_key(3)), no_issuer.certificate)


@pytest.mark.parametrize("at", [AT + timedelta(days=4000), AT - timedelta(days=400)])
def test_out_of_its_time_a_certificate_counts_for_nothing(at):
    with pytest.raises(VerificationFailed, match="valid from"):
        chain(LEAF, MIDDLE.certificate, at=at)


def test_a_critical_extension_that_is_not_known_ends_the_chain():
    odd = ROOT.certify("Odd", private_key(4), critical={"1.2.3.4": b"\x05\x00"})
    with pytest.raises(VerificationFailed, match=r"critical extension 1\.2\.3\.4"):
        chain(odd)
    assert chain(ROOT.certify("Odd", private_key(4), extensions={"1.2.3.4": b"\x05\x00"}))


def test_every_flipped_bit_of_a_certificate_is_seen():
    vcek, ask = samples.read("snp/milan-vcek.der"), parse(samples.pem("snp/ask_ark_milan.pem")[0])
    roots = [samples.root(samples.pem("snp/ask_ark_milan.pem")[1], "ARK")]
    for place in range(0, len(vcek), 7):
        broken = bytearray(vcek)
        broken[place] ^= 1 << place % 8
        with pytest.raises((MalformedInput, VerificationFailed)):
            chained(parse(bytes(broken)), [ask], roots, AT)


def test_a_certificate_is_read_whole_or_not_at_all():
    for size in range(0, len(LEAF), 5):
        with pytest.raises(MalformedInput):
            parse(LEAF[:size])
    with pytest.raises(MalformedInput):
        parse(LEAF + b"\0")
    with pytest.raises(MalformedInput, match="limit"):
        parse(bytes(9000))


def test_revocation_lists():
    listed = certificates.parse_crl(ROOT.revoking(MIDDLE.certificate))
    middle, root = parse(MIDDLE.certificate), parse(ROOT.certificate)
    certificates.check_revocations(listed, root.subject, root.spki, AT)
    assert middle.serial in listed.serials
    assert parse(LEAF).serial not in listed.serials
    for issuer, spki, at, why in (
        (middle.subject, root.spki, AT, "is of CN=Test Root"),
        (root.subject, middle.spki, AT, "not signed"),
        (root.subject, root.spki, AT + timedelta(days=31), "holds from"),
        (root.subject, root.spki, AT - timedelta(days=5), "holds from"),
    ):
        with pytest.raises(VerificationFailed, match=why):
            certificates.check_revocations(listed, issuer, spki, at)
    for data in (b"", LEAF, ROOT.revoking()[:-1], bytes(3 * 2**20)):
        with pytest.raises(MalformedInput):
            certificates.parse_crl(data)


def test_names_for_people():
    vcek = parse(samples.read("snp/milan-vcek.der"))
    assert vcek.common_name == "SEV-VCEK"
    assert vcek.shown == "CN=SEV-VCEK, O=Advanced Micro Devices, C=US"


def test_a_whole_chain_under_a_twin_of_the_root_is_refused():
    twin = Authority.root("Test Root", seed=99)
    middle = twin.below("Middle", 2)
    with pytest.raises(VerificationFailed, match="none of the roots"):
        chain(middle.certify("Leaf", private_key(3)), middle.certificate, twin.certificate)


def test_an_issuer_has_no_more_issuers_below_it_than_it_may():
    for allowed in (0, 1):
        upper = ROOT.below("Upper", 11, allowed)
        lower = upper.below("Lower", 12)
        ders = (lower.certify("Leaf", private_key(3)), lower.certificate, upper.certificate)
        if allowed:
            assert chain(*ders).label == "Test Root"
        else:
            with pytest.raises(VerificationFailed, match="issuers below it"):
                chain(*ders)


def test_a_name_of_any_length_is_shown_in_short():
    text = b"A" * 60_000
    pair = b"\x06\x03\x55\x04\x03\x0c\x82" + len(text).to_bytes(2) + text
    for tag in (0x30, 0x31, 0x30):
        pair = bytes((tag, 0x82)) + len(pair).to_bytes(2) + pair
    assert certificates.name_text(pair) == "CN=" + "A" * 128
