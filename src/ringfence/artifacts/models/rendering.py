"""What `ringfence model` prints; pure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ringfence.artifacts.models.model import Manifest
from ringfence.kernel.digest import Digest

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.artifacts.models.keys import PublicKey


def of_manifest(manifest: Manifest, key: "PublicKey") -> dict[str, Any]:
    """Return what is shown of a signed model."""
    return {
        "digest": str(manifest.digest),
        "root": str(manifest.root),
        "files": len(manifest.files),
        "signer": key.hint,
    }


def signed(console: "Console", document: dict[str, Any]) -> None:
    """Print what was signed."""
    console.print(f"Signed {document['files']} files, {document['bytes']} bytes.")
    digests(console, document)


def digests(console: "Console", document: dict[str, Any]) -> None:
    """Print by which digests it is known."""
    if document.get("digest"):
        console.print(f"digest     {document['digest']}")
    else:  # by another hash: no statement and no deployment names it by this
        console.print(f"root       {document['root']}")
    if "signer" in document:
        console.print(f"signed by  {document['signer']}")
    if "statement" in document:
        console.print(f"statement  {document['statement']['stage']}, {document['statement']['envelope']}")


def verified(console: "Console", document: dict[str, Any]) -> None:
    """Print what was verified."""
    read = document["read"]
    if read == document["files"]:
        console.print(f"Every byte of {read} files ({document['bytes']} bytes) is what was signed.")
    else:
        console.print(f"{read} of {document['files']} files were read; each of their bytes is what was signed.")
    if document["subject"]:
        when = "at the time of its stamp" if document["stamped"] else "now"
        console.print(f"subject    {document['subject']}, judged {when}")
    if document["stamped"]:
        console.print(f"stamped    {document['stamped_at']} by {document['stamped_by']}: it existed by then")
    digests(console, document)


def scanned(console: "Console", document: dict[str, Any]) -> None:
    """Print what a scan found."""
    console.print(f"{document['verdict']}: {len(document['files'])} files looked at, none loaded.")
    if "digest" in document:
        console.print(f"digest     {document['digest']}")
    for finding in document["findings"]:
        console.print(f"  {finding['weight']}: {finding['text']}")
    for judged in document["files"]:
        for finding in judged["findings"]:
            console.print(f"  {finding['weight']}: {judged['name']} ({judged['format']}): {finding['text']}")


def imported(console: "Console", document: dict[str, Any]) -> None:
    """Print what was taken in."""
    console.print(f"Imported {document['name']} ({document['verdict']}) into {document['path']}.")
    digests(console, document)


def listed(console: "Console", document: dict[str, Any]) -> None:
    """Print the list of models."""
    from rich.table import Column, Table

    if not document["models"]:
        console.print("No model is signed yet: ringfence model sign DIR")
        return
    table = Table("name", "files", "bytes", "scan", "signed by", Column("digest", overflow="fold"), box=None)
    for row in document["models"]:
        cells = (row["name"], row["files"], row["bytes"], row["scan"] or "none", row["signer"][:16], row["digest"])
        table.add_row(*map(str, cells))
    console.print(table)


def of_bill(printed: bytes, claims: Mapping[str, Any], absent: Sequence[str]) -> dict[str, Any]:
    """Return what is shown of a bill of materials."""
    return {"digest": str(Digest.of(printed)), "bytes": len(printed), "claims": dict(claims), "absent": list(absent)}


def billed(console: "Console", document: dict[str, Any]) -> None:
    """Print what a bill of materials holds, and what the log did not know."""
    claims = document["claims"]
    console.print(
        f"{document['path']}: {claims['modelFiles']} files, {claims['datasets']} datasets;"
        f" {claims['schemaErrors']} errors by {claims['validator']} {claims['validatorVersion']}"
    )
    for one in document["absent"]:
        console.print(f"  not in the log: {one}")
    digests(console, document)


def plainly(console: "Console", printed: bytes) -> None:
    """Write a document as it is."""
    console.file.write(printed.decode())
