"""`ringfence release`: who may get a dataset's key, to which node it goes, and what is leased now."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, announce, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.kernel.digest import Digest

PATH = "/api/v1/releases"
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Release the keys of sealed datasets to nodes that show what they run.",
)
Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name in this tenant.")]
Workload = Annotated[str, typer.Option(help="What will read it: a file, whose SHA-256 is taken, or sha256:….")]
_REFERENCE = 4 * 2**20


@app.command()
def allow(
    dataset: Dataset,
    purpose: Annotated[list[str], typer.Option(help="A code of what for; repeatable.")],
    workload: Annotated[list[str], typer.Option(help="A file, or sha256:…; repeatable.")],
    reference: Annotated[list[Path], typer.Option(help="A signed reference document; repeatable.")],
    node_class: Annotated[list[str], typer.Option("--class", help="A class of node; repeatable.")],
    evidence: Annotated[list[str], typer.Option(help="tpm2, sev-snp, tdx, nvidia-gpu; repeatable.")],
    place: Annotated[list[str] | None, typer.Option(help="A country, such as DE; repeatable. None: any.")] = None,
    place_kind: Annotated[list[str] | None, typer.Option(help="declared or provider-signed; repeatable.")] = None,
    register_key: Annotated[list[str] | None, typer.Option(help="Public key of a provider's site register.")] = None,
    minutes: Annotated[int, typer.Option(help="Length of a lease: 1 to 60.")] = 15,
    software_tpm: Annotated[bool, typer.Option(help="A TPM that a program plays counts; demo only.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign who may get the key of a dataset; this takes the place of the rule before."""
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import UsageError
    from ringfence.keyrelease import rules
    from ringfence.keyrelease.model import PlaceKind, Rule
    from ringfence.storage.files import read_bounded

    documents = [read_bounded(path, limit=_REFERENCE) for path in reference]
    if set(place_kind or []) - {PlaceKind.DECLARED.value, PlaceKind.PROVIDER_SIGNED.value}:
        raise UsageError("--place-kind is declared or provider-signed; no device attests a place")
    rule = Rule(
        dataset="0" * 32,
        purposes=frozenset(purpose),
        workloads=frozenset(map(_workload, workload)),
        classes=frozenset(node_class),
        families=frozenset(evidence),
        places=frozenset(place or []),
        place_kinds=frozenset(map(PlaceKind, place_kind or [])),
        references=frozenset(map(Digest.of, documents)),
        registers=frozenset(register_key or []),
        software_tpm=software_tpm,
        minutes=minutes,
    )
    rules.draft(rule)  # what cannot be signed is refused before anybody is asked
    document = _signed(dataset, rule, documents)
    output(document, lambda console: _allowed(console, dataset, document), as_json)


@app.command()
def forbid(dataset: Dataset, as_json: Json = False) -> None:  # noqa: FBT002
    """Sign that nobody may get the key of a dataset; leases that live end within seconds."""
    from ringfence.keyrelease.model import Rule

    rule = Rule(
        dataset="0" * 32,
        purposes=frozenset(),
        workloads=frozenset(),
        classes=frozenset(),
        families=frozenset(),
        places=frozenset(),
        place_kinds=frozenset(),
        references=frozenset(),
        registers=frozenset(),
        software_tpm=False,
        minutes=1,
    )
    document = _signed(dataset, rule, [])
    output(document, lambda console: _allowed(console, dataset, document), as_json)


def _signed(dataset: str, rule: Any, references: list[bytes]) -> dict[str, Any]:
    from dataclasses import replace

    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import NotFound
    from ringfence.keyrelease import rules

    with connect() as client:
        known = {one["name"]: one["dataset"] for one in client.get("/api/v1/datasets")["datasets"]}
        if dataset not in known:
            raise NotFound(f"no dataset {dataset} is recorded in this tenant; see `ringfence dataset list`")
        draft = rules.draft(replace(rule, dataset=known[dataset]))
        body = {"references": [base64.b64encode(one).decode() for one in references]}
        return {"dataset": dataset, **client.state(draft, path=f"{PATH}/rules", body=body)}


