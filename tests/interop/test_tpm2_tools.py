"""A real software TPM and tpm2-tools agree with our verifier both ways: they take what we take, and refuse the rest."""

import hashlib
import random
import secrets
import subprocess

import pytest

from ringfence.attestation import credential, tpm_structures
from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import Activation, Binding, Claim, Family, Level, TpmEvidence, TpmValues
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.attestation import AT, ENDORSEMENT_USE, QUOTED, Authority, SoftTpm, expected, sized
from ringfence.testing.swtpm import software_tpm

BINDING = Binding(b"n" * 32, b"node key", Digest.of(b"workload"), "patients")
ROOT = Authority.root("A laboratory")
DEMANDS = frozenset({Claim.SIGNATURE, Claim.CHAIN, Claim.IDENTITY, Claim.FRESH, Claim.BOUND})


@pytest.fixture
def tools(made):
    return made[0]


@pytest.fixture(scope="module", params=[("rsa", "ecc", "ecdsa"), ("ecc", "rsa", "rsassa")], ids="-".join)
def made(request):
    with software_tpm() as tools:
        tools.keys(*request.param)
        tools.run("tpm2_pcrextend", f"4:sha256={'11' * 32}", f"10:sha256={'22' * 32}")
        tools.quote(BINDING.digest, scheme=request.param[2])
        yield tools, request.param[2]


def evidence(tools, **given):
    ek = tools.read("ek.pub")
    certificate = ROOT.certify("EK", tpm_structures.parse_public(ek).key, use=ENDORSEMENT_USE)
    parts = {"ak": tools.read("ak.pub"), "ek": ek, "quote": tools.read("q.msg"), "signature": tools.read("q.sig")}
    return TpmEvidence(**(parts | given), ek_certificate=certificate, pcrs=tools.pcrs(), event_log=None, ima=None)


def judge(found, pcrs=QUOTED, binding=BINDING):
    wanted = expected(Family.TPM2, TpmValues(pcrs), (ROOT.trusted(),), DEMANDS)
    return appraise(found, wanted, binding, AT, activation=Activation.PROVEN)


def accepts(found):
    try:
        return judge(found).claims[Claim.SIGNATURE].level is Level.AFFIRMING and judge(found).acceptable
    except MalformedInput:
        return False


def test_both_take_a_quote_and_it_is_called_a_programs(tools):
    done = judge(evidence(tools))
    assert done.acceptable, done.claims
    assert done.software_tpm
    assert tools.accepts(BINDING.digest, tools.read("q.msg"), tools.read("q.sig"))


def test_both_refuse_the_same_changed_quotes(tools):
    message, signature = tools.read("q.msg"), tools.read("q.sig")
    draw = random.Random(20261123)  # noqa: S311 -- no secret
    for _ in range(12):
        place, bit = draw.randrange(len(message)), 1 << draw.randrange(8)
        other = message[:place] + bytes([message[place] ^ bit]) + message[place + 1 :]
        assert not accepts(evidence(tools, quote=other))
        assert not tools.accepts(BINDING.digest, other, signature)
        place = draw.randrange(4, len(signature))
        forged = signature[:place] + bytes([signature[place] ^ bit]) + signature[place + 1 :]
        assert not accepts(evidence(tools, signature=forged))
        assert not tools.accepts(BINDING.digest, message, forged)


def test_both_refuse_another_challenge(tools):
    assert not tools.accepts(b"x" * 32, tools.read("q.msg"), tools.read("q.sig"))
    assert not judge(evidence(tools), binding=Binding(b"o" * 32, b"node key", BINDING.workload, "patients")).acceptable


def test_a_narrower_quote_is_good_for_the_tool_and_refused_by_us(made):
    tools, scheme = made
    tools.quote(BINDING.digest, "sha256:0,1,2", scheme)
    narrow = evidence(tools)
    assert tools.accepts(BINDING.digest, narrow.quote, narrow.signature)
    tools.quote(BINDING.digest, scheme=scheme)
    done = judge(narrow)
    assert done.claims[Claim.SIGNATURE].level is Level.CONTRAINDICATED
    assert not judge(narrow, pcrs=frozenset({0, 1, 2, 4})).acceptable


def test_the_tpm_gives_the_secret_of_our_credential_back(tools):
    ek, ak = tpm_structures.parse_public(tools.read("ek.pub")), tpm_structures.parse_public(tools.read("ak.pub"))
    assert ak.name == tools.read("ak.name")
    secret = secrets.token_bytes(32)
    assert tools.activate(credential.make(ek, ak.name, secret, secrets.token_bytes)) == secret
    with pytest.raises(subprocess.CalledProcessError):
        tools.activate(credential.make(ek, b"\x00\x0b" + b"x" * 32, secret, secrets.token_bytes))


def test_the_tpm_gives_no_secret_for_a_key_that_it_does_not_hold(tools):
    """Whoever runs the machine may load any public area, with a policy that allows all: identity rests on this."""
    activating = 0x147
    policy = hashlib.sha256(bytes(32) + (0x16C).to_bytes(4) + activating.to_bytes(4)).digest()
    ours = SoftTpm().ak  # of which the private half is a number in this program
    area = ours[2:10] + sized(policy) + ours[12:]
    forged = tpm_structures.parse_public(sized(area))
    assert tpm_structures.is_attestation_key(forged)
    (tools.folder / "forged.pub").write_bytes(sized(area))
    tools.run("tpm2_loadexternal", "-C", "o", "-u", "forged.pub", "-c", "forged.ctx")
    tools.run("tpm2_flushcontext", "-t")
    tools.run("tpm2_startauthsession", "--policy-session", "-S", "forged.session")
    tools.run("tpm2_policycommandcode", "-S", "forged.session", "TPM2_CC_ActivateCredential")
    ek, secret = tpm_structures.parse_public(tools.read("ek.pub")), secrets.token_bytes(32)
    given = credential.make(ek, forged.name, secret, secrets.token_bytes)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        tools.activate(given, "forged.ctx", "-p", "session:forged.session")
    assert "is not available for selected entity" in refused.value.stderr
    tools.run("tpm2_flushcontext", "forged.session")


def test_a_key_that_may_sign_anything_is_refused(tools):
    tools.run("tpm2_createprimary", "-C", "o", "-c", "primary.ctx")
    tools.run("tpm2_create", "-C", "primary.ctx", "-G", "ecc256:ecdsa-sha256", "-u", "plain.pub", "-r", "plain.priv")
    plain = tools.read("plain.pub")
    tools.run("tpm2_flushcontext", "-t")
    assert not tpm_structures.is_attestation_key(tpm_structures.parse_public(plain))
    assert not accepts(evidence(tools, ak=plain))


def test_the_tpm_and_we_take_the_same_quotes_by_rsapss():
    """tpm2_checkquote 5.4 verifies RSA with PKCS#1 v1.5 padding alone, and refuses them all: so the TPM is asked."""
    with software_tpm() as tools:
        tools.keys("ecc", "rsa", "rsapss")
        tools.quote(BINDING.digest, scheme="rsapss")
        message, signature = tools.read("q.msg"), tools.read("q.sig")
        assert accepts(evidence(tools))
        assert tools.verifies(message, signature)
        assert not tools.accepts(BINDING.digest, message, signature)  # once it does, it can stand in the tests above
        changed = message[:-1] + bytes([message[-1] ^ 1])
        forged = signature[:-1] + bytes([signature[-1] ^ 1])
        for other in ((changed, signature), (message, forged)):
            assert not accepts(evidence(tools, quote=other[0], signature=other[1]))
            assert not tools.verifies(*other)
