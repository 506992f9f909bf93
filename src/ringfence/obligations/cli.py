"""`ringfence status`."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.obligations import asking


def status(
    as_of: Annotated[str | None, typer.Option("--as-of", help="Another time, such as 2026-11-22T09:00:00Z.")] = None,
    control: Annotated[str | None, typer.Option(help="One control, with its whole reason chain.")] = None,
    domain: Annotated[str | None, typer.Option(help="Every control of one domain, such as DAT.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every control, those without evidence too.")] = False,  # noqa: FBT002
    obligations: Annotated[bool, typer.Option("--obligations", help="The provisions, counted by act.")] = False,  # noqa: FBT002
    act: Annotated[str | None, typer.Option(help="The provisions of one act, such as NIS2.")] = None,
    standing: Annotated[str | None, typer.Option(help="Only those that are so, such as binding.")] = None,
    provision: Annotated[str | None, typer.Option(help="One provision, such as nis2-21.2.g.")] = None,
    frameworks: Annotated[bool, typer.Option("--frameworks", help="Lists of others, counted.")] = False,  # noqa: FBT002
    framework: Annotated[str | None, typer.Option(help="One such list, code by code.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only codes without a control.")] = False,  # noqa: FBT002
    against: Annotated[str | None, typer.Option(help="Only what this other list does not ask.")] = None,
    threats: Annotated[bool, typer.Option("--threats", help="The board of threats.")] = False,  # noqa: FBT002
    approvals: Annotated[bool, typer.Option("--approvals", help="What waits for your signature.")] = False,  # noqa: FBT002
    proof: Annotated[bool, typer.Option("--proof", help="What a stranger can check.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show the computed status of the controls; those without any evidence are counted by domain."""
    from ringfence.obligations import asking

    listing = obligations or act is not None or standing is not None
    flags = {"obligations": listing, "frameworks": frameworks, "threats": threats}
    flags |= {"approvals": approvals, "proof": proof}
    named = {"control": control, "domain": domain, "provision": provision, "framework": framework}
    options = {"as_of": as_of, "act": act, "standing": standing, "against": against}
    view = asking.view(flags, named, options, every=every, missing=missing)
    _show(view, as_json=as_json)


def _show(view: "asking.View", *, as_json: bool) -> None:
    from ringfence.frontends.client import connect

    with connect() as client:
        document = view.narrowed(client.get(view.path, **view.query))

    def human(console: "Console") -> None:
        for line in view.lines(document):
            console.print(line)

    output(document, human, as_json)