@app.command()
def key(
    dataset: Dataset,
    to: Annotated[str, typer.Option("--to", help="The node's name; see `ringfence node list`.")],
    purpose: Annotated[str, typer.Option(help="What for: a code that the rule allows.")],
    workload: Workload,
    place: Annotated[str, typer.Option(help="Where you say that the node stands, such as DE.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Attest a node and release the key of a dataset to it; exit 3 where it is denied, which is recorded."""
    body = {"dataset": dataset, "node": to, "purpose": purpose, "workload": str(_workload(workload)), "place": place}
    announce("attesting the node; an emulated one takes some seconds to answer")
    document = _post(PATH, body)
    output(document, lambda console: _granted(console, document), as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """List the leases, and the newest denials with their reasons."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = dict(client.get(PATH))
    output(document, lambda console: _listed(console, document), as_json)


@app.command()
def end(
    lease: Annotated[str, typer.Argument(help="The lease's id; see `ringfence release list`.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End a lease: the node's agent drops the key where it is reached, and nothing is renewed."""
    from ringfence.keyrelease.model import lease_id

    document = _post(f"{PATH}/leases/{lease_id(lease)}/end", {})
    output(
        document, lambda console: console.print(f"{lease} has ended. It cannot recall a key that was copied."), as_json
    )


@app.command()
def register(
    file: Annotated[Path, typer.Argument(help="A site register, as its provider signed it.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Take a provider's site register; it counts for rules that name its key."""
    from ringfence.keyrelease.sites import MAX_REGISTER, verify
    from ringfence.storage.files import read_bounded

    data = read_bounded(file, limit=MAX_REGISTER)
    verify(data)
    document = _post(f"{PATH}/registers", {"register": base64.b64encode(data).decode()})
    output(
        document,
        lambda console: console.print(f"{document['provider']}: {document['devices']} devices, key {document['key']}"),
        as_json,
    )


def _post(path: str, body: dict[str, Any]) -> dict[str, Any]:
    from ringfence.frontends.client import connect

    with connect() as client:
        return dict(client.post(path, body))


def _workload(text: str) -> "Digest":
    from ringfence.kernel.digest import Digest
    from ringfence.storage.files import read_bounded

    return Digest.parse(text) if text.startswith("sha256:") else Digest.of(read_bounded(Path(text)))


def _allowed(console: "Console", dataset: str, document: dict[str, Any]) -> None:
    statement = document["statement"]
    console.print(f"The rule of {dataset} is {statement['stage']}: {statement['envelope']}")


def _granted(console: "Console", document: dict[str, Any]) -> None:
    from ringfence.keyrelease.shown import STRENGTH

    console.print(f"{document['node']} has the key of {document['dataset']}, epoch {document['epoch']}.")
    console.print(
        f"lease      {document['lease']}, until {document['expires_at']}; the node is attested anew before that"
    )
    console.print(f"strength   {document['strength']}: {STRENGTH.get(document['strength'], '')}")
    console.print(f"statement  published, {document['statement']}")


def _listed(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Column, Table

    if not document["leases"]:
        console.print("No key is leased: ringfence release key DATASET --to NODE --purpose P --workload FILE")
    else:
        lease = Column("lease", overflow="fold", min_width=18)  # whole: `release end` is given it
        table = Table(lease, "dataset", "node", "purpose", "strength", "state", "until", box=None)
        for one in document["leases"]:
            state = one["state"] + (f": {one['because']}" if one["because"] else "")
            row = (one["lease"], one["dataset"], one["node"], one["purpose"], one["strength"], state, one["expires_at"])
            table.add_row(*row)
        console.print(table)
    for one in document["denials"][:10]:
        console.print(f"{one['at']}  denied  {one['dataset']} to {one['node']}: {'; '.join(one['sentences'])}")
        for reason in one["reasons"]:
            console.print(f"    {reason}", markup=False, highlight=False)
    for sentence in document["does_not_show"]:
        console.print(f"Not shown: {sentence}")
