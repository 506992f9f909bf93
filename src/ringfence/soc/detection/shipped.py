"""The rules that come with Ringfence, each with samples on which it must and must not fire."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from ringfence.soc.detection.rule import RuleSet
from ringfence.soc.detection.samples import checked, samples
from ringfence.soc.detection.sigma import load

NAMES = ("ssh", "flow", "gateway")


def texts() -> list[str]:
    """Return the rule files."""
    return [_file(f"{name}.yml") for name in NAMES]


def sidecars() -> list[str]:
    """Return the samples of the rule files."""
    return [_file(f"{name}.samples.yml") for name in NAMES]


def _file(name: str) -> str:
    return files("ringfence.soc").joinpath("data", "rules", name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def rules() -> RuleSet:
    """Return the shipped rules; the tests of this package run their samples."""
    return load(texts())


def proven(more: Sequence[tuple[str, str]] = ()) -> RuleSet:
    """Return the shipped rules and more, after all their samples were run.

    Args:
        more: pairs of a rule file and its samples.

    Raises:
        MalformedInput: a rule has no true or no false sample, or one of them does not come out as it says.
    """
    return checked(
        load([*texts(), *(rule for rule, _samples in more)]),
        samples([*sidecars(), *(sample for _rule, sample in more)]),
    )
