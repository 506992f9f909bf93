"""`ringfence key`: callers' keys for the gateway, and the signing keys of services and people."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.founding import RootKey, RootShare, root_signer
from ringfence.frontends.terminal import Json, output
from ringfence.gateway import cli as callers

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client
    from ringfence.installation import Home
    from ringfence.kernel.identifier import KeyId

key = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Issue and revoke callers' keys; show, protect, replace and revoke signing keys; split the root key.",
)
for verb in (callers.issue, callers.block, callers.unblock, callers.callers):
    key.command()(verb)

Since = Annotated[
    str, typer.Option(help="Since when it is worth nothing, as 2026-11-22T01:02:03.456Z; now by default.")
]


class Reason(StrEnum):
    """Why a signing key ends."""

    COMPROMISED = "compromised"
    LOST = "lost"
    SUPERSEDED = "superseded"


class Replaced(StrEnum):
    """Whose signing key is replaced."""

    CONTROL_PLANE = "control-plane"
    EMERGENCY = "emergency"
    GATEWAY = "gateway"
    OPERATOR = "operator"


class Moved(StrEnum):
    """Which key goes into a token."""

    KEK = "kek"


@key.command("list")
def list_keys(
    as_of: Annotated[str | None, typer.Option(help="What the log knew by then: 2026-11-22T01:02:03.456Z.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show every key file of this home and what protects it, and every signing key that the log knows."""
    from ringfence.frontends.client import connect
    from ringfence.installation import open_home
    from ringfence.kernel.errors import RingfenceError
    from ringfence.settings import Settings
    from ringfence.storage import keyfile

    settings = Settings.from_environment()
    found = open_home(settings.home).key_files()
    rows = [{"keys": name, "file": str(path), "custody": keyfile.custody(path)} for name, path in found.items()]
    document: dict[str, Any] = {"keys": rows}
    with suppress(RingfenceError), connect(settings) as client:  # the files are shown all the same
        document["signing_keys"] = client.get("/api/v1/signing-keys", at=as_of)["keys"]
    output(document, lambda console: _listed(console, document), as_json)


def _listed(console: "Console", document: dict[str, Any]) -> None:
    for row in document["keys"]:
        console.print(f"{row['custody']:<16} {row['keys']:<28} {row['file']}")
    if "signing_keys" not in document:
        console.print("\nWhat the log knows about keys could not be read.")
        return
    console.print("")
    for row in document["signing_keys"]:
        whose = row["person"] or ""
        ended = f"{row['state']}{', ' + row['reason'] if row['reason'] else ''}"
        console.print(
            f"{row['key'][:16]} {row['role']:<14} {ended:<20} {row['custody']:<16} {row['since']} to {row['until']}  "
            f"{row['signs']} {whose}".rstrip()
        )


@key.command()
def protect(as_json: Json = False) -> None:  # noqa: FBT002
    """Put every plain key file of this home under the passphrase in RINGFENCE_PASSPHRASE_FILE."""
    from ringfence.installation import open_home
    from ringfence.kernel.errors import UsageError
    from ringfence.settings import Settings
    from ringfence.storage import keyfile

    settings = Settings.from_environment()
    passphrase = settings.passphrase()
    if passphrase is None:
        raise UsageError("name a file that holds the passphrase in RINGFENCE_PASSPHRASE_FILE, and keep a copy of it")
    found = open_home(settings.home).key_files()
    changed = [name for name, path in found.items() if keyfile.protect(path, passphrase)]

    def human(console: "Console") -> None:
        console.print(
            f"{len(changed)} of {len(found)} key files are newly under the passphrase; without it they are lost."
        )
        console.print("State it: ringfence record key.lifecycle")

    output({"protected": changed, "key_files": len(found)}, human, as_json)


