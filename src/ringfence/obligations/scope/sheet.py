"""A classification for a person: the answer first, then why, then what is not determined."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_BINDS = {
    True: "Implementing Regulation (EU) 2024/2690 binds.",
    False: "Implementing Regulation (EU) 2024/2690 does not bind now.",
    None: "Whether Implementing Regulation (EU) 2024/2690 binds is not determined.",
}
_CONTRACT = {
    True: "Supply-chain duties arrive by contract only.",
    False: "",
    None: "Whether supply-chain duties arrive by contract only is not determined.",
}


def show(document: Mapping[str, Any], console: "Console") -> None:
    """Print the whole answer."""
    for line in headline(document):
        console.print(line)
    for title, table in _tables(document):
        console.print()
        console.print(title)
        console.print(table)
    console.print()
    for line in gaps(document):
        console.print(line)
    console.print(document["disclaimer"])


def in_force(found: Mapping[str, Any]) -> list[str]:
    """Return what is said of a signed scope before its answer: who signed when, and what changed."""
    signed = found["signed"]
    if signed is None:
        return ["No scope is signed. `ringfence scope` asks for what is needed; `ringfence scope FILE --sign` signs."]
    lines = [f"Signed as entry {signed['entry']} on {signed['issued_at'][:10]}, {signed['strength']}."]
    if not signed["same_rules"]:
        lines.append("The legal data were changed since.")
    if found["document"] is None:
        lines.append("Its profile was erased or cannot be read any more; what was claimed is in the entry.")
    lines += [f"By this signature: {_change(one)}" for one in found["changed_by_signature"]]
    lines += [f"Since then: {_change(one)}" for one in found["changed_since"]]
    unsigned = [one["system"] for one in found["systems"] if one["entry"] is None]
    return lines + [f"Not signed yet: the classification of {name}." for name in unsigned]


def differences(changes: Sequence[Mapping[str, str]], against: int | None) -> list[str]:
    """Return what signing a file would change in the scope in force."""
    if against is None:
        return ["No scope is in force: everything would be new.", *map(_change, changes)]
    return [_change(one) for one in changes] or [f"Nothing would change against entry {against}."]


def _change(one: Mapping[str, str]) -> str:
    return f"{one['subject']}: {one['before']} -> {one['after']}"


def headline(document: Mapping[str, Any]) -> list[str]:
    """Return the sentences that answer the question."""
    nis2 = document["nis2"]
    status = f", {nis2['status']}" if nis2["status"] != "not applicable" else ""
    lines = [
        f"NIS2: {_words(nis2['category'])} ({nis2['provision']}){status}.",
        f"Size class: {document['size']}. Jurisdiction: {document['jurisdiction']}.",
        _BINDS[document["binds_2690"]],
        _CONTRACT[document["supply_chain_duty_only"]],
    ]
    if document["lex_specialis"]:
        lines.append(f"Lex specialis: {document['lex_specialis']} instead of NIS2 21 and 23 (NIS2 4; DORA 1(2)).")
    return [line for line in lines if line]


def gaps(document: Mapping[str, Any]) -> list[str]:
    """Return what is not determined, and by which inputs it would be."""
    if not document["undetermined"]:
        return ["Not determined: nothing; every input that matters is known."]
    lines = ["Not determined:"]
    for gap in document["undetermined"]:
        possible = " / ".join(gap["possible"])
        lines.append(f"- {gap['subject']}: {possible}. Decided by: {', '.join(gap['decided_by'])}")
    return lines


def _tables(document: Mapping[str, Any]) -> Iterable[tuple[str, "RenderableType"]]:
    """Yield a titled table for each part that has rows."""
    for title, key, columns in _PARTS:
        rows = [[_cell(row.get(column)) for column in columns] for row in _rows(document, key)]
        if rows:
            yield title, _table(columns, rows)


_PARTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("AI systems", "ai_act", ("system", "role", "class", "applies_from", "provision")),
    ("Products (CRA)", "cra", ("product", "role", "class", "reporting_from", "applies_from", "provision")),
    ("By contract, from customers", "customers", ("customer", "category", "provision", "status", "duty")),
    ("GDPR", "gdpr", ("provision", "what", "status")),
    ("Applies later", "upcoming", ("applies_from", "subject", "what", "provision")),
    (
        "Fines, of the worldwide turnover of the undertaking",
        "fines",
        ("provision", "nature", "fixed_eur", "percent", "rule", "amount_eur", "status"),
    ),
    ("Authorities", "jurisdictions", ("member_state", "national_act", "applies", "authority", "verified_on", "source")),
    ("Why", "reasons", ("subject", "answer", "provision", "because", "source")),
)


def _rows(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    if key != "customers":
        return list(document[key])
    return [
        {"customer": row["customer"], "category": row["category"]} | duty
        for row in document[key]
        for duty in row["duties"] or [{"duty": "no duty that reaches you"}]
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> "RenderableType":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(_words(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case int():
            return f"{value:,}".replace(",", " ")
        case _:
            return _words(str(value)) if str(value).isidentifier() else str(value)


def _words(text: str) -> str:
    return text.replace("_", " ")
