"""An appraisal as a person reads it: every claim, then what must not be read out of it."""

from typing import TYPE_CHECKING

from ringfence.attestation.model import Appraisal, Claim, Level

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    Level.AFFIRMING: "green",
    Level.WARNING: "yellow",
    Level.CONTRAINDICATED: "red",
    Level.NONE: "dim",
}


def appraised(console: "Console", appraisal: Appraisal) -> None:
    """Print the verdict, a line for each claim, and what is not shown."""
    from rich.table import Column, Table
    from rich.text import Text

    lacking = ", ".join(claim.value for claim in appraisal.lacking)
    console.print(
        "acceptable: every demanded claim is shown" if appraisal.acceptable else f"refused: {lacking} not shown"
    )
    console.print(f"{appraisal.platform or appraisal.family.value}  {appraisal.device or 'no device is named'}")
    table = Table("claim", "demanded", "level", Column("why", overflow="fold"), box=None)
    for claim in Claim:
        judged = appraisal.claims[claim]
        demanded = "yes" if claim in appraisal.demanded else ""
        table.add_row(claim.value, demanded, Text(judged.level.value, _STYLES[judged.level]), judged.reason)
    console.print(table)
    if appraisal.not_shown:
        console.print("This does not show:")
    for sentence in appraisal.not_shown:
        console.print(f"- {sentence}")
