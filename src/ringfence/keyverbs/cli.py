"""`ringfence key`: callers' keys for the gateway, and the signing keys of services and people."""

import typer

from ringfence.gateway import cli as callers
from ringfence.keyverbs import custody, root, signing

key = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Issue and revoke callers' keys; show, protect, replace and revoke signing keys; split the root key.",
)
for verb in (callers.issue, callers.block, callers.unblock, callers.callers):
    key.command()(verb)
key.command("list")(custody.list_keys)
key.command()(custody.protect)
key.command()(signing.revoke)
key.command()(signing.rotate)
key.command()(custody.move)
key.command("split-root")(root.split_root)
key.command("join-root")(root.join_root)
