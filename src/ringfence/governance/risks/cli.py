"""`ringfence risk`: enter, treat, review and accept risks; import a register that exists."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output
from ringfence.governance.risks.model import STEPS, Treatment

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client
    from ringfence.governance.risks.statements import Known
    from ringfence.kernel.statement import Draft

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Enter, treat, review and accept risks; import a register. It changes no computed status.",
)

Id = Annotated[str, typer.Argument(metavar="RISK", help="Risk id; see `ringfence risk list`.")]
Step = Annotated[int, typer.Option(min=1, max=STEPS)]
AsOf = Annotated[str | None, typer.Option("--as-of", help="As it was at this time, UTC.")]
Owner = Annotated[str, typer.Option(help="Who owns it: a person's id.")]
OwnerWords = Annotated[str, typer.Option("--owner-role", help="The owner's role in words, or a name; erasable.")]
PATH = "/api/v1/risks"


@app.command()
def add(
    title: Annotated[str, typer.Argument(help="The risk in one line; kept apart, and erasable.")],
    likelihood: Step,
    impact: Step,
    review_on: Annotated[str, typer.Option(help="Day of the next review, for instance 2027-05-01.")],
    owner: Owner = "",
    owner_role: OwnerWords = "",
    text: Annotated[str, typer.Option(help="More about it; erasable.")] = "",
    threat: Annotated[list[str] | None, typer.Option(help="Threat row that it answers (repeatable).")] = None,
    control: Annotated[list[str] | None, typer.Option(help="Control that treats it (repeatable).")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Enter a risk, signed by you."""
    from ringfence.frontends.client import connect
    from ringfence.governance import reading
    from ringfence.governance.risks.model import Rating, RiskId, Row
    from ringfence.governance.risks.statements import registered

    who = reading.person(owner, "owner")
    row = Row(
        id=RiskId(f"risk-{_drawn()}"),
        rating=Rating(likelihood, impact),
        owner=who,
        owned=bool(who or owner_role),
        threats=tuple(sorted(threat or ())),
        controls=tuple(sorted(control or ())),
        review_on=reading.day(review_on, "--review-on"),
        title=title,
        text=text,
        owner_words=owner_role,
    )
    with connect() as client:
        document = client.state(registered([row]), path=PATH)
    _told(document, row.id, "entered", as_json=as_json)


