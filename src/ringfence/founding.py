"""The verbs that need the root's signature beside the API: found a tenant, take joiners in from a directory."""

import base64
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output
from ringfence.kernel.actor import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from ringfence.enrolment import NewPerson
    from ringfence.frontends.client import Client
    from ringfence.kernel.statement import Draft
    from ringfence.settings import Settings
    from ringfence.storage.signer import Ed25519Signer

tenant = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Add and list the tenants of this installation.",
)

RootKey = Annotated[
    Path | None, typer.Option(help="The root key, where it is kept offline; by default the one in the home.")
]
RootShare = Annotated[
    list[Path] | None,
    typer.Option(help="A share of the root key, once for each of those needed; it is joined in memory only."),
]


@tenant.command("add")
def add_tenant(
    name: Annotated[str, typer.Argument(help="Short name of the tenant.")],
    owner: Annotated[str, typer.Option(help="Name of its first person; it stays in the database.")] = "Owner",
    demo: Annotated[bool, typer.Option("--demo", help="Mark it for ever; in a demo installation only.")] = False,  # noqa: FBT002
    root_key: RootKey = None,
    root_share: RootShare = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Found a tenant: the root signs for the keys that serve it, and for its first owner."""
    from ringfence.enrolment import Known, NewPerson, enrolled_again, operator_enrolled
    from ringfence.frontends.client import connect
    from ringfence.identity.service import hashed
    from ringfence.installation import SystemClock
    from ringfence.kernel import envelope, identifier
    from ringfence.ledger.books import pinned
    from ringfence.ledger.entry import tenant_tag

    tag = tenant_tag(salt := secrets.token_bytes(32), identifier.tenant(name))  # drawn here: the root signs it
    person = NewPerson.make(owner, Role.OWNER)
    with connect() as client:
        root = root_signer(client.settings, root_key, root_share)
        known = Known(root.public_key, client.me["log"], client.me["tenant"], SystemClock().now())
        sent = [base64.b64decode(text) for text in client.get("/api/v1/tenants/keys")["enrolments"]]
        drafts = enrolled_again([envelope.parse(data, source="/tenants/keys") for data in sent], known)
        with _written(client, person) as (path, custody):
            drafts.append(operator_enrolled(person, custody, SystemClock().now()))
            *services, first = _signed(client, root, [pinned(each, tag) for each in drafts], tenant=name, demo=demo)
            body = {"tenant": name, "demo": demo, "services": services, "owner": first, "name": owner}
            secrets_of_it = {"token_hash": hashed(person.token).hex(), "salt": salt.hex()}
            answer = client.post("/api/v1/tenants", body | secrets_of_it)
    document = {"tenant": name, "owner": person.id, "key_file": str(path), "statement": answer["statement"]}

    def human(console: "Console") -> None:
        console.print(
            f"The tenant {name} is founded; its owner {person.id} stands as entry {answer['statement']['entry']}."
        )
        console.print(f"Hand over {path}. To act there on this machine: RINGFENCE_OPERATOR={person.id}")

    output(document, human, as_json)


def _signed(
    client: "Client", root: "Ed25519Signer", drafts: "Sequence[Draft]", *, tenant: str, demo: bool
) -> list[dict[str, Any]]:
    from ringfence.frontends.client import posted
    from ringfence.installation import SystemClock
    from ringfence.kernel.commitment import SALT_SIZE, commit
    from ringfence.kernel.identifier import LogOrigin, Tenant
    from ringfence.kernel.statement import Issuance

    found = []
    for number, draft in enumerate(drafts, start=1):
        opening = commit(draft.details, secrets.token_bytes(SALT_SIZE)) if draft.details else None
        nonce = secrets.token_hex(16)
        issuance = Issuance(
            tenant=Tenant(tenant),
            log=LogOrigin(client.me["log"]),
            issuer=root.key,
            strength=draft.strength,
            sequence=number,  # nobody has stated anything in a tenant that is not there
            nonce=nonce,
            idempotency_key=nonce,
            issued_at=SystemClock().now(),
            demo=demo,
        )
        commitment = opening.commitment if opening else None
        envelope = root.sign(draft.issued(issuance, commitment))
        found.append(posted(envelope, opening))
    return found


@tenant.command("list")
def list_tenants(as_json: Json = False) -> None:  # noqa: FBT002
    """List the tenants that the caller may know of."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/tenants")

    def human(console: "Console") -> None:
        for row in document["tenants"]:
            console.print(f"{row['tenant']:<32} {'demo' if row['demo'] else '':<5} since {row['created_at']}")

    output(document, human, as_json)


