from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.models import oms
from ringfence.artifacts.models.certificates import Authorities, check_own, parse_certificates, vouched
from ringfence.artifacts.models.keys import SigningKey
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, RingfenceError, UsageError, VerificationFailed
from ringfence.testing.anchors import LabAuthority
from ringfence.testing.certificates import END, START, issue, new_key, usage

AT = START + timedelta(days=10)
ROOT = issue("root", ca=True)
MIDDLE = issue("middle", ROOT, ca=True, length=0)
SIGNER = issue("signer", MIDDLE)
TRUST = Authorities([ROOT.certificate], AT)


def judged(*chain, trust=TRUST, **more):
    return vouched([one.der for one in chain], trust, **more)


def refused(*chain, trust=TRUST, why="certificate", **more):
    with pytest.raises(VerificationFailed, match=why):
        judged(*chain, trust=trust, **more)


def test_a_way_leads_to_the_root():
    found = judged(SIGNER, MIDDLE)
    assert (found.subject, found.at, found.stamped) == ("CN=signer", AT, None)
    assert judged(SIGNER, issue("other", ROOT, ca=True), MIDDLE, ROOT)  # in any order, with more beside
    assert judged(SIGNER, trust=Authorities([MIDDLE.certificate], AT))  # whoever trusts the middle needs no root
    assert judged(SIGNER, trust=Authorities([SIGNER.certificate], AT))


def test_no_way_leads_to_a_root():
    refused(SIGNER, why="no way leads")  # the middle is missing
    refused(SIGNER, MIDDLE, trust=Authorities([issue("root", ca=True).certificate], AT))  # same name, another key
    refused(SIGNER, MIDDLE, trust=Authorities([], AT))
    refused(issue("signer", issue("middle", ca=True)), MIDDLE)
    refused(issue("signer", MIDDLE, algorithm=hashes.SHA224()), MIDDLE)


@pytest.mark.parametrize(
    "issuer",
    [
        issue("leaf", ROOT),  # a signer's certificate signs no others
        issue("no usage", ROOT, extensions=((x509.BasicConstraints(ca=True, path_length=None), True), (usage(), True))),
        issue("no constraints", ROOT, extensions=((usage("key_cert_sign"), True),)),
        issue("ended", ROOT, ca=True, end=AT - timedelta(days=1)),
        issue("to come", ROOT, ca=True, start=AT + timedelta(days=1)),
        issue(
            "unknown",
            ROOT,
            extensions=(
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),
            ),
        ),
        issue(
            "constrained",
            ROOT,
            extensions=(
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (x509.NameConstraints([x509.DNSName("example.org")], None), True),
            ),
        ),
        issue(
            "constrained, and not critical",
            ROOT,
            extensions=(
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (x509.NameConstraints([x509.DNSName("example.org")], None), False),
            ),
        ),
        issue(
            "for servers",
            ROOT,
            extensions=(
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            ),
        ),
    ],
    ids=lambda one: one.certificate.subject.rfc4514_string(),
)
def test_an_issuer_that_may_not_issue_leads_nowhere(issuer):
    refused(issue("signer", issuer), issuer, why="no way leads")