@key.command()
def revoke(
    key: Annotated[str, typer.Argument(help="A caller's key such as k-0123456789ab, or the id of a signing key.")],
    reason: Annotated[Reason, typer.Option(help="Why a signing key ends.")] = Reason.COMPROMISED,
    since: Since = "",
    root_key: RootKey = None,
    root_share: RootShare = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End a caller's key for ever, now; or let the root revoke a signing key, and what it signed since a time."""
    if key.startswith("k-"):
        callers.revoke(key, as_json)
        return
    from ringfence.enrolment import revoked
    from ringfence.frontends.client import connect
    from ringfence.installation import SystemClock

    with connect() as client:
        ended = _whole(client, key)
        draft = revoked(ended, reason.value, _time(since) or SystemClock().now())
        root = root_signer(client.settings, root_key, root_share)
        answer = client.state(draft, path="/api/v1/signing-keys/revocations", signer=root)
    entry = answer["statement"]["entry"]
    document = {"key": ended, "reason": reason.value, "statement": answer["statement"]}
    output(
        document,
        lambda console: console.print(f"{ended[:16]}… is revoked ({reason.value}), stated as entry {entry}."),
        as_json,
    )


@key.command()
def rotate(
    role: Annotated[Replaced, typer.Argument(help="Whose key.")],
    person: Annotated[str, typer.Option(help="The person, where it is an operator's key.")] = "",
    reason: Annotated[Reason, typer.Option(help="Why the old key ends.")] = Reason.SUPERSEDED,
    since: Since = "",
    root_key: RootKey = None,
    root_share: RootShare = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Replace a signing key while `up` is stopped: the root enrols a new one, then revokes the old one.

    What was broken off is finished by calling it again. What the old key signed keeps its standing, unless --since
    says otherwise.
    """
    from ringfence.kernel import identifier
    from ringfence.kernel.statement import KeyRole
    from ringfence.rotation import Ending
    from ringfence.rotation import rotate as replaced
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    whose = identifier.person_id(person) if person else None
    root = root_signer(settings, root_key, root_share)
    done = replaced(settings, KeyRole(role.value), root, Ending(reason.value, _time(since)), person=whose)
    document = {"role": role.value, "old": done.old, "new": done.new, "custody": done.custody, "reason": reason.value}
    output(
        document,
        lambda console: console.print(f"{role.value}: {done.new[:16]}… signs instead of {done.old[:16]}…"),
        as_json,
    )


@key.command()
def move(
    what: Annotated[Moved, typer.Argument(help="Which key: kek wraps the keys of sealed datasets.")],
    pkcs11: Annotated[Path, typer.Option(help="The PKCS#11 module of the token's vendor.")],
    token: Annotated[str, typer.Option(help="The label of the token.")],
    pin_file: Annotated[Path, typer.Option(help="A file that only its owner reads, with the token's PIN.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Put a key into a token, from where it does not come out; what it wrapped stays readable."""
    from ringfence.artifacts.keyring import LOCATION, move_to_token
    from ringfence.installation import open_home
    from ringfence.kernel.errors import NotFound
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    path = open_home(settings.home).path / LOCATION
    if not path.exists():
        raise NotFound(f"{path} is missing: it is made when the first dataset is sealed")
    kek = move_to_token(path, settings.passphrase(), pkcs11, token, pin_file)

    def human(console: "Console") -> None:
        console.print(f"The key {kek} lies in the token {token}. What lay in {path} may be in backups still.")
        console.print("State it: ringfence record key.lifecycle")

    output({"moved": what.value, "key": kek, "token": token}, human, as_json)


@key.command("split-root")
def split_root(
    destination: Annotated[Path, typer.Argument(help="A folder for the files of the shares; - prints them once.")],
    threshold: Annotated[int, typer.Option(help="How many shares make the root key again.")] = 2,
    shares: Annotated[int, typer.Option(help="How many shares are made.")] = 3,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the file of the root key where it is.")] = False,  # noqa: FBT002
    root_key: RootKey = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Split the root key into shares for different people, state that, and remove its file once they join again."""
    from ringfence.frontends.client import connect
    from ringfence.installation import root_path
    from ringfence.kernel.errors import UsageError
    from ringfence.signing.custody import in_shares
    from ringfence.storage import keyfile
    from ringfence.storage.shares import join, split

    with connect() as client:
        path = root_key or root_path(client.home)
        if not path.exists():
            raise UsageError(f"the root key is not at {path}; name the place where it is kept with --root-key")
        seed = keyfile.load(path, client.settings.passphrase()).secret("root")
        made = split(seed, threshold=threshold, shares=shares)
        root = join(made[-threshold:])
        printed = [share.to_text() for share in made]
        files = [] if str(destination) == "-" else _written(destination, printed, threshold)
        try:
            answer = client.state(in_shares(root.key, threshold, shares), path="/api/v1/signing-keys/custody")
        except BaseException:
            for file in files:
                Path(file).unlink()
            raise
    document = {
        "threshold": threshold,
        "files": files,
        "root_key_file": str(path) if keep else "",
        "statement": answer["statement"],
    } | ({} if files else {"shares": printed})
    output(document, lambda console: _split(console, document), as_json)
    sys.stdout.flush()  # shares that could not be shown must not be the only form of the key
    if not keep:
        path.unlink()


def _written(folder: Path, printed: Sequence[str], threshold: int) -> list[str]:
    """Write the shares, and remove them again where they do not join as they lie there."""
    from ringfence.storage.files import PRIVATE, explained, write_whole
    from ringfence.storage.shares import join_files

    with explained(folder, "make"):
        folder.mkdir(mode=0o700, exist_ok=True)
    paths = [folder / f"root-share-{number}.txt" for number in range(1, len(printed) + 1)]
    made: list[Path] = []
    try:
        for path, text in zip(paths, printed, strict=True):
            write_whole(path, text.encode(), mode=PRIVATE, replace=False)
            made.append(path)
        join_files(paths[:threshold])
        join_files(paths[-threshold:])
    except BaseException:
        for path in made:
            path.unlink()
        raise
    return [str(path) for path in paths]


def _split(console: "Console", document: dict[str, Any]) -> None:
    for text in document.get("shares", []):
        console.print(text)
    for path in document["files"]:
        console.print(path)
    console.print(
        f"Any {document['threshold']} of them make the root key; give each to somebody else, on another medium."
    )
    if document["root_key_file"]:
        console.print(f"The whole key still lies in {document['root_key_file']}.")
    else:
        console.print("The file of the whole key is removed; copies and backups of it are not.")


@key.command("join-root")
def join_root(
    share: Annotated[list[Path], typer.Option(help="A share of the root key; repeatable.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Try whether shares make the root key of this home, in memory only; nothing is written."""
    from ringfence.installation import open_home
    from ringfence.kernel.errors import VerificationFailed
    from ringfence.ledger.trust import fingerprint, spoken_fingerprint
    from ringfence.settings import Settings
    from ringfence.storage.shares import join_files

    root = join_files(share)
    home: Home = open_home(Settings.from_environment().home)
    if root.public_key != home.root_public:
        raise VerificationFailed("the shares make a root key, but of another home")
    document = {"root_fingerprint": fingerprint(root.public_key), "shares": len(share)}
    spoken = spoken_fingerprint(root.public_key)
    output(document, lambda console: console.print(f"These shares make the root key {spoken}."), as_json)


def _whole(client: "Client", text: str) -> "KeyId":
    """Return the whole id of a key of which the beginning was given."""
    from ringfence.kernel import identifier
    from ringfence.kernel.errors import NotFound, UsageError

    known = [row["key"] for row in client.get("/api/v1/signing-keys")["keys"]]
    found = [each for each in known if each.startswith(text)]
    if len(text) < 8 or not found:
        raise NotFound(f"no signing key of this home begins with {text[:64]!r}; see `ringfence key list`")
    if len(found) > 1:
        raise UsageError(f"{len(found)} keys begin with {text!r}; give more of it")
    return identifier.key_id(found[0])


def _time(text: str) -> datetime | None:
    from ringfence.kernel.clock import from_text

    return from_text(text) if text else None