def add_person(
    name: Annotated[str, typer.Argument(help="The person's name; it stays in the database.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    root_key: RootKey = None,
    root_share: RootShare = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Enrol a person: the root signs for a fresh key, and the person's key file is written to be handed over."""
    from ringfence.frontends.client import connect

    with connect() as client:
        root = root_signer(client.settings, root_key, root_share)
        person, path, answer = enrol(client, root, name, role)
    document = {"person": person.id, "role": role.value, "key_file": str(path), "statement": answer["statement"]}

    def human(console: "Console") -> None:
        console.print(f"{person.id} ({role.value}) is enrolled as entry {document['statement']['entry']}.")
        console.print(f"Hand over {path}: it holds the signing key and the API token, and nobody else should keep it.")

    output(document, human, as_json)


def import_people(
    file: Annotated[Path, typer.Argument(help="A SCIM 2.0 ListResponse of users and groups, exported by a directory.")],
    source: Annotated[str, typer.Option(help="Short name of the directory; its ids are kept under it.")] = "directory",
    apply: Annotated[str, typer.Option(help="Do what was shown: the digest of that proposal, as it was printed.")] = "",
    many: Annotated[bool, typer.Option("--many", help="Even where most people lose their access.")] = False,  # noqa: FBT002
    root_key: RootKey = None,
    root_share: RootShare = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show who joined, moved and left by a directory's file; with --apply, follow it.

    Joiners need the root's signature. Nobody becomes an owner this way.
    """
    from ringfence.frontends.client import connect
    from ringfence.identity.joining.scim import MAX_FILE
    from ringfence.storage.files import read_bounded

    body = {"source": source, "file": base64.b64encode(read_bounded(file, limit=MAX_FILE)).decode()}
    with connect() as client:
        document = client.post("/api/v1/imports/proposals", body)
        if apply:
            confirmed = body | {"proposal": apply, "many": many}
            document["statement"] = client.post("/api/v1/imports", confirmed)["statement"]
            document["enrolled"] = _join(client, document["joiners"], source, root_key, root_share)
    output(document, lambda console: _proposed(console, document), as_json)


def _join(
    client: "Client",
    joiners: "Sequence[dict[str, str]]",
    source: str,
    root_key: Path | None,
    root_share: "Sequence[Path] | None",
) -> list[dict[str, str]]:
    if not joiners:
        return []
    root = root_signer(client.settings, root_key, root_share)
    done = []
    for joiner in joiners:
        person, path, _ = enrol(client, root, joiner["name"], Role(joiner["role"]))
        client.post("/api/v1/aliases", {"source": source, "subject": joiner["id"], "person": person.id})
        done.append({"id": joiner["id"], "person": person.id, "key_file": str(path)})
    return done


def _proposed(console: "Console", document: dict[str, Any]) -> None:
    enrolled = {each["id"]: each for each in document.get("enrolled", [])}
    for joiner in document["joiners"]:
        done = enrolled.get(joiner["id"])
        what = f"is {done['person']}; hand over {done['key_file']}" if done else "joins"
        console.print(f"+ {joiner['name']} ({joiner['role']}) {what}", soft_wrap=True)
    for person in document["leavers"]:
        console.print(f"- {person} left")
    for move in document["moves"]:
        console.print(f"~ {move['person']}: {move['before']} to {move['after']}")
    for twin in document["namesakes"]:
        console.print(f"? {twin['id']} is called like {twin['person']}: `ringfence user link-account` if it is")
    for person in document["to_owner"]:
        console.print(f"! {person} should be an owner; only the root makes owners")
    console.print(
        f"{document['not_in_file']} people here are not in the file; {document['without_role']} users have no role"
    )
    if "statement" not in document:
        console.print(f"Nothing has changed; to follow this, say it again with --apply {document['proposal']}")


def enrol(client: "Client", root: "Ed25519Signer", name: str, role: Role) -> "tuple[NewPerson, Path, dict[str, Any]]":
    """Enrol a fresh person by the root; return the person, the key file to hand over, and the answer."""
    from ringfence.enrolment import NewPerson, operator_enrolled
    from ringfence.identity.service import hashed
    from ringfence.installation import SystemClock

    person = NewPerson.make(name, role)
    body = {"name": name, "role": role.value, "token_hash": hashed(person.token).hex()}
    with _written(client, person) as (path, custody):
        draft = operator_enrolled(person, custody, SystemClock().now())
        return person, path, client.state(draft, path="/api/v1/people", body=body, signer=root)


@contextmanager
def _written(client: "Client", person: "NewPerson") -> "Iterator[tuple[Path, str]]":
    """Write a person's key file; yield where it is, and what protects it."""
    held = person.write(client.home / "operators", client.settings.passphrase())
    path = client.home / "operators" / f"{person.id}.key"
    try:
        yield path, held.custody
    except BaseException:
        path.unlink(missing_ok=True)  # a key that nobody enrolled is worth nothing, and only confuses
        raise


def root_signer(settings: "Settings", path: Path | None, shares: "Sequence[Path] | None") -> "Ed25519Signer":
    """Open the root key, in the home unless another place is named, or join it from shares."""
    from ringfence.installation import root_path
    from ringfence.kernel.errors import UsageError
    from ringfence.storage import keyfile
    from ringfence.storage.shares import join_files
    from ringfence.storage.signer import Ed25519Signer

    if shares:
        return join_files(shares)
    place = path or root_path(settings.home)
    if not place.exists():
        raise UsageError(
            f"the root key is not at {place}; name the place where it is kept with --root-key, or shares of it with "
            "--root-share"
        )
    return Ed25519Signer.from_seed(keyfile.load(place, settings.passphrase()).secret("root"))


def change_role(
    person: Annotated[str, typer.Argument(help="Person id; see `ringfence user list`.")],
    role: Annotated[Role, typer.Argument(help="What the person may do from now on; only the root makes owners.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Give a person another role."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.put(f"/api/v1/people/{person}/role", {"role": role.value})
    output(document, lambda console: console.print(f"{person} has the role {role.value} from now on"), as_json)


def link_account(
    person: Annotated[str, typer.Argument(help="Person id; see `ringfence user list`.")],
    source: Annotated[str, typer.Argument(help="The provider's issuer, or the short name of a directory.")],
    subject: Annotated[str, typer.Argument(help="The id under which it knows the person (`sub`, or `id`).")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Let a provider's or a directory's account mean a person here."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post("/api/v1/aliases", {"source": source, "subject": subject, "person": person})
    output(document, lambda console: console.print(f"{subject} of {source} is {person} here"), as_json)


def unlink_account(
    source: Annotated[str, typer.Argument(help="The provider's issuer, or the short name of a directory.")],
    subject: Annotated[str, typer.Argument(help="The id under which it knew the person.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Let a provider's or a directory's account mean nobody here."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post("/api/v1/aliases/unlink", {"source": source, "subject": subject})
    output(document, lambda console: console.print(f"{subject} of {source} means nobody here any more"), as_json)
