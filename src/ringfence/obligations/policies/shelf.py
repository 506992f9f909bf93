"""The templates that ship: `data/policies.yaml`, rendered as texts to fill in."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ringfence.kernel.errors import NotFound
from ringfence.obligations import reading
from ringfence.obligations.model import Catalog
from ringfence.obligations.policies import checking

FILE = "policies.yaml"


@cache
def _all() -> Mapping[str, Mapping[str, Any]]:
    return {entry["name"]: entry for entry in reading.shipped(FILE).value}


def names() -> tuple[str, ...]:
    """Return the policies that have a template."""
    return tuple(_all())


def title(name: str) -> str:
    """Return what a policy is called; every type has a template."""
    return str(_all()[name]["title"])


def template(name: str, catalog: Catalog) -> str:
    """Return the text to fill in; raise `NotFound` where there is none."""
    if name not in _all():
        raise NotFound(f"there is no template of {name[:40]!r}; there are {', '.join(_all())}")
    return "\n".join(_lines(_all()[name], catalog)) + "\n"


def sentences(name: str) -> Mapping[str, str]:
    """Return the declared sentences of a template, each with the title of its section."""
    found = _all().get(name, {"sections": []})
    return {text: section["title"] for section in found["sections"] for text in section["declared"]}


def _lines(entry: Mapping[str, Any], catalog: Catalog) -> Iterator[str]:
    name = entry["name"]
    yield from ("---", f"policy: {name}", 'version: "1.0"', "owner: [role]")
    yield from ("approved-by: [management-body or accountable-person]", "approved-on: [day]", "next-review: [day]")
    if name == "information-security":
        yield f"topic-policies: {' '.join(_topics(catalog))}"
    yield from ("---", f"# {entry['title']}", "")
    asked = ", ".join(checking.wanted(name, catalog)) or "no rule"
    yield f"> Asked for by {asked}. A paragraph that begins like this one claims nothing; delete it."
    for section in entry["sections"]:
        yield from ("", f"## {section['title']} {{{' '.join(section['parts'])}}}")
        for text in section["declared"]:
            yield from ("", "{{declared: [role], [day]}}", text)
        for control in section.get("observed", ()):
            kind = "rule" if control in catalog.requirements else "control"
            yield from ("", f"{{{{observed: {kind} {control}}}}}", checking.sentence(control, catalog))


def _topics(catalog: Catalog) -> tuple[str, ...]:
    rule = catalog.requirements["gov-10.policy"]
    found = [c.value for c in rule.conditions if c.path == "topicPolicies"]
    return tuple(str(name) for value in found if isinstance(value, tuple) for name in value)
