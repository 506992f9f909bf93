from dataclasses import dataclass, replace

import pytest

from ringfence.artifacts.checks import local, policy, running, screening
from ringfence.artifacts.checks.decisions import Decisions
from ringfence.artifacts.checks.history import When
from ringfence.artifacts.checks.model import Check, not_run
from ringfence.artifacts.checks.screened import Ground
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, Refused, UsageError
from ringfence.testing.artifacts import example
from ringfence.testing.training import FilesInMemory, as_csv, texts

ORDER = running.Order(policy.parse({}))


def subject(digests):
    files = FilesInMemory({"a.csv": as_csv(texts(50, 1))})
    return local.Subject(files, "a", lambda: next(digests), not_run(Check.SIGNATURE, "none"))


def test_a_report_names_the_bytes_that_were_checked():
    digest = Digest.of(b"x")
    report, profile = local.check(subject(iter([digest, digest])), ORDER)
    assert report.content == str(digest)
    assert report.rows == profile.rows == 50


def test_bytes_that_changed_meanwhile_are_no_result():
    with pytest.raises(Conflict):
        local.check(subject(iter([Digest.of(b"x"), Digest.of(b"y")])), ORDER)


def test_only_sealed_bytes_are_stated_about():
    one = subject(iter([Digest.of(b"x")] * 2))
    report, _ = local.check(one, ORDER)
    with pytest.raises(UsageError, match="seal it"):
        local.state(None, replace(one, sealed=None), report, b"", bytes)


def test_only_sealed_bytes_are_screened():
    one = subject(iter([]))
    with pytest.raises(UsageError, match="sealed"):
        local.screen(None, one, screening.Order(policy.parse({})), Decisions(bytes(32)), stated=True)


@dataclass
class Control:
    epochs: list

    def get(self, path):
        return {"epochs": self.epochs} if path.endswith("/history") else None


def epoch(number, order="before-training", untrusted=0, screened=None):
    return {"epoch": number, "order": order, "sources_untrusted": untrusted, "screened": screened}


def test_a_screen_rests_on_what_the_log_says_of_the_newest_epoch():
    files = FilesInMemory({"a.csv": as_csv(texts(20, 1))})
    one = replace(subject(iter([])), files=files, sealed=example())
    order, nobody = screening.Order(policy.parse({})), Decisions(bytes(32))
    found = local.screen(Control([epoch(1, "not-known", 1)]), one, order, nobody, stated=True)
    assert (found.ground, found.dataset, found.screening.items) == (Ground(When.UNKNOWN, 1), example(), 20)
    with pytest.raises(Refused, match="epoch 2 by now"):
        local.screen(Control([epoch(2), epoch(1)]), one, order, nobody, stated=False)
    after = {"entry": 7, "order": "after-training"}
    for earlier in (None, after):
        log = Control([epoch(1, "after-training", screened=earlier)])
        assert local.screen(log, one, order, nobody, stated=True).ground.order is When.AFTER


def test_a_later_screen_does_not_take_the_place_of_one_before_training():
    files = FilesInMemory({"a.csv": as_csv(texts(20, 1))})
    one = replace(subject(iter([])), files=files, sealed=example())
    order, nobody = screening.Order(policy.parse({})), Decisions(bytes(32))
    before = {"entry": 7, "order": "before-training"}
    log = Control([epoch(1, "after-training", screened=before)])
    with pytest.raises(Refused, match="entry 7"):
        local.screen(log, one, order, nobody, stated=True)
    assert local.screen(log, one, order, nobody, stated=False).ground.order is When.AFTER
    again = Control([epoch(1, screened=before)])
    assert local.screen(again, one, order, nobody, stated=True).ground.order is When.BEFORE
