"""The models of OSCAL that are exported."""

from enum import StrEnum


class Kind(StrEnum):
    """A model of OSCAL; each is a file of its own, named for the model."""

    CATALOG = "catalog"
    PROFILE = "profile"
    COMPONENTS = "component-definition"
    SYSTEM = "system-security-plan"
    PLAN = "assessment-plan"
    RESULTS = "assessment-results"
    MAPPING = "mapping-collection"
    GAPS = "plan-of-action-and-milestones"

    @property
    def file(self) -> str:
        """Return the name of its file; documents refer to each other by it."""
        return f"{self.value}.json"
