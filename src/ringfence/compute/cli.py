"""`ringfence node`: what can run here, what runs, log in, cut off, release, stop."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, announce, output

if TYPE_CHECKING:
    from rich.console import Console

API = "/api/v1/nodes"
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Start, reach, cut off, release and stop nodes.",
)
Name = Annotated[str, typer.Argument(help="The node's name; see `ringfence node list`.")]
Reason = Annotated[str, typer.Option(help="Why, in a sentence; kept beside the log, and erasable.")]


def _get(path: str) -> dict[str, Any]:
    from ringfence.frontends.client import connect

    with connect() as client:
        return dict(client.get(path))


def _post(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    from ringfence.frontends.client import connect

    with connect() as client:
        return dict(client.post(path, body))


@app.command()
def offers(as_json: Json = False) -> None:  # noqa: FBT002
    """Say which classes of node can run here, and what each resists."""
    document = _get("/api/v1/offers")
    output(document, lambda console: _offers(console, document), as_json)


def _offers(console: "Console", document: dict[str, Any]) -> None:
    from ringfence.compute.shown import ISOLATION, KIND

    for offer in document["offers"]:
        state = "can run" if offer["available"] else f"cannot run: {offer['because']}"
        console.print(f"{offer['class']:<10} {state}")
        if offer["available"]:
            console.print(f"           {ISOLATION.get(offer['isolation'], offer['isolation'])}")
            console.print(f"           quarantine {KIND.get(offer['quarantine'], offer['quarantine'])}")
        for limit in offer["limits"]:
            console.print(f"           limit: {limit}")


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="ssh://user@host or ssh://user@host:port.")],
    name: Annotated[str, typer.Argument(help="What to call it here.")],
    host_key: Annotated[str, typer.Option(help="The host key that it must show: 'ssh-ed25519 AAAA…'.")] = "",
    known_hosts: Annotated[Path | None, typer.Option(help="A known_hosts file that has it, instead.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Add a host that you have already; a quarantine there is made in the guest, and says so."""
    from ringfence.compute import address as addresses
    from ringfence.storage.files import read_bounded

    where = addresses.parse(address)
    if known_hosts is not None and not host_key:
        text = read_bounded(known_hosts, limit=addresses.LARGEST).decode("utf-8", "replace")
        host_key = addresses.known_host(text, where)
    key = addresses.host_key(host_key)
    document = _post(API, {"name": name, "class": "own", "address": address, "host_key": key})
    output(document, lambda console: _added(console, document), as_json)
    if document["state"] == "failed":
        raise typer.Exit(4)


def _added(console: "Console", document: dict[str, Any]) -> None:
    _started(console, document)
    if document.get("to_trust"):
        console.print("It has to trust this authority. On it, as root:\n")
        for line in document["to_trust"]:
            console.print(f"  {line}", soft_wrap=True, markup=False, highlight=False)
        console.print(f"\nThen it becomes ready by itself: ringfence node show {document['name']}")


