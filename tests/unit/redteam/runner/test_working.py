import asyncio
import itertools
from dataclasses import replace

import pytest

from ringfence.redteam import blobs
from ringfence.redteam.document import plan_bytes
from ringfence.redteam.model import Outcome
from ringfence.redteam.runner.address import Address
from ringfence.redteam.runner.serving import Reaction
from ringfence.redteam.runner.working import Limits, carry_out
from ringfence.testing.redteam import HARDENED, drawn, endpoint, hanging_up, plan, slowly, small

CORPUS = small()
PLAN = plan(CORPUS)
ATTEMPTS = drawn(CORPUS, 20)
LIMITS = Limits(workers=4, timeout=5.0)


def worked(folder, react, limits=LIMITS, attempts=ATTEMPTS):
    if not folder.exists():
        blobs.create(folder, plan_bytes(PLAN), CORPUS)
    with endpoint(react) as there, blobs.opened(folder, "target", plan_bytes(PLAN)) as journal:
        address = Address.of(f"{there.address}/chat/completions")
        asyncio.run(carry_out(PLAN, attempts, address, limits, journal))
        return journal.records, there


def test_every_attempt_is_carried_out_once(tmp_path):
    records, there = worked(tmp_path / "run", HARDENED)
    assert records.keys() == {attempt.id for attempt in ATTEMPTS}
    assert there.requests == len(ATTEMPTS)
    assert {record.outcome for record in records.values()} == {Outcome.RESISTED, Outcome.COHERENT}


def test_what_the_journal_holds_is_not_asked_again(tmp_path):
    worked(tmp_path / "run", HARDENED, attempts=ATTEMPTS[:9])
    records, there = worked(tmp_path / "run", HARDENED)
    assert there.requests == len(ATTEMPTS) - 9
    assert len(records) == len(ATTEMPTS)


def test_a_busy_endpoint_is_asked_again(tmp_path):
    count = itertools.count()

    def busy_at_first(path, asked):
        return replace(Reaction(b"{}", 429), headers={"retry-after": "0"}) if next(count) < 6 else HARDENED(path, asked)

    records, _ = worked(tmp_path / "run", busy_at_first)
    assert {record.outcome for record in records.values()} == {Outcome.RESISTED, Outcome.COHERENT}
    assert max(record.tries for record in records.values()) > 1


def test_an_endpoint_that_stays_busy_is_given_up(tmp_path):
    always = replace(Reaction(b"{}", 503), headers={"retry-after": "0"})
    records, there = worked(tmp_path / "run", lambda _path, _asked: always, attempts=ATTEMPTS[:3])
    assert {(record.outcome, record.tries) for record in records.values()} == {(Outcome.ERROR, 4)}
    assert there.requests == 12


def test_who_hangs_up_is_not_asked_for_ever(tmp_path):
    records, there = worked(tmp_path / "run", hanging_up)
    assert {record.outcome for record in records.values()} == {Outcome.ERROR}
    assert there.requests <= 4 * len(ATTEMPTS)


def test_an_answer_that_does_not_come_is_a_timeout(tmp_path):
    records, _ = worked(tmp_path / "run", slowly(HARDENED, 30), Limits(workers=4, timeout=0.1), ATTEMPTS[:4])
    assert {record.outcome for record in records.values()} == {Outcome.TIMEOUT}


def test_a_used_up_budget_ends_the_requests_and_not_the_record(tmp_path):
    records, there = worked(tmp_path / "run", HARDENED, Limits(workers=1, timeout=5, tokens=60))
    assert records.keys() == {attempt.id for attempt in ATTEMPTS}
    assert 1 < there.requests < len(ATTEMPTS)
    assert sum(record.outcome is Outcome.NOT_SENT for record in records.values()) == len(ATTEMPTS) - there.requests


@pytest.mark.parametrize("rate", [200.0])
def test_a_rate_is_kept_and_everything_is_asked(tmp_path, rate):
    records, _ = worked(tmp_path / "run", HARDENED, Limits(workers=4, timeout=5, rate=rate))
    assert len(records) == len(ATTEMPTS)
