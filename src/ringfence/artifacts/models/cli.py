"""`ringfence model`: sign, verify, scan, import, list."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ringfence.artifacts.models.keyring import Held
    from ringfence.artifacts.models.keys import PublicKey
    from ringfence.artifacts.models.local import Posting
    from ringfence.artifacts.models.model import Manifest, ModelName, Report
    from ringfence.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Sign, verify, scan, import and list models.",
)
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The model's folder.")]
As = Annotated[str | None, typer.Option("--as", metavar="NAME", help="The model's name; by default the folder's.")]
Trusted = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="PEM", help="A public key to trust; by default those of this tenant's operators."),
]
Signing = Annotated[
    Path | None,
    typer.Option("--key", metavar="PEM", help="A P-256 private key; by default your own, made at first use."),
]
Unknown = Annotated[bool, typer.Option("--accept-unknown", help="Also take formats that the scan cannot look into.")]
Unrecorded = Annotated[bool, typer.Option("--no-record", help="State nothing, also where there is an installation.")]


@app.command()
def sign(
    folder: Folder,
    name: As = None,
    key: Signing = None,
    public: Annotated[
        Path | None, typer.Option("--public-key", metavar="FILE", help="Write the public key there, for others.")
    ] = None,
    unrecorded: Unrecorded = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign every file of a model into model.sig beside them (OMS 1.0), and state it."""
    from ringfence.artifacts.models.blobs import model_folder
    from ringfence.artifacts.models.statements import Signature
    from ringfence.artifacts.models.store import Stamping, sign_folder
    from ringfence.kernel.digest import Digest
    from ringfence.settings import Settings
    from ringfence.storage.files import write_whole

    settings = Settings.from_environment()
    recording = _installed(settings) and not unrecorded
    called = _name(name, folder) if recording else None
    held = _signing(key, settings)
    stamping = Stamping.at_home(settings.home, folder) if _has_home(settings) else None
    with model_folder(folder) as opened:
        done = sign_folder(opened, folder, held.key, stamping)
    if public is not None:
        write_whole(public, held.key.public.pem.encode())
    document = _manifest(done.manifest, held.key.public) | {"bytes": done.size}
    if called is not None:
        signature = Signature(done.manifest, done.size, Digest.of(done.bundle), held.key.public, held.custody)
        with _posting(settings) as posting:
            document |= {"name": called, "statement": posting.signed(called, signature)}
    output(document, lambda console: _signed(console, document), as_json)