@app.command()
def start(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    node_class: Annotated[
        str, typer.Option("--class", help="namespace, vm or measured-vm; see `ringfence node offers`.")
    ],
    memory: Annotated[
        int | None, typer.Option(help="Memory in MiB; 256, 512 for measured-vm, 2048 with --runtime.")
    ] = None,
    cpus: Annotated[int, typer.Option(help="Processor time in per cent of one core.")] = 50,
    processes: Annotated[int, typer.Option(help="Most processes at a time.")] = 128,
    expose: Annotated[list[int] | None, typer.Option(help="A port that the outside may reach; repeatable.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="Lab nodes only: a file with the salted hash of a password that opens it.")
    ] = None,
    training: Annotated[bool, typer.Option("--training", help="A node to practise on.")] = False,  # noqa: FBT002
    runtime: Annotated[bool, typer.Option("--runtime", help="Show it this Python and its packages.")] = False,  # noqa: FBT002
    wait: Annotated[bool, typer.Option(help="Wait until it answers by SSH.")] = True,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Start a node; the same name again goes on with the same node."""
    body = {
        "name": name,
        "class": node_class,
        "memory_mib": memory,
        "cpus_percent": cpus,
        "processes": processes,
        "expose": expose or [],
        "password": _hash(password_file),
        "training": training,
        "runtime": runtime,
        "wait": wait,
    }
    if wait:
        announce("starting; a sandbox takes a second, an emulated machine up to a minute")
    document = _post(API, body)
    output(document, lambda console: _started(console, document), as_json)
    if document["state"] == "failed":
        raise typer.Exit(4)


def _hash(path: Path | None) -> str | None:
    from ringfence.storage.files import read_bounded

    return None if path is None else read_bounded(path, limit=512).decode("ascii", "replace").strip()


def _started(console: "Console", document: dict[str, Any]) -> None:
    name = document["name"]
    if document["state"] == "ready":
        console.print(f"{name} is ready: ringfence node ssh {name}")
    else:
        console.print(f"{name} is {document['state']}. {document['because']}".rstrip())
    if document["state"] == "starting":
        console.print("It goes on by itself; `ringfence node list` says when it is ready.")


@app.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """List the nodes that live or are cut off."""
    document = _get(API)
    output(document, lambda console: _listed(console, document), as_json)


def _listed(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Column, Table

    if not document["nodes"]:
        console.print("No node runs: ringfence node start NAME --class namespace")
        return
    table = Table(
        Column("name", overflow="fold", min_width=12),
        "class",
        "isolation",
        "state",
        "cut off",
        "quarantine",
        "since",
        box=None,
    )
    for node in document["nodes"]:
        since = node["changed_at"].partition(".")[0] + "Z"
        cut = "no" if node["containment"] == "none" else node["containment"]
        cells = (node["name"], node["class"], node["isolation"], node["state"], cut, node["quarantine_kind"], since)
        table.add_row(*cells)
    console.print(table)


@app.command()
def show(name: Name, as_json: Json = False) -> None:  # noqa: FBT002
    """Show a node, its newest quarantine, and who asked for its release."""
    document = _get(f"{API}/{name}")
    output(document, lambda console: _shown(console, document), as_json)


def _shown(console: "Console", document: dict[str, Any]) -> None:
    from ringfence.compute.shown import ISOLATION, KIND

    console.print(f"{document['name']} ({document['node']}), {document['class']}, {document['state']}")
    console.print(f"isolation   {ISOLATION.get(document['isolation'], document['isolation'])}")
    console.print(f"quarantine  {KIND.get(document['quarantine_kind'], document['quarantine_kind'])}")
    if document["because"]:
        console.print(f"because     {document['because']}")
    held = document["held"]
    if held is None:
        console.print("It was never cut off.")
        return
    console.print(f"Quarantine {held['number']}: {document['containment']}, asked for {held['requested_at']}")
    for probe in held["probes"]:
        mark = "as expected" if probe["ok"] else f"should be {probe['expected']}"
        console.print(f"  {probe['path']:<20} {probe['observed']} ({mark})")
    for release in document["releases"]:
        console.print(f"release {release['state']}, asked for by {release['asked_by']}: {release['request']}")


@app.command(context_settings={"ignore_unknown_options": True})
def ssh(
    name: Name,
    command: Annotated[list[str] | None, typer.Argument(help="A command to run there, after `--`.")] = None,
    forensic: Annotated[bool, typer.Option("--forensic", help="Reach a quarantined node.")] = False,  # noqa: FBT002
    reason: Reason = "",
) -> None:
    """Log in to a node with a key of this moment and a certificate of minutes; ssh's exit code is ours."""
    import subprocess

    from ringfence import components
    from ringfence.compute import shown, sshkeys

    program = components.find("ssh")
    with _session_key() as (key, public):
        path = f"{API}/{name}/{'forensic' if forensic else 'certificate'}"
        access = _post(path, {"public_key": public, "reason": reason})
        files = sshkeys.Files(str(key), f"{key}-cert.pub", str(key.with_name("known_hosts")))
        Path(files.certificate).write_text(access["certificate"].strip() + "\n", encoding="ascii")
        Path(files.known_hosts).write_text(sshkeys.known_hosts(access["node"], access["host_key"]), encoding="ascii")
        endpoint = shown.endpoint_of(access)
        argv = sshkeys.command(str(program.path), access["node"], endpoint, files, command or [])
        done = subprocess.run(argv, check=False, env=_environment(program.environment))  # noqa: S603 - found, not typed
    raise typer.Exit(done.returncode if done.returncode >= 0 else 255)


@contextmanager
def _session_key() -> Iterator[tuple[Path, str]]:
    """Give a fresh Ed25519 key in a directory that only we read, and take it away again."""
    import os
    import tempfile

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ringfence.compute.providers.authority import private_bytes, public_line
    from ringfence.storage.files import memory

    made = Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory(prefix="ringfence-ssh-", dir=memory()) as folder:
        path = Path(folder) / "key"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(private_bytes(made))
        yield path, public_line(made)


def _environment(needed: Mapping[str, str]) -> dict[str, str]:
    import os

    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "TERM") if name in os.environ}
    return {**kept, **needed}


