"""The places of the console: the entries of the left rail, and the tabs of each. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of a place that has several; they stand side by side above each of them."""

    path: str
    word: str
    also: tuple[str, ...] = ()  # pages elsewhere that belong to it

    def begins(self, path: str) -> bool:
        """Return whether a page is this one or lies below it."""
        return any(path == one or (one != "/" and path.startswith(f"{one}/")) for one in (self.path, *self.also))


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the left rail."""

    path: str
    word: str
    icon: str  # name of a symbol in the sprite
    group: str
    tabs: tuple[Tab, ...] = ()  # the first leads to the same page as the entry

    def covers(self, path: str) -> Tab | None:
        """Return the tab that `path` belongs to, the closest one; a place without tabs is its own."""
        own = self.tabs or (Tab(self.path, self.word),)
        above = [tab for tab in own if tab.begins(path)]
        return max(above, key=lambda tab: len(tab.path), default=None)


PLACES = (
    Place("/", "Today", "today", ""),
    Place("/nodes", "Nodes", "nodes", "Run", (Tab("/nodes", "Nodes"), Tab("/nodes/offers", "Offers"))),
    Place("/deployments", "Deployments", "deployments", "Run"),
    Place(
        "/models",
        "Models",
        "models",
        "Run",
        (Tab("/models", "Models"), Tab("/models/intake", "From outside"), Tab("/models/gate", "Gate")),
    ),
    Place("/data", "Data", "data", "Run", (Tab("/data", "Data"), Tab("/releases", "Key releases"))),
    Place("/findings", "Findings", "findings", "Protect"),
    Place("/incidents", "Incidents", "incidents", "Protect"),
    Place("/redteam", "Red team", "redteam", "Protect"),
    Place(
        "/obligations",
        "Obligations",
        "obligations",
        "Prove",
        (
            Tab("/obligations", "Obligations", also=("/controls",)),
            Tab("/scope", "Scope"),
            Tab("/threats", "Threats"),
            Tab("/frameworks", "Frameworks"),
            Tab("/profiles", "Profiles"),
            Tab("/policies", "Policies"),
            Tab("/record", "Record"),
        ),
    ),
    Place(
        "/evidence",
        "Evidence",
        "evidence",
        "Prove",
        (
            Tab("/evidence", "Statements"),
            Tab("/proof", "Proof", also=("/packs",)),
            Tab("/lineage", "Lineage"),
            Tab("/heads", "Heads"),
            Tab("/keys", "Keys"),
            Tab("/retention", "Retention"),
        ),
    ),
    Place("/customers", "Customers", "customers", "Prove"),
    Place(
        "/decisions",
        "Decisions",
        "decisions",
        "Govern",
        (
            Tab("/decisions", "Decisions"),
            Tab("/approvals", "Approvals"),
            Tab("/risks", "Risks"),
            Tab("/exceptions", "Exceptions"),
        ),
    ),
    Place(
        "/access",
        "Access",
        "access",
        "Govern",
        (
            Tab("/access", "People"),
            Tab("/access/services", "Services"),
            Tab("/access/reviews", "Reviews"),
            Tab("/access/import", "Import"),
            Tab("/access/tenants", "Tenants"),
        ),
    ),
)

PRACTICE = Tab("/practice", "Practice")  # in the console of an own organisation
PRACTISE = Tab("/practise", "Practise")  # in the console of a practice


def with_tab(places: Iterable[Place], path: str, tab: Tab) -> tuple[Place, ...]:
    """Return the places, one of them with a further tab."""
    return tuple(
        replace(one, tabs=(*(one.tabs or (Tab(one.path, one.word),)), tab)) if one.path == path else one
        for one in places
    )


def here(places: Iterable[Place], path: str) -> tuple[Place, Tab] | None:
    """Return the place, and its tab, that a page belongs to."""
    covering = [(place, tab) for place in places if (tab := place.covers(path))]
    return max(covering, key=lambda found: len(found[1].path), default=None)
