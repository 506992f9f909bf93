"""The threats to AI systems as a page of the documentation: the list that a threat model decides on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ringfence.obligations import reading

_HEAD = """\
# Threats to AI systems

<!-- Written by `make reference` from src/ringfence/obligations/data/threats.yaml; edit that. -->

The list that the form `threat.model` asks about: a threat model decides on each, also where it cannot
arise. The mapping is our own; a law binds in the roles and from the dates that its provision states. Editions: MITRE
ATLAS {atlas}; OWASP LLM 2025 and 2026; OWASP Agentic Applications 2026 (ASI); OWASP Machine Learning 2023 (ML).

| id | threat | stages | assets | what would show resistance | ATLAS | OWASP | provisions | controls |
|---|---|---|---|---|---|---|---|---|"""


def page() -> str:
    """Return the whole page in Markdown."""
    document = reading.read("threats.yaml").value
    titles = {name: asset["title"] for name, asset in document["assets"].items()}
    rows = (f"| {' | '.join(_cells(threat, titles))} |" for threat in document["threats"])
    return "\n".join([_HEAD.format(atlas=document["meta"]["atlas"]), *rows, ""])


def _cells(threat: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    yield threat["id"]
    yield threat["title"]
    yield _listed(threat["stages"])
    yield _listed([titles[name] for name in threat["assets"]])
    yield threat["evidence"]
    yield _listed([one.removeprefix("AML.") for one in threat["atlas"]])
    yield _listed([*threat["owasp_2025"], *threat["owasp_2026"], *threat["asi"], *threat["ml"]])
    yield _listed([*threat["law"], *threat.get("law_elsewhere", ())])
    yield _listed(threat["controls"])


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or "-"
