"""A rule without true and false samples is refused, and so is one whose samples do not come out."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.samples import checked, samples
from ringfence.soc.detection.sigma import load

pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")
RULE = "title: t\nname: t\nlogsource:\n  service: sshd\ndetection:\n  s:\n    user.name: eve\n  condition: s\n"
EVE = '["2026-01-01T00:00:00Z Accepted password for eve from 192.0.2.1 port 2 ssh2"]'
BOB = EVE.replace("eve", "bob")


def told(fires: str, silent: str, name: str = "t", source: str = "sshd") -> str:
    return f"{name}:\n  source: {source}\n  fires: [{fires}]\n  silent: [{silent}]\n"


def test_samples_that_come_out() -> None:
    rules = load([RULE])
    assert checked(rules, samples([told(EVE, BOB)])) is rules


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (told(EVE, ""), "no silent sample"),
        (told("", BOB), "no true sample"),
        ("{}", "no true sample"),
        (told(BOB, BOB), "does not fire"),
        (told(EVE, EVE), "fires on a sample"),
        (told(EVE, BOB) + told(EVE, BOB, "u"), "not there: u"),
        (told(EVE, BOB, source="smoke"), "no source 'smoke'"),
        ("- t", "samples are a mapping"),
        ("t: [", "samples are a mapping"),
        ("t: {source: sshd}", "samples are a mapping"),
    ],
)
def test_refusals(text: str, named: str) -> None:
    with pytest.raises(MalformedInput, match=named):
        checked(load([RULE]), samples([text]))
