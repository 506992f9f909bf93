"""`ringfence key split-root|join-root`: the root key in shares for different people."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.founding import RootKey
from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console


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
    home = open_home(Settings.from_environment().home)
    if root.public_key != home.root_public:
        raise VerificationFailed("the shares make a root key, but of another home")
    document = {"root_fingerprint": fingerprint(root.public_key), "shares": len(share)}
    spoken = spoken_fingerprint(root.public_key)
    output(document, lambda console: console.print(f"These shares make the root key {spoken}."), as_json)
