"""The page that goes with a customer's pack: what it is, each fact with its record, and what it is not. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringfence.customers.model import Customer, Handed
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import LogOrigin, Tenant

# The same words in every leaf: nothing here is about one tenant. From the project's legal reference, and from what a
# pack is (docs/specs/pack.md, section 1).
IS_NOT = (
    "It is no certificate and no proof of conformity with any act.",
    "Our records do not decide what you are under NIS2, DORA or the GDPR; nothing here says what we are.",
    "It shows integrity, origin and order of records, never that a record is true.",
    "Whoever holds the keys that a record is signed with could have made that record up; the pack names those keys.",
    "What was never recorded is not in it.",
    "Records about other customers, and about what you share with them, are in it as digests only.",
    "A signature with a passkey is a signed record, not a qualified electronic signature (eIDAS 3(12), 25(2)).",
)
CHECK = (
    "ringfence verify PACK --trust TRUST",
    "python verify_pack.py PACK TRUST",
)
_TRUST = "TRUST is the file that reached you by another way than the pack; without it nothing is shown to you."
_DEMO = "DEMO: everything in this pack is made up for trying Ringfence; it is evidence of nothing."


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence about one pack, and what it rests on: an entry of the log, or somebody's word with its date."""

    text: str
    rests_on: str


def facts(one: Customer, made: Handed) -> Iterator[Fact]:
    """Yield what is said of this pack and nothing else."""
    packed = f"entry {made.entry}"
    yield Fact(f"This pack was made for {one.id} at {to_text(made.at)} by {made.by}.", packed)
    yield Fact(f"It is closed by the report {made.report}.", packed)
    yield Fact(f"Its status was computed over the head of size {made.size} with root {made.root}.", packed)
    listed = ", ".join(one.things) or "nothing"
    declared = f"entry {one.entry}, declared by {one.by} at {to_text(one.changed_at)}"
    yield Fact(f"What is yours here, as registered: {listed}.", declared)
    hours = ", ".join(f"{occasion} {hours} h" for occasion, hours in sorted(one.hours.items())) or "none"
    yield Fact(f"Hours of notice that your contract names: {hours}.", declared)
    for told in one.announced:
        begins = f"it may begin at {to_text(told.earliest)} at the earliest" if told.earliest else "no hours are agreed"
        rests_on = f"entry {told.entry}, declared by {told.by} at {to_text(told.recorded_at)}"
        yield Fact(f"You were told of {told.called} at {to_text(told.at)}; {begins}.", rests_on)
    yield Fact(f"Clauses of your contract that are ticked: {', '.join(one.clauses) or 'none'}.", declared)


def text(one: Customer, made: Handed, tenant: Tenant, log: LogOrigin, *, demo: bool) -> str:
    """Return the leaf as plain text."""
    head = [f"Pack of {tenant} in the log {log}", ""]
    body = [f"- {fact.text} [{fact.rests_on}]" for fact in facts(one, made)]
    isnt = ["", "What this pack is not", "", *(f"- {line}" for line in IS_NOT)]
    how = ["", "How to check it", "", *(f"    {line}" for line in CHECK), "", _TRUST]
    return "\n".join([*([_DEMO, ""] if demo else []), *head, *body, *isnt, *how, ""])


def document(one: Customer, made: Handed) -> Mapping[str, object]:
    """Return the leaf for a program."""
    return {
        "facts": [{"text": fact.text, "rests_on": fact.rests_on} for fact in facts(one, made)],
        "is_not": list(IS_NOT),
        "check": list(CHECK),
    }
