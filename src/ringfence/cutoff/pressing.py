"""What waits for a person, of nodes, incidents, findings and alerts, as Today and the console's bar say it. Pure."""

from collections.abc import Iterable, Sequence

from ringfence.compute.model import Node, Release, ReleaseState
from ringfence.customers.model import Announced, Customer
from ringfence.frontends.page import ClockSummary
from ringfence.frontends.waiting import Item, Kind
from ringfence.incidents import clocks, contracts
from ringfence.incidents.document import visible
from ringfence.incidents.model import Clock, Incident
from ringfence.soc.action import ActionKind
from ringfence.soc.alerts import plain, sentence
from ringfence.soc.faults import TITLES, Fault
from ringfence.soc.ports import Delivery, Raised, Ruled
from ringfence.soc.posting import GIVEN_UP


def of_node(node: Node, releases: Sequence[Release]) -> Item:
    """Return that a node is cut off, and whose turn it is."""
    name = node.spec.name
    asked = next((one for one in releases if one.state is ReleaseState.ASKED), None)
    if asked is None:
        text, act = f"{name} is cut off until two people release it", "--reason TEXT"
    else:
        text, act = f"{name} is cut off; a second person has to agree to its release", f"--approve {asked.request}"
    return Item(Kind.CUT_OFF, text, f"/nodes/{name}", command=f"ringfence node release {name} {act}")


def of_incident(incident: Incident, running: Iterable[Clock]) -> list[Item]:
    """Return the decision that an incident waits for, and each of its clocks for which somebody has to act."""
    found = []
    for clock in running:
        if not clock.running or incident.merged_into:
            continue
        kind = Kind.UNDECIDED if clock.id == clocks.TRIAGE else Kind.CLOCK
        of = f" ({clock.customer})" if clock.customer else ""
        open_ = ", not decided" if contracts.is_undecided(clock) else ""
        text = f"{clock.title}{of}{open_}: {visible(incident.title)}"
        found.append(Item(kind, text, f"/incidents/{incident.id}", clock.due_at, clocks.command(clock, incident.id)))
    return found


def of_beginning(customer: Customer, told: Announced) -> Item:
    """Return the moment before which a subprocessor may not begin for a customer."""
    text = f"{visible(told.called)}, a new subprocessor, may not begin for {visible(customer.called)} before then"
    return Item(Kind.NOT_BEFORE, text, f"/customers/{customer.id}#announced", told.earliest)


def of_findings(waiting: Iterable[tuple[Raised, Ruled]]) -> list[Item]:
    """Return the findings of which an act is left to a person, each once."""
    grouped: dict[str, list[tuple[Raised, Ruled]]] = {}
    for raised, ruled in waiting:
        grouped.setdefault(raised.reference, []).append((raised, ruled))
    return [_queued(acts) for acts in grouped.values()]


def _queued(acts: Sequence[tuple[Raised, Ruled]]) -> Item:
    raised, reference = acts[0][0], acts[0][0].reference
    node = raised.node.name if raised.node else raised.finding.subject
    said = "; ".join(dict.fromkeys(sentence(one.act, one.state) for _, one in acts))
    kinds = {one.act.kind: one.act.target for _, one in acts}
    command = f"ringfence findings settle {reference}"
    if raised.node is not None and ActionKind.ISOLATE_NODE in kinds:
        command = f"ringfence node quarantine {plain(node)}"
    elif kinds.get(ActionKind.BLOCK_KEY):
        command = f"ringfence key block {plain(kinds[ActionKind.BLOCK_KEY])}"
    text = f"{raised.finding.rule} on {plain(node)}: {said}"
    return Item(Kind.QUEUED, text, f"/findings/{reference}", command=f"{command} --reason TEXT")


def of_alerts(unsent: Iterable[tuple[Delivery, str]]) -> list[Item]:
    """Return the alerts that did not go out: each that was given up, and one line for each channel that fails."""
    failing: dict[str, list[Delivery]] = {}
    found = []
    for delivery, state in unsent:
        if state == GIVEN_UP:
            found.append(of_alert(delivery, state))
        else:
            failing.setdefault(delivery.channel, []).append(delivery)
    for channel, several in failing.items():
        if len(several) == 1:
            found.append(of_alert(several[0], ""))
        else:
            text = f"{channel}: {len(several)} alerts are not sent yet, the newest: {plain(several[0].alert.subject)}"
            found.append(Item(Kind.NOT_SENT, text, "/findings"))
    return found


def of_alert(delivery: Delivery, state: str) -> Item:
    """Return that an alert did not go out."""
    about, given_up = delivery.alert.about, state == GIVEN_UP
    how = "given up" if given_up else "not sent yet"
    tried = f"{delivery.attempts} attempts" if delivery.attempts != 1 else "1 attempt"
    text = f"{delivery.channel}: {how} after {tried}: {plain(delivery.alert.subject)}"
    command = f"ringfence findings settle {about} --reason TEXT" if given_up else ""
    return Item(Kind.NOT_SENT, text, _page_of(about), command=command)


def unheard(because: str) -> Item:
    """Return that alerts reach nobody."""
    return Item(Kind.NOT_SENT, f"Alerts reach nobody: {because}", "/findings")


def of_fault(fault: Fault) -> Item:
    """Return that a part of this installation does not work."""
    text = f"{TITLES[fault.rule]}: {plain(fault.because)}"
    return Item(Kind.NOT_WORKING, text, "/findings", command="ringfence doctor")


def _page_of(about: str) -> str:
    pages = {"f": "/findings/", "i": "/incidents/"}
    return pages[about[0]] + about if about[:2] in {"f-", "i-"} else "/findings"


def summary(items: Iterable[Item]) -> ClockSummary | None:
    """Return the clocks among what waits, the provisional ones too; None where none runs."""
    running = [item for item in items if item.kind in (Kind.CLOCK, Kind.UNDECIDED)]
    dues = [item.due for item in running if item.due is not None]
    return ClockSummary(len(running), min(dues, default=None)) if running else None
