"""`ringfence key revoke|rotate`: the end of a key, and the one that takes its place."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.founding import RootKey, RootShare, root_signer
from ringfence.frontends.terminal import Json, output
from ringfence.gateway import cli as callers
from ringfence.keyverbs import kek

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from ringfence.frontends.client import Client
    from ringfence.kernel.identifier import KeyId

Since = Annotated[
    str, typer.Option(help="Since when it is worth nothing, as 2026-11-22T01:02:03.456Z; now by default.")
]


class Reason(StrEnum):
    """Why a signing key ends."""

    COMPROMISED = "compromised"
    LOST = "lost"
    SUPERSEDED = "superseded"


class Replaced(StrEnum):
    """Which key is replaced."""

    CONTROL_PLANE = "control-plane"
    EMERGENCY = "emergency"
    GATEWAY = "gateway"
    KEK = "kek"
    LEDGER = "ledger"
    OPERATOR = "operator"


def revoke(
    key: Annotated[str, typer.Argument(help="A caller's key such as k-0123456789ab, or the id of a signing key.")],
    reason: Annotated[
        Reason | None, typer.Option(help="Why a signing key ends; compromised where nothing is said, and --yes.")
    ] = None,
    since: Since = "",
    root_key: RootKey = None,
    root_share: RootShare = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, where no reason was named.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End a caller's key for ever, now; or let the root revoke a signing key, and what it signed since a time.

    Of a compromised key, older statements that no other party vouches for count for nothing any more.
    """
    if key.startswith("k-"):
        callers.revoke(key, as_json)
        return
    from ringfence.frontends.client import connect
    from ringfence.identity.register import key_revoked
    from ringfence.installation import SystemClock

    with connect() as client:
        ended = _whole(client, key)
        at = _time(since) or SystemClock().now()
        why, alone = reason or Reason.COMPROMISED, _unvouched(client, ended, at)
        if reason is None and not yes:
            _ask(ended, alone)
        draft = key_revoked(ended, reason=why.value, at=at)
        root = root_signer(client.settings, root_key, root_share)
        answer = client.state(draft, path="/api/v1/signing-keys/revocations", signer=root)
    entry = answer["statement"]["entry"]
    document = {"key": ended, "reason": why.value, "unvouched": alone, "statement": answer["statement"]}

    def human(console: "Console") -> None:
        console.print(f"{ended[:16]}… is revoked ({why.value}), stated as entry {entry}.")
        if why is Reason.COMPROMISED:
            console.print(_LOST.format(count=alone))

    output(document, human, as_json)


_LOST = "{count} older statements of it, which no other party vouches for, count for nothing from now on."


def _unvouched(client: "Client", key: "KeyId", at: datetime) -> int:
    from ringfence.kernel.clock import to_text

    return int(client.get("/api/v1/signing-keys", key=key, since=to_text(at))["unvouched"])


def _ask(key: "KeyId", alone: int) -> None:
    """Return once somebody at a terminal agrees that the key counts as compromised; raise `UsageError` otherwise."""
    from ringfence.kernel.errors import UsageError

    said = f"No reason is named, so {key[:16]}… counts as compromised. " + _LOST.format(count=alone)
    if not sys.stdin.isatty():
        raise UsageError(f"{said} Say --yes to do that, or name another --reason")
    if not typer.confirm(f"{said} Revoke it?"):
        raise UsageError("nothing was revoked")


def rotate(
    role: Annotated[Replaced, typer.Argument(help="Whose key; kek wraps the keys of sealed datasets.")],
    person: Annotated[str, typer.Option(help="The person, where it is an operator's key.")] = "",
    reason: Annotated[Reason, typer.Option(help="Why the old key ends.")] = Reason.SUPERSEDED,
    since: Since = "",
    in_file: Annotated[bool, typer.Option("--in-file", help="Leave the token in which the old one lies.")] = False,  # noqa: FBT002
    root_key: RootKey = None,
    root_share: RootShare = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Replace a signing key while `up` is stopped: the root enrols a new one, then revokes the old one.

    What was broken off is finished by calling it again. What the old key signed before --since keeps its standing;
    where it is compromised, only as far as another party vouched for it by then. The log's own pair ends at its newest
    head, and the root says which pair follows. For kek, neither is the root needed nor is `up` stopped: what it wrapped
    is wrapped anew.
    """
    if role is Replaced.KEK:
        kek.rotate_kek(as_json)
        return
    if role is Replaced.LEDGER:
        _rotate_ledger(reason, since, root_key, root_share, as_json=as_json)
        return
    from ringfence.kernel import identifier
    from ringfence.kernel.statement import KeyRole
    from ringfence.rotation import Ending
    from ringfence.rotation import rotate as replaced
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    whose = identifier.person_id(person) if person else None
    root = root_signer(settings, root_key, root_share)
    ending = Ending(reason.value, _time(since))
    done = replaced(settings, KeyRole(role.value), root, ending, person=whose, into="file" if in_file else None)
    document = {"role": role.value, "old": done.old, "new": done.new, "custody": done.custody, "reason": reason.value}
    output(
        document,
        lambda console: console.print(f"{role.value}: {done.new[:16]}… signs instead of {done.old[:16]}…"),
        as_json,
    )


def _rotate_ledger(
    reason: Reason, since: str, root_key: "Path | None", root_share: "list[Path] | None", *, as_json: bool
) -> None:
    from ringfence.kernel.errors import UsageError
    from ringfence.log_keys import renew
    from ringfence.settings import Settings

    if since:
        raise UsageError("the log's keys end at a head, not at a time; leave --since out")
    settings = Settings.from_environment()
    done = renew(settings, root_signer(settings, root_key, root_share), reason.value)
    head = done.head.checkpoint
    document = {
        "role": "ledger",
        "log_keys": list(done.pair),
        "size": head.size,
        "root": head.root.hex(),
        "custody": done.custody,
        "reason": reason.value,
        "resumed": done.resumed,
    }

    def human(console: "Console") -> None:
        if done.resumed:
            console.print("What was broken off before is finished; call it again to replace the keys once more.")
        console.print(f"A new pair signs the log; its newest head has {head.size} entries.")
        console.print("Witnesses need its verifier keys before they cosign again (`ringfence ledger witness --log …`):")
        for vkey in done.pair:
            console.print(vkey, soft_wrap=True)
        console.print(
            "Outsiders' trust files stay good for packs; `ringfence ledger head -o FILE` brings one up to date."
        )

    output(document, human, as_json)


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
