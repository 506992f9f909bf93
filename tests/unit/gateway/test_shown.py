from dataclasses import replace

from ringfence.gateway import shown
from ringfence.gateway.model import Basis, DeploymentState, ServedModel, Upstream
from ringfence.gateway.usage import NOTHING, Usage
from ringfence.kernel.digest import Digest
from ringfence.testing.clock import START
from ringfence.testing.gateway import SECRET, api_key, deployment


def test_neither_a_key_nor_its_hash_is_shown():
    document = str(shown.key(api_key(), START, NOTHING))
    assert SECRET not in document
    assert api_key().secret_hash.hex() not in document


def test_an_engines_credential_is_shown_as_being_there():
    one = deployment(upstream=Upstream("http://127.0.0.1:1/v1", credential="credentials/c-0123"))
    document = shown.deployment(one, NOTHING)
    assert document["credential"] is True
    assert "c-0123" not in str(document)


def test_the_kinds_of_digest_never_read_alike():
    digest = Digest.of(b"x")
    loaded = deployment(model=ServedModel("m", digest, Basis.LOADED))
    declared = deployment(model=ServedModel("m", digest, Basis.DECLARED))
    unknown = deployment(model=ServedModel("m", None, Basis.DECLARED))
    coming = replace(unknown, state=DeploymentState.STARTING)
    lost = replace(unknown, state=DeploymentState.FAILED, node="n-00000001")
    assert len({shown.basis(one) for one in (loaded, declared, unknown, coming, lost)}) == 5


def test_usage_says_since_when():
    assert shown.counted_since(Usage()) is None
    assert shown.counted_since(Usage(since=START)) == "2026-11-22T09:00:00.000Z"
