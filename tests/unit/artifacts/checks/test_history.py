"""What is told of an epoch is what statements that count say of it; that it was used is believed of anybody."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.checks import history
from ringfence.artifacts.checks.history import Told, When
from ringfence.artifacts.checks.model import Check
from ringfence.artifacts.checks.screened import Ground, Screened, draft
from ringfence.artifacts.model import Mode, Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.testing.artifacts import MemoryControl, example
from ringfence.testing.screened import TOLD, checked_in, screening

EPOCH, OTHER = example(), example(epoch=2)
AUDIT, STORAGE = (Verdict(mode, 3, ()) for mode in (Mode.AUDIT, Mode.STORAGE))
SALTS = {"report": bytes(32), "quarantine": bytes(32)}


@dataclass
class Logged:
    entry: int
    envelope: Envelope
    standing: str = "trusted"
    opening: None = None


def told(*drafts, standing="trusted"):
    control = MemoryControl()
    logged = [Logged(number, control.signed(one)[0], standing) for number, one in enumerate(drafts)]
    return history.fold(logged, [EPOCH.seal])[EPOCH.seal]


def screened(epoch=EPOCH):
    one = Screened(epoch, screening(flagged=2), Ground(When.BEFORE, 0), "0.1.0")
    return draft(one, one.files(), SALTS, date(2026, 11, 23))


def used(seal=EPOCH.seal, predicate="run.manifest"):
    claims = {"run": "r", "inputs": [{"seal": str(seal), "dataset": EPOCH.dataset, "epoch": 1}]}
    return Draft(PredicateName(predicate), (Subject("run/r", Digest.of(b"r")),), claims, Strength.OBSERVED)


def released():
    return Draft(PredicateName("key.released"), (EPOCH.subject,), {"purpose": "read"}, Strength.OBSERVED)


def everything(epoch):
    return [
        datasets.opened(epoch, "read"),
        datasets.opened(epoch, "read"),
        datasets.opened(epoch, "audit"),
        datasets.verified(epoch, AUDIT),
        datasets.verified(epoch, STORAGE),
        datasets.provenance(epoch, TOLD, bytes(32)),
        checked_in(epoch, Check.OUTLIERS),
        screened(epoch),
    ]


def test_an_epoch_is_told_with_everything_that_is_said_of_it_and_of_no_other():
    shown = history.to_json(EPOCH, told(*everything(EPOCH)))
    assert (shown["opened"], shown["purposes"]) == (3, {"audit": 1, "read": 2})
    assert (shown["verified"]["mode"], shown["audited"]["entry"]) == ("storage", 3)
    assert shown["provenance"]["recorded"] == ["collection", "licence", "source"]
    assert shown["checked"]["counts"]["outliers"] == shown["checked"]["findings"] == 3
    assert (shown["screened"]["flagged"], shown["screened"]["order"]) == (2, "before-training")
    assert shown["sources_untrusted"] == 0
    assert told(*everything(OTHER)) == Told()


def test_the_newest_word_stands():
    assert told(checked_in(EPOCH, Check.OUTLIERS), checked_in(EPOCH)).checked.entry == 1


@pytest.mark.parametrize("standing", ["revoked", "unknown"])
def test_what_a_key_that_does_not_count_says_is_no_good_word(standing):
    found = told(*everything(EPOCH), standing=standing)
    shown = history.to_json(EPOCH, found)
    assert [shown[name] for name in ("verified", "audited", "provenance", "checked", "screened")] == [None] * 5
    assert shown["sources_untrusted"] == 1
    assert shown["opened"] == 3
    assert told(used(), standing=standing).order is When.AFTER


@pytest.mark.parametrize("one", [checked_in(EPOCH), screened(), datasets.verified(EPOCH, AUDIT)])
def test_what_is_not_as_its_page_has_it_is_left_out(one):
    assert told(one) != Told()
    for name in one.claims:
        less = {key: value for key, value in one.claims.items() if key != name}
        assert told(replace(one, claims=less)) == Told()
    assert told(replace(one, claims=dict(one.claims) | dict.fromkeys(one.claims, None))) == Told()


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ((), When.BEFORE),
        ((datasets.opened(EPOCH, "check"), datasets.opened(EPOCH, "screen")), When.BEFORE),
        ((used(OTHER.seal),), When.BEFORE),
        ((datasets.opened(EPOCH, "run"),), When.UNKNOWN),
        ((datasets.opened(EPOCH, "train"),), When.UNKNOWN),
        ((released(),), When.UNKNOWN),
        ((used(),), When.AFTER),
        ((datasets.opened(EPOCH, "run"), used()), When.AFTER),
        ((used(predicate="run.imported"),), When.AFTER),
    ],
)
def test_a_screen_is_before_training_where_no_run_is_known_to_have_begun(said, order):
    assert told(*said).order is order


@pytest.mark.parametrize("inputs", [None, 1, "x", [1], [{}], [{"seal": 1}], [{"seal": "sha256:" + "z" * 64}], {}])
def test_inputs_of_a_run_that_do_not_fit_name_nothing(inputs):
    assert told(replace(used(), claims={"inputs": inputs})).order is When.BEFORE


def test_a_purpose_that_is_none_is_an_opening_all_the_same():
    strange = replace(datasets.opened(EPOCH, "read"), claims={"purpose": "<b>"})
    assert history.to_json(EPOCH, told(strange))["purposes"] == {"unknown": 1}
