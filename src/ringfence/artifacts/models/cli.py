"""`ringfence model`: sign, verify, scan, import, list; and bills of materials."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, announce, output

if TYPE_CHECKING:
    from ringfence.artifacts.models.store import Signed

READING = "reading every byte: some seconds for each gigabyte"
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Sign, verify, scan, import and list models; bills of materials.",
)
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The model's folder.")]
As = Annotated[str | None, typer.Option("--as", metavar="NAME", help="The model's name; by default the folder's.")]
Trusted = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="PEM", help="A public key to trust; by default those of this tenant's operators."),
]
Roots = Annotated[
    list[Path] | None,
    typer.Option("--root", metavar="PEM", help="A root certificate under which signers are trusted."),
]
Whom = Annotated[
    str, typer.Option("--subject", metavar="NAME", help="The one signer who is taken under a root, as RFC 4514 has it.")
]
Stampers = Annotated[
    list[Path] | None,
    typer.Option("--stamper", metavar="PEM", help="A time-stamping authority: its certificate, then its issuers'."),
]
Detached = Annotated[
    Path | None, typer.Option("--signature", metavar="FILE", help="The bundle, where it is not model.sig beside.")
]
Signing = Annotated[
    Path | None,
    typer.Option("--key", metavar="PEM", help="A P-256 or P-384 private key; by default your own, made at first use."),
]
Chain = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="PEM", help="The key's certificate, then those of its issuers."),
]
Module = Annotated[
    Path | None, typer.Option("--pkcs11", metavar="MODULE", help="Sign in a token: the module of its vendor.")
]
Label = Annotated[str, typer.Option("--token", metavar="LABEL", help="The token's label.")]
InToken = Annotated[str, typer.Option("--token-key", metavar="LABEL", help="The label of the key in the token.")]
PinFile = Annotated[
    Path | None, typer.Option("--pin-file", metavar="FILE", help="A file that only you read, with the token's PIN.")
]
Timestamp = Annotated[
    str,
    typer.Option("--timestamp", metavar="URL", help="Have the signature stamped by this authority (RFC 3161)."),
]
Stamper = Annotated[
    Path | None,
    typer.Option("--stamper", metavar="PEM", help="That authority's certificate, then those of its issuers."),
]
Unknown = Annotated[bool, typer.Option("--accept-unknown", help="Also take formats that the scan cannot look into.")]
Unrecorded = Annotated[bool, typer.Option("--no-record", help="State nothing, also where there is an installation.")]


@app.command()
def sign(
    context: typer.Context,
    folder: Folder,
    name: As = None,
    key: Signing = None,
    certificate: Chain = None,
    pkcs11: Module = None,
    token: Label = "",
    token_key: InToken = "",
    pin_file: PinFile = None,
    algorithm: Annotated[
        str, typer.Option("--hash", metavar="sha256|blake3", help="blake3 needs --signature, and states nothing.")
    ] = "sha256",
    signature: Detached = None,
    public: Annotated[
        Path | None, typer.Option("--public-key", metavar="FILE", help="Write the public key there, for others.")
    ] = None,
    timestamp: Timestamp = "",
    stamper: Stamper = None,
    unrecorded: Unrecorded = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign every file of a model into model.sig beside them (OMS 1.0), and state it."""
    from ringfence.artifacts.models import arguments, rendering
    from ringfence.artifacts.models.blobs import model_folder
    from ringfence.artifacts.models.statements import Signature
    from ringfence.artifacts.models.store import Stamping, sign_folder
    from ringfence.kernel.digest import Digest
    from ringfence.settings import Settings
    from ringfence.storage.files import write_whole

    if arguments.large(folder):
        announce(READING)
    settings = Settings.from_environment()
    held = arguments.in_token(pkcs11, token, token_key, pin_file) if pkcs11 else arguments.signing(key, settings)
    chain, timed = arguments.own_chain(certificate, held), arguments.timed(timestamp, stamper, context.obj)
    if algorithm != "sha256" or signature is not None:
        elsewhere = arguments.sign_elsewhere(folder, signature, held, algorithm, chain, timed)
        output(elsewhere, lambda console: rendering.signed(console, elsewhere), as_json)
        return
    called = arguments.name(name, folder) if arguments.installed(settings) and not unrecorded else None
    stamping = Stamping.at_home(settings.home, folder) if arguments.has_home(settings) else None
    document: dict[str, Any] = {}

    def state(done: "Signed") -> None:
        """State it before the signature lies beside the files: what the log does not take leaves none there."""
        if called is not None:
            stated = Signature(done.manifest, done.size, Digest.of(done.bundle), held.key.public, held.custody)
            with arguments.posting(settings) as posting:
                document.update(name=called, statement=posting.signed(called, stated))

    with model_folder(folder) as opened:
        done = sign_folder(opened, folder, held.key, stamping, chain, timed=timed, first=state)
    if public is not None:
        write_whole(public, held.key.public.pem.encode())
    document |= rendering.of_manifest(done.manifest, held.key.public) | {"bytes": done.size}
    output(document, lambda console: rendering.signed(console, document), as_json)


