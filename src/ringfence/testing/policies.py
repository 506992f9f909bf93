"""A policy that somebody filled in, for tests."""

from datetime import date

from ringfence.obligations import catalog
from ringfence.obligations.policies import shelf

DAY = date(2026, 11, 22)
OWNER = "Head of Platform"


def filled(name: str = "logging", *, by: str = "accountable-person", day: date = DAY) -> str:
    """Return the template of a policy with every gap filled."""
    text = shelf.template(name, catalog.load())
    text = text.replace("owner: [role]", f"owner: {OWNER}")
    text = text.replace("[management-body or accountable-person]", by)
    text = text.replace("approved-on: [day]", f"approved-on: {day}")
    text = text.replace("next-review: [day]", f"next-review: {day.replace(year=day.year + 1)}")
    text = text.replace("{{declared: [role], [day]}}", f"{{{{declared: {OWNER}, {day}}}}}")
    while "[" in text:
        start = text.index("[")
        text = text[:start] + "the platform team" + text[text.index("]", start) + 1 :]
    return text
