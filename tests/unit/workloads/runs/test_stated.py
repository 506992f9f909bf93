from dataclasses import replace

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, RingfenceError
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Strength, Subject
from ringfence.testing.artifacts import MemoryControl
from ringfence.testing.runs import trace
from ringfence.workloads.runs import manifest, stated
from ringfence.workloads.runs.model import Ended, Outcome, Outputs

SALT = bytes(range(32))
DRAFT = manifest.draft(trace(), SALT)


def signed(draft):
    return MemoryControl().signed(draft)[0].statement


def claiming(**changes):
    return signed(replace(DRAFT, claims={**DRAFT.claims, **changes}))


def test_a_manifest_is_read_back():
    [given] = stated.read(signed(DRAFT))
    known = trace().inputs[0]
    assert given == stated.StatedInput(
        known.dataset, known.epoch, known.seal, known.ciphertext_root, known.plaintext_root
    )


def test_each_claim_is_checked():
    for name in DRAFT.claims:
        for wrong in (None, "x\ny", -2, {}, [1], 2**60):
            with pytest.raises(RingfenceError):
                stated.read(claiming(**{name: wrong}))
        with pytest.raises(MalformedInput):
            stated.read(signed(replace(DRAFT, claims={k: v for k, v in DRAFT.claims.items() if k != name})))
    with pytest.raises(MalformedInput):
        stated.read(claiming(more=1))


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "failed"},
        {"exitCode": 1},
        {"signal": 9},
        {"outcome": "lost"},
        {"inputs": []},
        {"inputPlace": "none"},
        {"inputs": DRAFT.claims["inputs"] * 2},
        {"node": ""},
        {"nodeClass": ""},
        {"code": "files"},
        {"endedAt": "2020-01-01T00:00:00.000Z"},
        {"outputs": 0},
        {"outputsDigest": ""},
        {"outputsDigest": str(Digest.of(b"other"))},
        {"run": "f" * 32},
        {"diffCommitment": ""},
        {"diffBytes": 0},
        {"diffLeftOut": True},
        {"commit": ""},
        {"models": [], "baseChanged": True},
        {"models": DRAFT.claims["models"] * 2},
        {"privacy": DRAFT.claims["privacy"] * 5},
        {"privacy": [{"unit": "sequence"}]},
    ],
)
def test_what_a_statement_says_twice_agrees(changes):
    with pytest.raises(MalformedInput):
        stated.read(claiming(**changes))


ENDS = [Ended(Outcome.FAILED, 3), Ended(Outcome.FAILED, None, 9), Ended(Outcome.INTERRUPTED, 0), Ended(Outcome.LOST)]


@pytest.mark.parametrize("ended", ENDS)
def test_every_end_can_be_stated(ended):
    stated.read(signed(manifest.draft(replace(trace(), ended=ended, outputs=Outputs()), SALT)))


def test_subjects_cannot_be_added():
    more = (*DRAFT.subjects, Subject("model/other", Digest.of(b"other")))
    with pytest.raises(MalformedInput, match="subject"):
        stated.read(signed(replace(DRAFT, subjects=more)))
    with pytest.raises(MalformedInput, match="subject"):
        stated.read(signed(replace(DRAFT, subjects=DRAFT.subjects[::-1])))


def test_strength_and_predicate_are_fixed():
    with pytest.raises(Refused, match="observed, not attested"):
        stated.read(signed(replace(DRAFT, strength=Strength.ATTESTED)))
    with pytest.raises(MalformedInput, match="takes"):
        stated.read(signed(replace(DRAFT, predicate=PredicateName("dataset.opened"))))


def test_details_are_what_was_committed_to():
    stated.check_details(signed(DRAFT), DRAFT.details)
    for name, wrong in (
        ("salt", bytes(32).hex()),
        ("changes", []),
        ("shipped", DRAFT.details["shipped"][:1]),
        ("packages", ["pip==25.0"]),
        ("outputs", []),
        ("diff", "another text"),
        ("diff", ""),
        ("bases", []),
        ("bases", [["base", Digest.of(b"other").hex]]),
    ):
        with pytest.raises(MalformedInput, match="not what it commits to"):
            stated.check_details(signed(DRAFT), {**DRAFT.details, name: wrong})


@pytest.mark.parametrize("name", ["changes", "shipped", "packages", "outputs", "outputBytes", "diffBytes"])
def test_what_is_counted_stands_in_the_details(name):
    """A control asks for packages: their number alone shows none."""
    with pytest.raises(MalformedInput, match="not what it commits to"):
        stated.check_details(claiming(**{name: DRAFT.claims[name] + 1}), DRAFT.details)


@pytest.mark.parametrize("name", ["salt", "changes", "shipped", "packages", "outputs", "bases"])
@pytest.mark.parametrize("wrong", [None, 1, "zz", [1], [["a", "b", "c"]], [["a"]]])
def test_hostile_details_stay_in_the_family(name, wrong):
    with pytest.raises(RingfenceError):
        stated.check_details(signed(DRAFT), {**DRAFT.details, name: wrong})