@app.command()
def verify(
    folder: Folder,
    key: Trusted = None,
    root: Roots = None,
    subject: Whom = "",
    stamper: Stampers = None,
    signature: Detached = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Read this file's bytes, and no other's.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Verify a signed model: who signed it, that no file is missing or was added, and every byte."""
    from ringfence.artifacts.models import arguments, rendering
    from ringfence.artifacts.models.methods import FILES
    from ringfence.artifacts.models.snapshots import read_bundle
    from ringfence.artifacts.models.store import check_model
    from ringfence.kernel.clock import to_text
    from ringfence.settings import Settings

    if arguments.large(folder):
        announce(READING)
    trust = arguments.trust(key, root, subject, stamper, Settings.from_environment())
    bundle = read_bundle(signature) if signature else None
    checked = check_model(folder, trust, bundle=bundle, only=only or ())
    stamped = checked.signer.stamped
    document = {
        "digest": str(checked.files.manifest.digest) if checked.files.method == FILES else "",
        "root": str(checked.files.root),
        "method": checked.files.method.text,
        "files": len(checked.files.files),
        "read": len(checked.names),
        "bytes": checked.size,
        "signer": checked.signer.key.hint,
        "subject": checked.signer.subject,
        "stamped": stamped is not None,
        "stamped_at": to_text(stamped.at) if stamped else "",
        "stamped_by": stamped.by if stamped else "",
        "result": "pass",
    }
    output(document, lambda console: rendering.verified(console, document), as_json)


@app.command()
def scan(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A model's folder, or one file.")],
    name: As = None,
    unrecorded: Unrecorded = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Judge files by what they hold, without loading them; state it of a folder; exit 1 unless all are clean."""
    from ringfence.artifacts.models import arguments, rendering
    from ringfence.artifacts.models.blobs import looked_at, model_folder
    from ringfence.artifacts.models.scan import scan as judged
    from ringfence.artifacts.models.store import scan_folder
    from ringfence.settings import Settings

    if arguments.large(path):
        announce(READING)
    settings = Settings.from_environment()
    if path.is_dir():
        called = arguments.name(name, path) if arguments.installed(settings) and not unrecorded else None
        with model_folder(path) as opened:
            looked = scan_folder(opened)
        document = looked.report.to_json() | {"digest": str(looked.manifest.digest)}
        if called is not None:
            with arguments.posting(settings) as posting:
                statement = posting.scanned(called, looked.manifest, looked.report)
            document |= {"name": called, "statement": statement}
    else:
        with looked_at(path) as (names, opening):
            document = judged(names, opening).to_json()
    output(document, lambda console: rendering.scanned(console, document), as_json)
    if document["verdict"] != "clean":
        raise typer.Exit(1)


@app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(metavar="PATH", help="A folder, a file, or a snapshot in a cache of Hugging Face's tools.")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model's name in this tenant.")],
    key: Trusted = None,
    root: Roots = None,
    subject: Whom = "",
    stamper: Stampers = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--leave-out", metavar="FILE", help="Do not take this file in; it is stated.")
    ] = None,
    accept_unknown: Unknown = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Copy a model into the home: verify it if it is signed, scan the copy, sign the copy, and state all three."""
    from ringfence.artifacts.models import arguments, rendering
    from ringfence.artifacts.models.importing import Terms, take_in
    from ringfence.artifacts.models.model import model_name
    from ringfence.settings import Settings

    if arguments.large(source):
        announce(READING)
    settings, called = Settings.from_environment(), model_name(name)
    held = arguments.signing(None, settings)
    with arguments.posting(settings) as posting:
        terms = Terms(
            arguments.trust(key, root, subject, stamper, settings),
            signed=bool(key or root),
            accept_unknown=accept_unknown,
            left_out=frozenset(leave_out or ()),
        )
        taken = take_in(source, called, settings.home, held, posting, terms)
    document = rendering.of_manifest(taken.signed.manifest, held.key.public) | {
        "name": called,
        "bytes": taken.signed.size,
        "verdict": taken.report.verdict.value,
        "notes": [finding.to_json() for finding in taken.report.all_findings],
        "origin": dict(taken.origin),
        "path": str(taken.path),
        **taken.statements,
    }
    output(document, lambda console: rendering.imported(console, document), as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """List the newest signed version of every model, and what its scan said."""
    from ringfence.artifacts.models import rendering
    from ringfence.artifacts.models.local import API
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(API)
    output(document, lambda console: rendering.listed(console, document), as_json)


@app.command()
def bom(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model's name in this tenant.")],
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="The model's folder; by default the one in the home.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there instead of to the terminal.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="State it, with its digest; needs --out.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write a bill of materials (CycloneDX 1.7) out of the log: what is in it, and from which statements."""
    from ringfence.artifacts.models import arguments, rendering
    from ringfence.artifacts.models.bills import made, stated
    from ringfence.kernel.errors import UsageError
    from ringfence.settings import Settings
    from ringfence.storage.files import write_whole

    if record and target is None:
        raise UsageError("what is stated is kept: say where with --out FILE")
    settings = Settings.from_environment()
    with arguments.posting(settings) as posting:
        found = made(posting.control, settings.home, name, folder)
        if target is None:
            output(found.bill.document, lambda console: rendering.plainly(console, found.bill.printed), as_json)
            return
        write_whole(target, found.bill.printed)
        document = rendering.of_bill(found.bill.printed, found.claims, found.bill.absent) | {"path": str(target)}
        if record:
            document["statement"] = stated(posting, found, target, arguments.now().date())
    output(document, lambda console: rendering.billed(console, document), as_json)
