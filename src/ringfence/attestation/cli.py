"""`ringfence attestation`: verify a file of evidence, sign reference values, and take the digests that they name."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from ringfence.attestation.model import Bound

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Verify evidence of TPMs, confidential guests and GPUs; sign what is expected of them.",
)
_MAX_PEM = 16 * 2**10
_MAX_IMAGE = 512 * 2**20
_MAX_NONCE = 64


@app.command()
def verify(
    evidence: Annotated[Path, typer.Argument(metavar="FILE", help="The evidence document.")],
    expect: Annotated[Path, typer.Option("--expect", metavar="FILE", help="The signed reference document.")],
    signer: Annotated[
        list[Path], typer.Option("--signer", metavar="PEM", help="An Ed25519 public key that may say what is right.")
    ],
    nonce: Annotated[
        str,
        typer.Option("--nonce", metavar="HEX", help="The challenge; alone, what the device signed along."),
    ] = "",
    node_key: Annotated[
        Path | None, typer.Option("--node-key", metavar="FILE", help="The node's public key in the binding, raw.")
    ] = None,
    workload: Annotated[str, typer.Option(metavar="DIGEST", help="The workload in the binding.")] = "",
    dataset: Annotated[str, typer.Option(metavar="NAME", help="The dataset in the binding.")] = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="Judge as of this time, by default now.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Judge evidence claim by claim against a signed reference document; exit 1 where a demanded claim is not shown."""
    from ringfence.attestation import document, reference, rendering
    from ringfence.attestation.appraise import appraise
    from ringfence.kernel import clock
    from ringfence.storage.files import read_bounded

    when = clock.given(at, zoned=True) if at else clock.from_millis(time.time_ns() // 1_000_000)
    bound = _binding(nonce, node_key, workload, dataset)
    signed = read_bounded(expect, limit=2 * reference.MAX_DOCUMENT)
    expected = reference.open_signed(signed, [_public(path) for path in signer], source=str(expect))
    data = read_bounded(evidence, limit=document.MAX_DOCUMENT)
    appraisal = appraise(document.parse(data, source=str(evidence)), expected, bound, when)
    shown = appraisal.to_json() | {
        "expected": {"name": expected.name, "digest": str(expected.digest), "signer": expected.signer},
        "at": clock.to_text(when),
    }
    output(shown, lambda console: rendering.appraised(console, appraisal), as_json)
    if not appraisal.acceptable:
        raise typer.Exit(1)


def _binding(nonce: str, node_key: Path | None, workload: str, dataset: str) -> "Bound | None":
    from ringfence.attestation.model import Binding, Nonce
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import UsageError
    from ringfence.storage.files import read_bounded

    try:
        octets = bytes.fromhex(nonce)
    except ValueError as error:
        raise UsageError("--nonce is hexadecimal digits") from error
    if len(octets) > _MAX_NONCE:
        raise UsageError(f"--nonce has at most {_MAX_NONCE} bytes")
    if node_key is None and not workload and not dataset:
        return Nonce(octets) if octets else None
    if node_key is None or not workload or not dataset or not octets:
        raise UsageError("a binding is --nonce, --node-key, --workload and --dataset, all four; or --nonce alone")
    return Binding(octets, read_bounded(node_key, limit=_MAX_PEM), Digest.parse(workload), dataset)


def _public(path: Path) -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from ringfence.kernel.errors import MalformedInput
    from ringfence.storage.files import read_bounded

    try:
        key = serialization.load_pem_public_key(read_bounded(path, limit=_MAX_PEM))
    except ValueError as error:
        raise MalformedInput("not a public key in PEM", source=str(path)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise MalformedInput("not an Ed25519 public key", source=str(path))
    return key.public_bytes_raw()


@app.command()
def sign(
    values: Annotated[Path, typer.Argument(metavar="FILE", help="The reference document, not signed yet.")],
    key: Annotated[Path, typer.Option("--key", metavar="PEM", help="Your Ed25519 private key; only you may read it.")],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the signed document goes.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign a reference document; one that would not be read is not signed."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ringfence.attestation import reference
    from ringfence.kernel import clock
    from ringfence.kernel.errors import MalformedInput
    from ringfence.storage.files import read_bounded, read_private, write_whole

    document = read_bounded(values, limit=reference.MAX_DOCUMENT)
    try:
        loaded = serialization.load_pem_private_key(read_private(key), None)
    except (ValueError, TypeError) as error:
        raise MalformedInput("not a private key in PEM without a passphrase", source=str(key)) from error
    if not isinstance(loaded, Ed25519PrivateKey):
        raise MalformedInput("not an Ed25519 private key", source=str(key))
    expected = reference.parse(document, source=str(values))
    write_whole(out, reference.sign(document, loaded) + b"\n")
    shown = {
        "name": expected.name,
        "family": expected.family.value,
        "digest": str(expected.digest),
        "demands": sorted(expected.demands),
        "validUntil": clock.to_text(expected.valid_until),
        "sufficesForRelease": expected.suffices_for_release,
    }
    words = "" if expected.suffices_for_release else "; it demands too little for a key to be released by it"
    output(shown, lambda console: console.print(f"signed: {expected.name}, {expected.digest}{words}"), as_json)


@app.command()
def measure(
    kernel: Annotated[Path | None, typer.Option(metavar="FILE", help="A kernel, as firmware starts it.")] = None,
    initrd: Annotated[Path | None, typer.Option(metavar="FILE", help="An initrd.")] = None,
    cmdline: Annotated[str, typer.Option(metavar="TEXT", help="A command line, with what the loader adds to it.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Print the digests that firmware and kernel log when these are started: the values of `events`."""
    import hashlib

    from ringfence.attestation import boot
    from ringfence.kernel.errors import UsageError
    from ringfence.storage.files import read_bounded

    found: dict[str, list[str]] = {}
    if kernel is not None:
        found[boot.KERNEL] = [boot.image_digest(read_bounded(kernel, limit=_MAX_IMAGE)).hex()]
    if initrd is not None:
        found[boot.INITRD] = [hashlib.sha256(read_bounded(initrd, limit=_MAX_IMAGE)).hexdigest()]
    if cmdline:
        found[boot.COMMAND_LINE] = [boot.command_line_digest(cmdline).hex()]
    if not found:
        raise UsageError("name a kernel, an initrd or a command line")
    words = "\n".join(f"{name}  {digests[0]}" for name, digests in found.items())
    output({"events": found}, lambda console: console.print(words), as_json)
