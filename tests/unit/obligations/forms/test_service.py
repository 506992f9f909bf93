from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.model import Custody, DatasetName
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Stage
from ringfence.kernel.statement import Strength, Subject
from ringfence.obligations.forms import drafting, shelf
from ringfence.obligations.forms.model import Kind, Known
from ringfence.obligations.producers import Way
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.filled import filled
from ringfence.testing.home import TENANT, signed

ASKED = "risk.assessment"


@pytest.fixture
def forms(services):
    return services.acting.forms


def wanted(forms, name=ASKED, **changes):
    form = shelf.form(name)
    return replace(forms.draft(TENANT, form, filled(name, forms.today())), **changes)


def take(services, home, draft, name=ASKED, role=Role.OWNER):
    posted = signed(services, home.people[role], draft)
    return services.acting.forms.take(home.actor(role), name, *posted)


def test_a_filled_form_is_recorded_and_published(services, home, forms):
    done = take(services, home, wanted(forms))
    assert done.stage is Stage.PUBLISHED
    (logged,) = services.ledger.statements(TENANT, (ASKED,))
    assert logged.envelope.statement.issuance.strength is Strength.DOCUMENTED
    assert logged.issuer.person == home.actor().id
    assert "in words" not in str(logged.envelope.statement.claims)


def refused(services, home, draft, error, words, name=ASKED):
    before = len(services.ledger.statements(TENANT)), len(services.outbox.pending(10))
    with pytest.raises(error, match=words):
        take(services, home, draft, name)
    assert (len(services.ledger.statements(TENANT)), len(services.outbox.pending(10))) == before


def test_what_does_not_fit_is_refused_and_nothing_is_recorded(services, home, forms):
    good = wanted(forms)
    refused(
        services, home, replace(good, claims={**good.claims, "extra": 1}), MalformedInput, "extra is not asked here"
    )
    refused(
        services,
        home,
        replace(good, claims={**good.claims, "assessedOn": "2020-01-01"}),
        MalformedInput,
        "lies between",
    )
    refused(services, home, replace(good, strength=Strength.OBSERVED), Refused, "documented at most")
    refused(services, home, replace(good, details={}), MalformedInput, "salt")
    refused(services, home, replace(good, details={**good.details, "diary": "x"}), MalformedInput, "no room for diary")
    other = (Subject("organisation/elsewhere", Digest.of(b"organisation/elsewhere")),)
    refused(services, home, replace(good, subjects=other), Refused, "is about organisation/main")


def test_a_form_is_stated_under_its_own_name(services, home, forms):
    refused(services, home, wanted(forms), Refused, "this is where training.record is stated", name="training.record")
    refused(services, home, wanted(forms), NotFound, "no form states", name="log.heartbeat")


def test_a_form_that_was_signed_days_ago_is_not_taken(services, home, forms, clock):
    posted = signed(services, home.people[Role.OWNER], wanted(forms))
    clock.advance(timedelta(days=2))
    with pytest.raises(Refused, match="set the clock and sign it again"):
        forms.take(home.actor(), ASKED, *posted)


def seal(services, home, data):
    made, name = sealed_in_memory({"a": data}), DatasetName("claims")
    draft = datasets.sealed(made.seal, made.digest, Custody.EXTERNAL, name)
    services.artifacts.seal(home.actor(), name, *signed(services, home.people[Role.OWNER], draft))
    return Known(f"dataset/{made.seal.dataset}", made.digest, 0)


def test_a_form_about_a_dataset_is_about_its_newest_seal(services, home, forms):
    name = next(each for each in sorted(shelf.types()) if shelf.form(each).about.of == "dataset.sealed")
    form = shelf.form(name)
    assert forms.known(TENANT, form) == ()
    known = seal(services, home, b"x")
    (found,) = forms.known(TENANT, form)
    assert (found.name, found.digest) == (known.name, known.digest)
    filling = replace(filled(name, forms.today()), subject=known.name)
    draft = forms.draft(TENANT, form, filling)
    older = replace(draft, subjects=(Subject(known.name, Digest.of(b"an older seal")),))
    refused(services, home, older, Refused, "is not what the newest dataset.sealed names", name=name)
    assert take(services, home, draft, name).stage is Stage.PUBLISHED


def test_every_type_says_where_it_comes_from_and_what_there_is(services, home, forms):
    before = {kind.producer.type: kind for kind in forms.kinds(TENANT)}
    assert before[ASKED].last is None
    assert before[ASKED].producer.way is Way.FORM
    assert before["log.heartbeat"].producer.way is Way.COLLECTOR
    take(services, home, wanted(forms))
    after = forms.kind(TENANT, shelf.form(ASKED))
    assert after.last is not None
    days = min(rule.freshness.days for rule in after.asked_by if rule.freshness)
    assert after.fresh_until == services.clock.now() + timedelta(days=days)
    assert {rule.control for rule in after.asked_by}


def test_what_is_wrong_is_said_without_signing(forms):
    form = shelf.form(ASKED)
    assert forms.wrong(TENANT, form, filled(ASKED, forms.today())) == ()
    assert {one.field for one in forms.wrong(TENANT, form, drafting.Filling({}))} == {
        question.name for question in form.questions if question.kind is not Kind.COMPUTED
    }


def test_what_a_register_counts_nobody_types(services, home, forms):
    """A form whose counts could be typed would let anybody claim that no risk is overdue."""
    form = shelf.form(ASKED)
    assert {"risks", "withoutOwner", "treatmentsOverdue", "acceptedBy", "register"} <= form.counted
    typed = forms.draft(TENANT, form, drafting_with(filled(ASKED, forms.today()), risks=7))
    assert typed.claims["risks"] == 0
    forged = replace(typed, claims={**typed.claims, "risks": 7})
    refused(services, home, forged, Refused, "risks is 0 by the register now")
    counted = forms.counted(TENANT, form)
    assert counted.keys() == form.counted
    assert take(services, home, typed).stage is Stage.PUBLISHED


def test_a_form_with_counts_but_no_register_is_not_signed(forms):
    alone = replace(forms, registers={})
    with pytest.raises(MalformedInput, match="risks"):
        alone.draft(TENANT, shelf.form(ASKED), filled(ASKED, forms.today()))


def drafting_with(filling, **claims):
    return replace(filling, claims={**filling.claims, **claims})