@app.command()
def verify(
    folder: Folder,
    key: Trusted = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Verify a signed model: who signed it, that no file is missing or was added, and every byte."""
    from ringfence.artifacts.models.blobs import verified
    from ringfence.settings import Settings

    with verified(folder, _trusted(key, Settings.from_environment())) as model:
        size = model.check()
        document = _manifest(model.manifest, model.signer) | {"bytes": size, "result": "pass"}
    output(document, lambda console: _verified(console, document), as_json)


@app.command()
def scan(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A model's folder, or one file.")],
    name: As = None,
    unrecorded: Unrecorded = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Judge files by what they hold, without loading them; state it of a folder; exit 1 unless all are clean."""
    from ringfence.artifacts.models.blobs import looked_at, model_folder
    from ringfence.artifacts.models.scan import scan as judged
    from ringfence.artifacts.models.store import scan_folder
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    if path.is_dir():
        called = _name(name, path) if _installed(settings) and not unrecorded else None
        with model_folder(path) as opened:
            looked = scan_folder(opened)
        document = looked.report.to_json() | {"digest": str(looked.manifest.digest)}
        if called is not None:
            with _posting(settings) as posting:
                statement = posting.scanned(called, looked.manifest, looked.report)
            document |= {"name": called, "statement": statement}
    else:
        with looked_at(path) as (names, opening):
            document = judged(names, opening).to_json()
    output(document, lambda console: _scanned(console, document), as_json)
    if document["verdict"] != "clean":
        raise typer.Exit(1)


@app.command("import")
def import_(
    folder: Folder,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model's name in this tenant.")],
    key: Trusted = None,
    accept_unknown: Unknown = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Copy a model into the home: verify it if it is signed, scan the copy, sign the copy, and state both."""
    from ringfence.artifacts.models.blobs import model_folder
    from ringfence.artifacts.models.model import model_name
    from ringfence.artifacts.models.statements import Signature
    from ringfence.artifacts.models.store import Shelf, copy_model, scan_folder, sign_folder
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import Refused, VerificationFailed
    from ringfence.settings import Settings

    settings, called = Settings.from_environment(), model_name(name)
    held, shelf = _signing(None, settings), Shelf(settings.home)
    with _posting(settings) as posting, shelf.new(called) as staged:
        with model_folder(folder) as source:
            copy_model(source, staged)
            expected = _signed_manifest(source, key, posting)
        with model_folder(staged) as copy:
            looked = scan_folder(copy)
            if expected is not None and expected.digest != looked.manifest.digest:
                raise VerificationFailed(f"{folder} does not hold the files that its signature names")
            scanned = posting.scanned(called, looked.manifest, looked.report)
            _check_intake(looked.report, accept_unknown=accept_unknown)
            done = sign_folder(copy, staged, held.key)
        if done.manifest.digest != looked.manifest.digest:
            raise Refused("the copy was changed between its scan and its signature; nothing was imported")
        signature = Signature(done.manifest, done.size, Digest.of(done.bundle), held.key.public, held.custody)
        document = _manifest(done.manifest, held.key.public) | {"name": called, "bytes": done.size, "scan": scanned}
        document |= {"statement": posting.signed(called, signature), "verdict": looked.report.verdict.value}
    document |= {"path": str(shelf.path(called))}
    output(document, lambda console: _imported(console, document), as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """List the newest signed version of every model, and what its scan said."""
    from ringfence.artifacts.models.local import API
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(API)
    output(document, lambda console: _listed(console, document), as_json)


def _has_home(settings: "Settings") -> bool:
    return (settings.home / "ringfence.json").exists()


def _installed(settings: "Settings") -> bool:
    return bool(settings.url) or _has_home(settings)


@contextmanager
def _posting(settings: "Settings") -> "Iterator[Posting]":
    import secrets

    from ringfence.artifacts.models.local import Posting
    from ringfence.frontends.client import connect

    with connect(settings) as client:
        yield Posting(client, secrets.token_bytes)


def _name(given: str | None, folder: Path) -> "ModelName":
    from ringfence.artifacts.models.model import model_name
    from ringfence.kernel.errors import MalformedInput, UsageError

    try:
        return model_name(given if given is not None else folder.resolve().name)
    except MalformedInput as error:
        if given is not None:
            raise
        raise UsageError(f"the folder's name is no name for a model; give one with --as NAME: {error}") from error


def _signing(path: Path | None, settings: "Settings") -> "Held":
    from ringfence.artifacts.models import keyring
    from ringfence.frontends.client import operator_path
    from ringfence.kernel.errors import UsageError

    if path is not None:
        return keyring.of_pem(path, settings.passphrase())
    if not _has_home(settings):
        raise UsageError("there is no home of Ringfence here, hence no key of yours: name a P-256 key with --key PEM")
    return keyring.of_operator(operator_path(settings), settings.passphrase())


def _trusted(paths: list[Path] | None, settings: "Settings") -> "Sequence[PublicKey]":
    from ringfence.artifacts.models import keyring
    from ringfence.kernel.errors import UsageError

    if paths:
        return [keyring.public_of(path) for path in paths]
    if not _installed(settings):
        raise UsageError("name the public key of whoever signs models that you trust: --key PEM")
    with _posting(settings) as posting:
        return posting.trusted()


def _signed_manifest(source: Any, paths: list[Path] | None, posting: "Posting") -> "Manifest | None":
    """Return what the signature beside a model says; None where there is none and no key was asked for."""
    from ringfence.artifacts.models import keyring
    from ringfence.artifacts.models.oms import verify as verify_bundle
    from ringfence.kernel.errors import NotFound

    try:
        bundle = source.signature()
    except NotFound:
        if paths:
            raise
        return None
    keys = [keyring.public_of(path) for path in paths] if paths else posting.trusted()
    manifest, _ = verify_bundle(bundle, keys, source="model.sig")
    return manifest


def _check_intake(report: "Report", *, accept_unknown: bool) -> None:
    from ringfence.kernel.errors import Refused, VerificationFailed

    first = next(iter(report.all_findings), None)
    if report.verdict.value == "refused":
        raise VerificationFailed(f"the scan refuses this model: {first.text if first else 'it has no file'}")
    if report.verdict.value == "unknown" and not accept_unknown:
        raise Refused(
            "the scan cannot look into every file; read what `ringfence model scan` says, or --accept-unknown"
        )


def _manifest(manifest: "Manifest", key: "PublicKey") -> dict[str, Any]:
    return {
        "digest": str(manifest.digest),
        "root": str(manifest.root),
        "files": len(manifest.files),
        "signer": key.hint,
    }


def _signed(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"Signed {document['files']} files, {document['bytes']} bytes.")
    _digests(console, document)


def _digests(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"digest     {document['digest']}")
    console.print(f"signed by  {document['signer']}")
    if "statement" in document:
        console.print(f"statement  {document['statement']['stage']}, {document['statement']['envelope']}")


def _verified(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"Every byte of {document['files']} files ({document['bytes']} bytes) is what was signed.")
    _digests(console, document)


def _scanned(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['verdict']}: {len(document['files'])} files looked at, none loaded.")
    for finding in document["findings"]:
        console.print(f"  {finding['weight']}: {finding['text']}")
    for judged in document["files"]:
        for finding in judged["findings"]:
            console.print(f"  {finding['weight']}: {judged['name']} ({judged['format']}): {finding['text']}")


def _imported(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"Imported {document['name']} ({document['verdict']}) into {document['path']}.")
    _digests(console, document)


def _listed(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Column, Table

    if not document["models"]:
        console.print("No model is signed yet: ringfence model sign DIR")
        return
    table = Table("name", "files", "bytes", "scan", "signed by", Column("digest", overflow="fold"), box=None)
    for row in document["models"]:
        cells = (row["name"], row["files"], row["bytes"], row["scan"] or "none", row["signer"][:16], row["digest"])
        table.add_row(*map(str, cells))
    console.print(table)
