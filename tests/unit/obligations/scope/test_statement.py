"""Statements about a classification: their schema, and that no name and no plain digest gets into the log."""

import json

import jsonschema
import pytest

from ringfence.kernel import identifier
from ringfence.kernel.commitment import commit
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.statement import Strength
from ringfence.obligations.scope.statement import GRAVITY, Signing, drafts
from ringfence.testing.organisations import NOTHING, answer, customer, model, product, profile, system

SIGNING = Signing(identifier.tenant("acme"), b"s" * 32, b"t" * 32)
PROFILE = "name: Acme Secret GmbH\n"


@pytest.fixture
def schemas(request):
    folder = request.config.rootpath / "docs" / "specs" / "predicates"
    return {name: json.loads((folder / f"{name}.schema.json").read_text()) for name in NAMES}


NAMES = ("entity.classification", "ai.classification")
SECRETS = ("Acme", "hidden")


def given(**changes):
    return answer(
        services=["gpu_cloud"],
        size__staff=60,
        name="Acme Secret GmbH",
        customers=[customer(name="hidden customer", staff=NOTHING)],
        ai_systems=[system(name="hidden one", purposes=["employment", "talks_to_people"]), model(name="hidden two")],
        products=[product(name="hidden product", core_function=NOTHING)],
        **changes,
    )


@pytest.mark.parametrize("document", [given(), answer({"name": "x", "ai_systems": [{"name": "y"}]}), answer()])
def test_claims_meet_their_schema(document, schemas):
    for draft in drafts(document, PROFILE, SIGNING):
        jsonschema.validate(dict(draft.claims), schemas[draft.predicate])
        assert draft.strength is Strength.DOCUMENTED


def test_no_name_stands_in_what_is_signed():
    for draft in drafts(given(), PROFILE, SIGNING):
        signed = dumps({"claims": dict(draft.claims), "subjects": [subject.name for subject in draft.subjects]})
        assert not [word for word in SECRETS if word.encode() in signed]


def test_the_profile_stands_there_as_a_salted_commitment_only():
    entity = drafts(given(), PROFILE, SIGNING)[0]
    assert entity.claims["profileDigest"] == str(commit({"profile": PROFILE}, SIGNING.salt).commitment)
    assert entity.claims["profileDigest"] != str(Digest.of(PROFILE.encode()))
    assert entity.details == {"profile": PROFILE, "profileSalt": SIGNING.salt.hex()}
    again = drafts(given(), PROFILE, Signing(SIGNING.tenant, SIGNING.secret, b"u" * 32))[0]
    assert again.claims["profileDigest"] != entity.claims["profileDigest"]


def test_systems_are_opaque_and_keep_their_id():
    entity, *systems = drafts(given(), PROFILE, SIGNING)
    ids = [draft.claims["system"] for draft in systems]
    assert entity.claims["systems"] == sorted(ids)
    assert [draft.subjects[0].name for draft in systems] == [f"system/{one}" for one in ids]
    assert [draft.details["name"] for draft in systems] == ["hidden one", "hidden two"]
    later = drafts(given(), PROFILE, Signing(SIGNING.tenant, SIGNING.secret, b"u" * 32))
    assert [draft.claims["system"] for draft in later[1:]] == ids
    elsewhere = drafts(given(), PROFILE, Signing(SIGNING.tenant, b"x" * 32, SIGNING.salt))
    assert not set(ids) & {draft.claims["system"] for draft in elsewhere[1:]}


def test_a_system_is_stated_once_with_its_gravest_class():
    _, first, second = drafts(given(), PROFILE, SIGNING)
    assert (first.claims["class"], first.claims["appliesFrom"]) == ("high_risk_annex_III", "2027-12-02")
    assert first.claims["provision"] == "AI Act 6(2), Annex III.4; AI Act 50(1)"
    assert second.claims["class"] == "gpai"


def test_what_is_open_is_claimed_without_names_and_booleans_are_left_out():
    document = answer(
        profile(customers=[customer(name="hidden", staff=NOTHING)], designations__cer_critical_entity=NOTHING)
    )
    claims = drafts(document, PROFILE, SIGNING)[0].claims
    assert claims["undetermined"] == ["customers", "nis2.category", "supply_chain_duty_only"]
    assert "supplyChainDutyOnly" not in claims
    assert claims["binds2690"] is False


def test_every_class_has_its_gravity():
    kinds = {row["class"] for row in given()["ai_act"]}
    assert kinds <= set(GRAVITY)
