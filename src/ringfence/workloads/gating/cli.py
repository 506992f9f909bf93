"""`ringfence gate`: judge a model, approve one, put the gate in force."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client

API = "/api/v1/gates"
SUPPLY = {  # what a person does about a condition that is not met
    "signed": "ringfence model sign",
    "data": "ringfence run --dataset, or the intake",
    "lineage": "ringfence lineage show",
    "scan": "ringfence model scan",
    "redteam": "ringfence redteam run",
    "bom": "ringfence model bom --record",
    "approval": "ringfence gate --approve",
}
MARKS = {"met": "met", "unmet": "UNMET", "waived": "waived"}


def gate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A signed model's name, or sha256:… .")] = "",
    approve: Annotated[bool, typer.Option("--approve", help="Sign that it may be served.")] = False,  # noqa: FBT002
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take your approval back.")] = False,  # noqa: FBT002
    because: Annotated[str, typer.Option(help="Why; it goes into the erasable details.")] = "",
    mode: Annotated[str, typer.Option(help="Sign what follows from a verdict here: observe or enforce.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Judge a model by what is stated about it, and state the verdict; exit 1 unless it passes."""
    from ringfence.frontends.client import connect

    _check(model, approve=approve, withdraw=withdraw, because=because, mode=mode)
    with connect() as client:
        if mode:
            document = _mode(client, mode)
            output(document, lambda console: _in_force(console, document), as_json)
        elif approve or withdraw:
            document = _approval(client, model, "approve" if approve else "withdraw", because)
            output(document, lambda console: _approved(console, model, document), as_json)
        elif model:
            document = dict(client.post(API, {"model": model}))
            output(document, lambda console: _judged(console, document), as_json)
            if document["verdict"] != "pass":
                raise typer.Exit(1)
        else:
            document = client.get(API)
            output(document, lambda console: _listed(console, document), as_json)


def _check(model: str, *, approve: bool, withdraw: bool, because: str, mode: str) -> None:
    from ringfence.kernel.errors import UsageError

    if approve and withdraw:
        raise UsageError("approve it, or take that back: not both")
    if (approve or withdraw) and not (model and because.strip()):
        raise UsageError("an approval names a model, and says why: --because TEXT")
    if mode and (model or approve or withdraw or because):
        raise UsageError("--mode is signed alone")
    if mode not in {"", "observe", "enforce"}:
        raise UsageError("a mode is observe or enforce")
    if because and not (approve or withdraw):
        raise UsageError("--because goes with --approve or --withdraw")


def _approval(client: "Client", model: str, decision: str, because: str) -> dict[str, Any]:
    from ringfence.kernel import drafts

    body = {"model": model, "decision": decision, "reason": because}
    draft = drafts.from_json(client.post(f"{API}/approvals/draft", body)["draft"])
    return client.state(draft, path=f"{API}/approvals") | {"decision": decision}


def _mode(client: "Client", mode: str) -> dict[str, Any]:
    from ringfence.kernel import drafts

    draft = drafts.from_json(client.post(f"{API}/mode/draft", {"mode": mode})["draft"])
    return client.state(draft, path=f"{API}/mode")


def _judged(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['verdict'].upper()}  {document['name'] or document['model']}  {document['digest']}")
    for one in document["conditions"]:
        asked = "" if one["demanded"] else " (not demanded)"
        entries = ", ".join(map(str, one["entries"][:8])) + ("…" if len(one["entries"]) > 8 else "")
        rests = f"; entries {entries}" if entries else ""
        console.print(f"  {MARKS[one['outcome']]:<7} {one['condition']:<9} {one['because']}{rests}{asked}")
        if one["outcome"] == "unmet" and one["demanded"]:
            console.print(f"          {'':<9} next: {SUPPLY[one['condition']]}")
    console.print(f"statement  {document['statement']['stage']}, entry {document['statement']['entry']}")


def _approved(console: "Console", model: str, document: dict[str, Any]) -> None:
    done = "approved" if document["decision"] == "approve" else "not approved any more"
    console.print(f"{model} is {done} by you: entry {document['statement']['entry']}")


def _in_force(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"mode       {document['mode']}, over the file {document['policy']}")
    console.print("A change of the file closes an enforced gate until somebody signs it again.")


def _listed(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Column, Table

    force = document["in_force"]
    signed = "nobody signed it" if force["entry"] is None else f"entry {force['entry']}"
    console.print(f"mode       {force['mode']}, {signed}")
    if force["mode"] == "enforce" and not force["same_file"]:
        console.print("The tenant's gate file is not the one that was signed: nothing is served until it is.")
    table = Table("model", "verdict", Column("unmet", overflow="fold"), "entry", box=None)
    for one in document["models"]:
        said = one["verdict"]
        if said is None:
            table.add_row(one["name"], "never judged", "", "")
        else:
            table.add_row(one["name"], said["verdict"], ", ".join(said["unmet"]), str(said["entry"]))
    console.print(table)
