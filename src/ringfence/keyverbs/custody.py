"""`ringfence key list|protect|move`: where keys lie, and what protects them."""

from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.founding import RootKey, RootShare, root_signer
from ringfence.frontends.terminal import Json, output
from ringfence.keyverbs import kek

if TYPE_CHECKING:
    from rich.console import Console


class Moved(StrEnum):
    """Which key goes into a token."""

    CONTROL_PLANE = "control-plane"
    EMERGENCY = "emergency"
    KEK = "kek"
    OPERATOR = "operator"


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


def protect(as_json: Json = False) -> None:  # noqa: FBT002
    """Put every plain key file of this home under the passphrase in RINGFENCE_PASSPHRASE_FILE."""
    from ringfence.artifacts.keyring import changing
    from ringfence.installation import open_home
    from ringfence.kernel.errors import UsageError
    from ringfence.settings import Settings
    from ringfence.signing.opening import replacing_keys
    from ringfence.storage import keyfile

    settings = Settings.from_environment()
    passphrase = settings.passphrase()
    if passphrase is None:
        raise UsageError("name a file that holds the passphrase in RINGFENCE_PASSPHRASE_FILE, and keep a copy of it")
    home = open_home(settings.home)
    with replacing_keys(home.path), changing(home.path):  # else a key that is replaced meanwhile would come back
        found = home.key_files()
        changed = [name for name, path in found.items() if keyfile.protect(path, passphrase)]

    def human(console: "Console") -> None:
        console.print(
            f"{len(changed)} of {len(found)} key files are newly under the passphrase; without it they are lost."
        )
        console.print("State it: ringfence record key.lifecycle")

    output({"protected": changed, "key_files": len(found)}, human, as_json)


def move(
    what: Annotated[Moved, typer.Argument(help="Which key; kek wraps the keys of sealed datasets.")],
    pkcs11: Annotated[Path, typer.Option(help="The PKCS#11 module of the token's vendor.")],
    token: Annotated[str, typer.Option(help="The label of the token.")],
    pin_file: Annotated[Path, typer.Option(help="A file that only its owner reads, with the token's PIN.")],
    person: Annotated[str, typer.Option(help="The person, where it is an operator's key.")] = "",
    root_key: RootKey = None,
    root_share: RootShare = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Put a key into a token, from where it does not come out.

    The KEK is put there as it is, and what it wrapped stays readable. A signing key is made there, takes the place of
    the one in the file as by `ringfence key rotate`, and needs the root.
    """
    from ringfence.storage.tokens import TokenPlace

    place = TokenPlace(pkcs11.absolute(), token, pin_file.absolute(), "")
    if what is Moved.KEK:
        kek.move_kek(place, as_json)
        return
    from ringfence.kernel import identifier
    from ringfence.kernel.statement import KeyRole
    from ringfence.rotation import Ending, rotate
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    whose = identifier.person_id(person) if person else None
    root = root_signer(settings, root_key, root_share)
    done = rotate(settings, KeyRole(what.value), root, Ending(), person=whose, into=place)
    document = {"moved": what.value, "key": done.new, "old": done.old, "token": token, "custody": done.custody}

    def human(console: "Console") -> None:
        console.print(
            f"{what.value}: {done.new[:16]}… signs in the token {token} instead of {done.old[:16]}… in a file."
        )
        console.print("State it: ringfence record key.lifecycle")

    output(document, human, as_json)
