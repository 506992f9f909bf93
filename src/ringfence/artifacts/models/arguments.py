"""What the options of `ringfence model` mean: keys, trust and names."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringfence.artifacts.models.keyring import Held
    from ringfence.artifacts.models.keys import PublicKey
    from ringfence.artifacts.models.local import Posting
    from ringfence.artifacts.models.model import ModelName
    from ringfence.artifacts.models.oms import Trust
    from ringfence.artifacts.models.ports import Stamps
    from ringfence.settings import Settings


LARGE = 2**30
MAX_LOOKED = 10_000  # files that are looked at for that


def has_home(settings: "Settings") -> bool:
    """Tell whether an installation lies here."""
    return (settings.home / "ringfence.json").exists()


def installed(settings: "Settings") -> bool:
    """Tell whether there is an installation to state to."""
    return bool(settings.url) or has_home(settings)


@contextmanager
def posting(settings: "Settings") -> "Iterator[Posting]":
    """Connect, to state something."""
    import secrets

    from ringfence.artifacts.models.local import Posting
    from ringfence.frontends.client import connect

    with connect(settings) as client:
        yield Posting(client, secrets.token_bytes)


def large(path: Path) -> bool:
    """Tell whether a model is so large that reading it takes longer than a person waits without a word."""
    try:
        files = path.rglob("*") if path.is_dir() else iter((path,))
        return sum(file.stat().st_size for file in islice(files, MAX_LOOKED)) > LARGE
    except OSError:
        return False  # whoever opens it says why it cannot be read


def name(given: str | None, folder: Path) -> "ModelName":
    """Return the name that was given, or else the folder's."""
    from ringfence.artifacts.models.model import model_name
    from ringfence.kernel.errors import MalformedInput, UsageError

    try:
        return model_name(given if given is not None else folder.resolve().name)
    except MalformedInput as error:
        if given is not None:
            raise
        raise UsageError(f"the folder's name is no name for a model; give one with --as NAME: {error}") from error


def signing(path: Path | None, settings: "Settings") -> "Held":
    """Return the key in a file, or else the operator's own."""
    from ringfence.artifacts.models import keyring
    from ringfence.frontends.client import operator_path
    from ringfence.kernel.errors import UsageError

    if path is not None:
        return keyring.of_pem(path, settings.passphrase())
    if not has_home(settings):
        raise UsageError("there is no home of Ringfence here, hence no key of yours: name a P-256 key with --key PEM")
    return keyring.of_operator(operator_path(settings), settings.passphrase())


def in_token(module: Path | None, label: str, key: str, pin_file: Path | None) -> "Held":
    """Return a key in a token."""
    from ringfence.artifacts.models import keyring
    from ringfence.kernel.errors import UsageError
    from ringfence.storage.tokens import TokenPlace

    if module is None or not label or not key or pin_file is None:
        raise UsageError("a key in a token is named by --pkcs11, --token, --token-key and --pin-file together")
    return keyring.of_token(TokenPlace(module, label, pin_file, key))


def own_chain(path: Path | None, held: "Held") -> list[bytes]:
    """Return the certificates of the key that signs, in DER."""
    from ringfence.artifacts.models import certificates, keyring

    if path is None:
        return []
    chain = keyring.certificates_of(path)
    certificates.check_own(chain, held.key.public)
    return [certificates.to_der(one) for one in chain]


def timed(url: str, stamper: Path | None, ask: "Stamps | None") -> Callable[[bytes], bytes]:
    """Return what adds a time stamp to a bundle, or nothing where none is asked for.

    A stamp that does not verify by the authority's certificate is not kept.
    """
    from ringfence.artifacts.models import certificates, keyring, oms
    from ringfence.kernel.errors import Unavailable, UsageError, VerificationFailed

    if not url and stamper is None:
        return bytes
    if not url or stamper is None:
        raise UsageError("a time stamp is asked for by --timestamp URL and --stamper PEM, the authority's certificates")
    if ask is None:
        raise Unavailable("nothing here asks an authority for a time stamp; sign with `ringfence model sign`")
    known = [keyring.certificates_of(stamper)]

    def add(bundle: bytes) -> bytes:
        signature = oms.signature_of(bundle)
        token = ask(url, signature)
        if certificates.earliest(signature, (token,), known) is None:
            raise VerificationFailed(
                f"the time stamp from {url} does not verify by {stamper}: name the certificate that signs its stamps, "
                "then those of its issuers up to the root"
            )
        return oms.stamped(bundle, token)

    return add


def sign_elsewhere(
    folder: Path,
    target: Path | None,
    held: "Held",
    algorithm: str,
    chain: Sequence[bytes],
    timed: Callable[[bytes], bytes] = bytes,
) -> dict[str, Any]:
    """Sign into a file elsewhere, for readers elsewhere; nothing is stated."""
    from ringfence.artifacts.models.blobs import model_folder
    from ringfence.artifacts.models.methods import Algorithm
    from ringfence.artifacts.models.store import sign_otherwise
    from ringfence.kernel.errors import UsageError

    if algorithm not in set(Algorithm):
        raise UsageError(f"--hash is {' or '.join(Algorithm)}, not {algorithm[:40]!r}")
    if target is None:
        raise UsageError("a signature by BLAKE3 is one more, for readers elsewhere: say where with --signature FILE")
    with model_folder(folder) as opened:
        files = sign_otherwise(opened, target, held.key, Algorithm(algorithm), chain, timed)
        size = sum(opened.size(name) for name in files.files)
    return {
        "root": str(files.root),
        "method": files.method.text,
        "files": len(files.files),
        "bytes": size,
        "signer": held.key.public.hint,
        "signature": str(target),
    }


def trust(
    keys: list[Path] | None, roots: list[Path] | None, subject: str, stampers: list[Path] | None, settings: "Settings"
) -> "Trust":
    """Return whose signatures count: the keys and roots that are named; without any, this tenant's operators'."""
    from ringfence.artifacts.models import keyring
    from ringfence.artifacts.models.certificates import Authorities
    from ringfence.artifacts.models.oms import Trust
    from ringfence.kernel.errors import UsageError

    stamps = [keyring.certificates_of(path) for path in stampers or ()]
    if not roots:
        if subject:
            raise UsageError("--subject says more about certificates: name the authority's with --root")
        return Trust(trusted(keys, settings), stampers=stamps)
    known = [one for path in roots for one in keyring.certificates_of(path)]
    return Trust(trusted(keys, settings) if keys else (), Authorities(known, now(), subject, stamps), stamps)


def now() -> datetime:
    """Return the time of this machine: a certificate without a stamp is judged by it."""
    import time

    return datetime.fromtimestamp(time.time_ns() // 10**9, tz=UTC)


def trusted(paths: list[Path] | None, settings: "Settings") -> "Sequence[PublicKey]":
    """Return the public keys in files, or else those of this tenant's operators."""
    from ringfence.artifacts.models import keyring
    from ringfence.kernel.errors import UsageError

    if paths:
        return [keyring.public_of(path) for path in paths]
    if not installed(settings):
        raise UsageError("name the public key of whoever signs models that you trust: --key PEM")
    with posting(settings) as connected:
        return connected.trusted()