@pytest.mark.parametrize("purpose", [ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
def test_an_authority_for_code_makes_signers(purpose):
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, purpose]
    issuer = issue(
        "for code",
        ROOT,
        extensions=((x509.BasicConstraints(ca=True, path_length=None), True), (x509.ExtendedKeyUsage(purposes), False)),
    )
    assert judged(issue("signer", issuer), issuer)


def test_the_length_of_the_way_is_what_the_authority_allows():
    deeper = issue("deeper", MIDDLE, ca=True)
    refused(issue("signer", deeper), deeper, MIDDLE)


@pytest.mark.parametrize(
    ("extensions", "why"),
    [
        ((), "not for signatures"),
        (((usage("key_encipherment"), True),), "not for signatures"),
        (((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),), "not for signatures"),
        (
            (
                (usage("digital_signature"), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            ),
            "not for signatures",
        ),
        (
            (
                (usage("digital_signature"), True),
                (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),
            ),
            "critical extension",
        ),
    ],
)
def test_a_certificate_for_something_else_signs_no_model(extensions, why):
    refused(issue("signer", MIDDLE, extensions=extensions), MIDDLE, why=why)


def test_a_key_of_another_kind_signs_no_model():
    refused(issue("signer", MIDDLE, key=new_key(ec.SECP256K1())), MIDDLE, why="P-256, P-384 or P-521")
    assert judged(issue("signer", MIDDLE, key=new_key(ec.SECP384R1())), MIDDLE)


def test_one_subject_may_be_asked_for():
    assert judged(SIGNER, MIDDLE, trust=Authorities([ROOT.certificate], AT, "CN=signer"))
    refused(SIGNER, MIDDLE, trust=Authorities([ROOT.certificate], AT, "CN=somebody"), why="not by")


def test_chains_have_bounds():
    with pytest.raises(MalformedInput):
        vouched([], TRUST)
    with pytest.raises(MalformedInput):
        vouched([SIGNER.der] * 9, TRUST)
    with pytest.raises(MalformedInput):
        vouched([b"x" * 20_000], TRUST)
    twins = [issue("twin", ROOT, ca=True, key=ROOT.key) for _ in range(7)]
    with pytest.raises(VerificationFailed):  # each could have issued each: some thousand ways, none tried for long
        judged(issue("signer", twins[0]), *twins, trust=Authorities([issue("far", ca=True).certificate], AT))
    loop = [issue("loop", ca=True, key=ROOT.key) for _ in range(7)]
    with pytest.raises(VerificationFailed, match="too many ways"):
        judged(issue("signer", loop[0]), *loop, trust=Authorities([issue("far", ca=True).certificate], AT))


@given(st.binary(max_size=60), st.integers(0, len(SIGNER.der) - 1))
def test_changed_certificates_are_refused(piece, at):
    data = SIGNER.der[:at] + piece + SIGNER.der[at + len(piece) :]
    try:
        found = vouched([data, MIDDLE.der], TRUST)
    except RingfenceError:
        return
    assert found == judged(SIGNER, MIDDLE)


def test_whoever_signs_puts_their_own_certificate_first():
    key = SigningKey(SIGNER.key)
    check_own([SIGNER.certificate, MIDDLE.certificate], key.public)
    for chain in ([MIDDLE.certificate, SIGNER.certificate], [], [SIGNER.certificate] * 9):
        with pytest.raises((UsageError, VerificationFailed)):
            check_own(chain, key.public)
    with pytest.raises(MalformedInput):
        parse_certificates(b"words")


def bundle(signer=SIGNER, *others):
    manifest = oms.manifest_of("m", {"a": Digest.of(b"1")})
    return oms.sign(manifest, SigningKey(signer.key), [one.der for one in (signer, *(others or (MIDDLE,)))])


def test_a_bundle_with_a_chain():
    files, signer = oms.read(bundle(), oms.Trust(authorities=TRUST))
    assert (list(files.files), signer.subject) == (["a"], "CN=signer")
    stranger = bundle(issue("signer", issue("middle", ca=True)))
    for data, trust in ((bundle(), oms.Trust()), (stranger, oms.Trust(authorities=TRUST))):
        with pytest.raises(VerificationFailed):
            oms.read(data, trust)
    with pytest.raises(VerificationFailed):  # a key that is trusted by itself vouches for no chain
        oms.read(bundle(), oms.Trust(keys=[SigningKey(SIGNER.key).public]))


def test_the_chain_is_of_the_key_that_signed():
    other = issue("other", MIDDLE)
    manifest = oms.manifest_of("m", {"a": Digest.of(b"1")})
    wrong = oms.sign(manifest, SigningKey(other.key), [SIGNER.der, MIDDLE.der])
    with pytest.raises(VerificationFailed, match="does not match"):
        oms.read(wrong, oms.Trust(authorities=TRUST))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return LabAuthority.make(tmp_path_factory.mktemp("stamps") / "lab")


def asked(data):
    from ringfence.ledger.anchors.timestamp import request

    return request(data, 7)


def test_a_certificate_that_ended_counts_for_what_was_stamped_while_it_held(authority):
    signed = bundle()
    stamped = oms.stamped(signed, authority.answer(asked(oms.signature_of(signed))))
    lab = [
        parse_certificates((authority.folder / "tsa.pem").read_bytes() + (authority.folder / "root.pem").read_bytes())
    ]
    late = END + timedelta(days=900)
    ended = oms.Trust(authorities=Authorities([ROOT.certificate], late))
    for data in (signed, stamped):  # no authority is known
        with pytest.raises(VerificationFailed, match="holds from"):
            oms.read(data, ended)
    known = oms.Trust(authorities=Authorities([ROOT.certificate], late, "", lab))
    with pytest.raises(VerificationFailed, match="holds from"):  # known, and there is no stamp
        oms.read(signed, known)
    found = oms.read(stamped, known)[1].vouched
    assert found.stamped
    assert START <= found.at <= END
    moved = oms.stamped(bundle(), authority.answer(asked(b"another signature")))
    with pytest.raises(VerificationFailed, match="holds from"):
        oms.read(moved, known)
    with pytest.raises(MalformedInput):
        oms.read(oms.stamped(signed, b"junk"), known)


def test_a_bare_key_s_signature_has_a_time_for_whoever_names_the_authority(authority):
    manifest = oms.manifest_of("m", {"a": Digest.of(b"1")})
    signed = oms.sign(manifest, SigningKey(SIGNER.key))
    stamped = oms.stamped(signed, authority.answer(asked(oms.signature_of(signed))))
    lab = parse_certificates(b"".join((authority.folder / name).read_bytes() for name in ("tsa.pem", "root.pem")))
    keys = [SigningKey(SIGNER.key).public]
    seen = oms.read(stamped, oms.Trust(keys, stampers=[lab]))[1].stamped
    assert seen.by == "CN=Lab stamps"
    assert START <= seen.at <= END
    moved = oms.stamped(signed, authority.answer(asked(b"another signature")))
    for data, stampers in ((stamped, ()), (signed, [lab]), (moved, [lab])):
        assert oms.read(data, oms.Trust(keys, stampers=stampers))[1].stamped is None
