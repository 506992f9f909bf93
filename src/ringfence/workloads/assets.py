"""What a tenant holds, by name, and how attacks on it went: what the board of threats joins to threats."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.customers.model import ThingKind
from ringfence.kernel.identifier import Tenant
from ringfence.obligations.threats.ports import Asset, Bound
from ringfence.obligations.threats.register import AssetKind
from ringfence.redteam.heat import cell
from ringfence.redteam.service import RedTeam
from ringfence.workloads.things import Belongings

_KINDS: Mapping[ThingKind, AssetKind] = {
    ThingKind.DATASET: AssetKind.DATASET,
    ThingKind.MODEL: AssetKind.MODEL,
    ThingKind.DEPLOYMENT: AssetKind.ENDPOINT,
    ThingKind.NODE: AssetKind.NODE,
}


@dataclass(frozen=True, slots=True)
class Held:
    """`threats.ports.Assets` over the registers of an installation."""

    belongings: Belongings

    def __call__(self, tenant: Tenant) -> list[Asset]:
        """Return what there is now; what has ended is left out."""
        here = (one for one in self.belongings.all(tenant) if not one.ended)
        return [Asset(_KINDS[one.thing.kind], one.thing.called, one.link) for one in here]


@dataclass(frozen=True, slots=True)
class Measured:
    """`threats.ports.Bounds` over the runs of the red team."""

    redteam: RedTeam

    def __call__(self, tenant: Tenant) -> list[Bound]:
        """Return the bound of each family in the newest run that tried it."""
        found: dict[str, Bound] = {}
        for logged in self.redteam.runs(tenant):
            for each in logged.envelope.statement.claims["families"]:
                family = each["family"]
                if family not in found:
                    shown = cell(each)
                    found[family] = Bound(family, f"{shown.bound} ({shown.note})", shown.mark, logged.entry)
        return list(found.values())