@app.command("import")
def import_register(
    file: Annotated[Path, typer.Argument(help="CSV, UTF-8, its first line the names of the columns.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Enter the risks of an existing register: all of them, or none.

    Columns: title, likelihood, impact, review_on; and where there are any text, owner, owner_id, threats, controls,
    treatment, plan, residual_likelihood, residual_impact, due_on, done. Several threats or controls stand in one cell
    with spaces between. Acceptances are not imported: management signs them here.
    """
    from ringfence.frontends.client import connect
    from ringfence.governance.risks import importing
    from ringfence.governance.risks.statements import registered
    from ringfence.storage.files import read_bounded

    data = read_bounded(file, limit=importing.MAX_BYTES)
    with connect() as client:
        rows = importing.parse(data, _known(client), _drawn, source=str(file))
        document = client.state(registered(rows), path=PATH)
    document["risks"] = [row.id for row in rows]
    _told(document, f"{len(rows)} risks", "entered", as_json=as_json)


def _known(client: "Client") -> "Known":
    from ringfence.governance.risks.statements import Known

    named = client.get(f"{PATH}/names")
    return Known(frozenset(named["controls"]), frozenset(named["threats"]))


@app.command()
def treat(
    risk: Id,
    treatment: Annotated[Treatment, typer.Argument(help="What is decided about it.")],
    plan: Annotated[str, typer.Option(help="What is done, in words; erasable.")],
    residual_likelihood: Step,
    residual_impact: Step,
    due: Annotated[str, typer.Option(help="By which day it is done.")] = "",
    done: Annotated[bool, typer.Option("--done", help="It is done already.")] = False,  # noqa: FBT002
    control: Annotated[list[str] | None, typer.Option(help="Control that treats it (repeatable).")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Decide how a risk is treated, and what is left of it then; signed by you."""
    from ringfence.governance import reading
    from ringfence.governance.risks.model import Plan, Rating, risk_id
    from ringfence.governance.risks.statements import treated

    one = Plan(
        treatment,
        Rating(residual_likelihood, residual_impact),
        tuple(sorted(control or ())),
        reading.day(due, "--due") if due else None,
        done,
        plan,
    )
    _state(risk, treated(risk_id(risk), one), "treatments", "treated", as_json=as_json)


@app.command()
def review(
    risk: Id,
    likelihood: Step,
    impact: Step,
    review_on: Annotated[str, typer.Option(help="Day of the next review.")],
    note: Annotated[str, typer.Option(help="What you found; erasable.")],
    owner: Owner = "",
    owner_role: OwnerWords = "",
    close: Annotated[bool, typer.Option("--close", help="It is no risk any more.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """State that you looked at a risk again; another rating or owner ends what was accepted. Signed by you."""
    from ringfence.frontends.client import connect
    from ringfence.governance import reading
    from ringfence.governance.risks.model import Rating, risk_id
    from ringfence.governance.risks.statements import Review, reviewed

    name, day = risk_id(risk), reading.day(review_on, "--review-on")
    with connect() as client:
        known = client.get(f"{PATH}/{name}")
        who = reading.person(owner or known["owner"] or "", "owner")
        words = owner_role or known["owner_words"]
        one = Review(name, Rating(likelihood, impact), who, bool(who or words), day, close, note, owner_role)
        document = client.state(reviewed(one), path=f"{PATH}/{name}/reviews")
    _told(document, risk, "reviewed", as_json=as_json)


@app.command()
def accept(
    risk: Id,
    until: Annotated[str, typer.Option(help="Last day on which it is accepted: within 365 days.")],
    reason: Annotated[str, typer.Option(help="Why it can be borne; erasable.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Accept what is left of a risk, for the management; signed with your passkey, on the page that is named.

    Another person than its owner, and than whoever rated or treated it last.
    """
    from ringfence.frontends.client import connect
    from ringfence.governance import reading
    from ringfence.governance.risks.model import Rating, risk_id
    from ringfence.governance.risks.statements import Accepting, accepted
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import Conflict

    name, day = risk_id(risk), reading.day(until, "--until")
    with connect() as client:
        known = client.get(f"{PATH}/{name}")
        if known["treatment"] is None:
            raise Conflict("decide first how the risk is treated: `ringfence risk treat`")
        left = known["treatment"]["residual"]
        one = Accepting(name, Digest.parse(known["basis"]), Rating(left["likelihood"], left["impact"]), day, reason)
        document = client.state(accepted(one), path=f"{PATH}/{name}/acceptances", with_passkey=True)
    _told(document, risk, f"accepted until {until}", as_json=as_json)


@app.command("list")
def list_risks(as_of: AsOf = None, as_json: Json = False) -> None:  # noqa: FBT002
    """Show the register: every risk with its rating, owner, treatment and acceptance, and the counts."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(PATH, as_of=as_of)
    output(document, lambda console: _register(console, document), as_json)


def _register(console: "Console", document: dict[str, Any]) -> None:
    for risk in document["risks"]:
        overdue = " overdue" if risk["treatment_overdue"] or risk["review_overdue"] else ""
        plan, accepted = risk["treatment"], risk["acceptance"]
        treated = f"{plan['kind']}, leaves {plan['residual']['level']}" if plan else "untreated"
        borne = f"acceptance {accepted['state']} until {accepted['until']}" if accepted else "not accepted"
        console.print(
            f"{risk['risk']} {risk['level']:<8} {risk['score']:>2}  {risk['state']}{overdue}  {risk['title']}"
        )
        console.print(f"{'':<18}{treated}; {borne}; review on {risk['review_on']}")
    counted = ", ".join(f"{name} {value}" for name, value in document["counts"].items())
    console.print(counted)


@app.command()
def show(risk: Id, as_of: AsOf = None, as_json: Json = False) -> None:  # noqa: FBT002
    """Show one risk with everything that was signed about it."""
    from ringfence.frontends.client import connect
    from ringfence.governance.risks.model import risk_id

    with connect() as client:
        document = client.get(f"{PATH}/{risk_id(risk)}", as_of=as_of)

    def human(console: "Console") -> None:
        for name, value in document.items():
            console.print(f"{name:<18} {value}", markup=False)

    output(document, human, as_json)


def _state(risk: str, draft: "Draft", kind: str, word: str, *, as_json: bool) -> None:
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.state(draft, path=f"{PATH}/{risk}/{kind}")
    _told(document, risk, word, as_json=as_json)


def _told(document: dict[str, Any], what: str, word: str, *, as_json: bool) -> None:
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"{what} {word}, entry {entry}"), as_json)


def _drawn() -> str:
    import secrets

    return secrets.token_hex(6)
