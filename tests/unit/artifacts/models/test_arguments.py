from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from ringfence.artifacts.models import arguments
from ringfence.artifacts.models.keyring import Held
from ringfence.artifacts.models.keys import SigningKey
from ringfence.kernel.errors import MalformedInput, Unavailable, UsageError
from ringfence.settings import Settings
from ringfence.testing.certificates import issue
from ringfence.testing.models import key


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "none")


def test_names_of_folders_and_those_that_are_given(tmp_path):
    assert arguments.name(None, tmp_path / "tiny") == "tiny"
    assert arguments.name("mine", tmp_path / "Odd Name") == "mine"
    with pytest.raises(UsageError, match="--as NAME"):
        arguments.name(None, tmp_path / "Odd Name")
    with pytest.raises(MalformedInput):
        arguments.name("Odd Name", tmp_path)


def test_without_a_home_keys_are_named(settings):
    assert not arguments.has_home(settings)
    for use in (lambda: arguments.signing(None, settings), lambda: arguments.trusted(None, settings)):
        with pytest.raises(UsageError, match="--key PEM"):
            use()


def test_trust_is_in_keys_or_under_roots(settings, tmp_path):
    root = tmp_path / "root.pem"
    root.write_bytes(issue("root", ca=True).certificate.public_bytes(Encoding.PEM))
    public = tmp_path / "pub.pem"
    public.write_text(key().public.pem)
    assert [one.hint for one in arguments.trust([public], None, "", None, settings).keys] == [key().public.hint]
    under = arguments.trust(None, [root], "CN=x", [root], settings)
    assert (under.keys, under.authorities.subject, len(under.authorities.stampers)) == ((), "CN=x", 1)
    stamped = arguments.trust([public], None, "", [root], settings)
    assert (stamped.authorities, len(stamped.stampers)) == (None, 1)
    with pytest.raises(UsageError, match="--root"):
        arguments.trust([public], None, "CN=x", None, settings)


def test_a_time_stamp_takes_an_address_and_whom_to_believe(tmp_path):
    assert arguments.timed("", None, None)(b"bundle") == b"bundle"
    root = tmp_path / "root.pem"
    root.write_bytes(issue("root", ca=True).certificate.public_bytes(Encoding.PEM))
    for url, stamper in (("https://tsa.example", None), ("", root)):
        with pytest.raises(UsageError, match="--timestamp URL and --stamper PEM"):
            arguments.timed(url, stamper, None)
    with pytest.raises(Unavailable):
        arguments.timed("https://tsa.example", root, None)


def test_a_chain_is_of_the_key_that_signs(tmp_path):
    signer = issue("signer")
    path = tmp_path / "own.pem"
    path.write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    assert arguments.own_chain(path, Held(SigningKey(signer.key), "file-plain")) == [signer.der]
    assert arguments.own_chain(None, Held(key(), "file-plain")) == []
    with pytest.raises(UsageError, match="signer's own first"):
        arguments.own_chain(path, Held(key(), "file-plain"))


def test_a_key_in_a_token_is_named_whole(tmp_path):
    for given in ((Path("m.so"), "", "k", tmp_path), (Path("m.so"), "t", "", tmp_path), (Path("m.so"), "t", "k", None)):
        with pytest.raises(UsageError, match="together"):
            arguments.in_token(*given)
