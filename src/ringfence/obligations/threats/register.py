"""The threats that ship: what each touches, which controls answer it, which codes of others name it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from ringfence.obligations import reading

CODES = ("atlas", "owasp_2025", "owasp_2026", "asi", "ml")


class AssetKind(StrEnum):
    """The register in which an asset is found; `organisation`: in none."""

    DATASET = "dataset"
    MODEL = "model"
    ENDPOINT = "endpoint"
    NODE = "node"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Touched:
    """What a threat is a threat to."""

    title: str
    kind: AssetKind


@dataclass(frozen=True, slots=True)
class Threat:
    """One row of the list."""

    id: str
    title: str
    stages: tuple[str, ...]
    touches: tuple[Touched, ...]
    codes: Mapping[str, tuple[str, ...]]
    law: tuple[str, ...]  # ids of obligations
    law_elsewhere: tuple[str, ...]
    evidence: str
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """All of them, and the stages of a life in their order."""

    stages: tuple[str, ...]
    atlas: str  # edition
    threats: tuple[Threat, ...]


@cache
def load() -> Register:
    """Read the file of the package, once."""
    value = reading.shipped("threats.yaml").value
    assets = {name: Touched(one["title"], AssetKind(one["kind"])) for name, one in value["assets"].items()}
    threats = tuple(_threat(one, assets) for one in value["threats"])
    return Register(tuple(value["stages"]), value["meta"]["atlas"], threats)


def _threat(value: Any, assets: Mapping[str, Touched]) -> Threat:
    return Threat(
        id=value["id"],
        title=value["title"],
        evidence=value["evidence"],
        stages=tuple(value["stages"]),
        law=tuple(value["law"]),
        controls=tuple(value["controls"]),
        law_elsewhere=tuple(value.get("law_elsewhere", ())),
        touches=tuple(assets[name] for name in value["assets"]),
        codes={name: tuple(value[name]) for name in CODES},
    )
