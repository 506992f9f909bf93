"""Every rule that ships has its samples, and they come out."""

from datetime import timedelta

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection import shipped
from ringfence.soc.detection.detector import Detector
from ringfence.soc.sources.auth import AuthLog
from ringfence.testing import authlog

pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")


def test_all_samples_come_out() -> None:
    assert shipped.proven().names() == shipped.rules().names()


def test_the_promised_rules_ship_and_building_blocks_stay_silent() -> None:
    rules = shipped.rules()
    findings = rules.names() - rules.silent()
    assert findings == {
        "ssh-account-guessed",
        "ssh-guessing",
        "ssh-guessing-then-success",
        "ssh-user-enumeration",
        "ssh-unknown-user-guessing",
        "ssh-probing",
        "flow-denied-scan",
        "api-key-guessing",
        "api-key-guessing-then-success",
        "injection-burst",
    }


def test_one_more_rule_without_samples_is_refused() -> None:
    rule = "title: t\nname: t\nlogsource:\n  service: sshd\ndetection:\n  s:\n    a: b\n  condition: s\n"
    with pytest.raises(MalformedInput, match="the rule t has no true sample"):
        shipped.proven([(rule, "{}")])


def test_made_up_attackers_and_innocents() -> None:
    """Found and missed by kind; docs/reference/detection-rules.md tells the shares of five seeds."""
    everybody = authlog.actors(0)
    log, detector = AuthLog("n-0000000a"), Detector(shipped.rules())
    events = [log.read(line, authlog.START + timedelta(days=1)) for line in authlog.log(everybody)]
    found = {finding.source for event in events if event for finding in detector.feed(event)}
    share: dict[str, list[bool]] = {}
    for actor in everybody:
        share.setdefault(actor.kind, []).append(actor.source in found)
    always = {"guesser", "banned after five", "scanner", "one unknown name", "prober"}
    never = {"slow guesser", "person", "job with keys", "stale job"}
    assert {kind for kind, each in share.items() if all(each)} == always
    assert {kind for kind, each in share.items() if not any(each)} == never
    assert sum(share["slow names"]) >= 20
    assert sum(share["office"]) <= 4