@app.command()
def certificate(
    name: Name,
    key: Annotated[Path, typer.Option(help="Your public key, an OpenSSH Ed25519 `.pub` file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the certificate goes.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Get a certificate of minutes for a key of your own, for tools that call ssh themselves."""
    from ringfence.storage.files import read_bounded, write_whole

    public = read_bounded(key, limit=1024).decode("ascii", "replace").strip()
    document = _post(f"{API}/{name}/certificate", {"public_key": public})
    write_whole(out, document["certificate"].strip().encode() + b"\n", mode=0o600)
    output(document, lambda console: console.print(f"{out} is good for {document['seconds']} s"), as_json)


@app.command()
def baseline(name: Name, as_json: Json = False) -> None:  # noqa: FBT002
    """Take how a machine of your own is set up now as how it should be; `ringfence record node.config` compares."""
    document = _post(f"{API}/{name}/baseline", {})
    output(document, lambda console: _accepted(console, document), as_json)


def _accepted(console: "Console", document: dict[str, Any]) -> None:
    for fact, value in sorted(document["facts"].items()):
        console.print(f"{fact:<11} {value}")
    console.print(f"{document['name']} is compared with this from now on: ringfence record node.config")


@app.command()
def quarantine(name: Name, reason: Reason, as_json: Json = False) -> None:  # noqa: FBT002
    """Cut a node off, now; it takes two people to release it."""
    document = _post(f"{API}/{name}/quarantine", {"reason": reason})
    output(document, lambda console: _cut(console, document), as_json)
    if not document["confirmed"]:
        raise typer.Exit(1)


def _cut(console: "Console", document: dict[str, Any]) -> None:
    name = document["name"]
    if not document["confirmed"]:
        console.print(f"{name} is NOT shown to be cut off ({document['because']}); the reconciler tries again.")
        return
    how = f"cut in {document['cut_micros']} µs" if document["fresh"] else "it was cut off already"
    console.print(f"{name} is quarantined, {document['kind']}, {how}.")
    console.print(f"Look at it:  ringfence node ssh {name} --forensic --reason …")
    console.print(f"Release it:  ringfence node release {name} --reason …   (then another person approves)")


@app.command()
def release(
    name: Name,
    reason: Reason = "",
    approve: Annotated[str, typer.Option(help="The request that another person made; see `ringfence node show`.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Ask that a node be released, or approve what another person asked for; both sign."""
    from ringfence.compute import statements
    from ringfence.frontends.client import connect
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import UsageError

    if bool(reason) == bool(approve):
        raise UsageError("give --reason to ask for a release, or --approve REQUEST to agree to one")
    with connect() as client:
        node = client.get(f"{API}/{name}")
        if node["held"] is None or node["containment"] == "none":
            raise UsageError(f"{name} is not quarantined, so there is nothing to release")
        subject, number = Digest.parse(node["subject"]), node["quarantine"]
        if approve:
            draft = statements.release_approval(node["node"], subject, number, Digest.parse(approve))
        else:
            draft = statements.release_request(node["node"], subject, number, node["held"]["before"], reason)
        document = client.state(draft, path=f"{API}/{name}/release")
    output(document, lambda console: _released(console, name, document), as_json)


def _released(console: "Console", name: str, document: dict[str, Any]) -> None:
    if document["state"] == "released":
        console.print(f"{name} is free again; {document['asked_by']} asked and {document['approved_by']} approved.")
        return
    console.print(
        f"Asked. Another person looks, and signs: ringfence node release {name} --approve {document['request']}"
    )


@app.command()
def stop(name: Name, as_json: Json = False) -> None:  # noqa: FBT002
    """Stop a node and leave nothing of it; one that is quarantined is kept."""
    document = _post(f"{API}/{name}/stop")
    output(document, lambda console: console.print(f"{name} is {document['state']}"), as_json)


@app.command()
def reference(
    out: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the document goes.")],
    name: Annotated[str, typer.Option(help="What to call it.")] = "measured machines",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is to hold.")] = 90,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write what a measured machine of this host has to show, computed from its files; sign it before you use it."""
    import time
    from datetime import timedelta

    from ringfence.attestation import reference as documents
    from ringfence.compute.providers.endorsement import root
    from ringfence.compute.providers.reference import expected
    from ringfence.kernel.clock import from_millis, to_text
    from ringfence.settings import Settings
    from ringfence.storage.files import write_whole

    at = from_millis(time.time_ns() // 1_000_000)
    made = expected(name, root(Settings.from_environment().home), at, at + timedelta(days=days))
    write_whole(out, documents.payload(made), replace=False)
    shown = {"name": name, "validUntil": to_text(made.valid_until), "demands": sorted(made.demands)}
    output(
        shown, lambda console: console.print(f"written; now: ringfence attestation sign {out} --key … -o …"), as_json
    )
