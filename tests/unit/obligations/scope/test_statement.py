"""Statements about a classification: their schema, and that no name and no plain digest gets into the log."""

import json
from dataclasses import replace
from datetime import date

import jsonschema
import pytest

from ringfence.kernel import identifier
from ringfence.kernel.commitment import commit
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Strength
from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.organisation import parse
from ringfence.obligations.scope.rules import sample
from ringfence.obligations.scope.statement import GRAVITY, Signing, check_shown, drafts
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
    assert claims["undetermined"] == ["customers", "fines", "nis2.category", "supply_chain_duty_only"]
    assert "supplyChainDutyOnly" not in claims
    assert claims["binds2690"] is False


def test_every_class_has_its_gravity():
    kinds = {row["class"] for row in given()["ai_act"]}
    assert kinds <= set(GRAVITY)


@pytest.mark.parametrize(
    ("changes", "claim", "expected"),
    [
        ({"services": ["credit_institution"]}, "financialEntity", True),
        ({"services": ["gpu_cloud"]}, "financialEntity", False),
        ({"services": NOTHING}, "financialEntity", None),
        ({"customers": [customer(personal_data=True)], "personal_data": NOTHING}, "personalData", True),
        ({"customers": [customer(personal_data=False)]}, "personalData", False),
        ({"customers": [customer(personal_data=False)], "personal_data": NOTHING}, "personalData", None),
        ({"customers": NOTHING, "personal_data": "special"}, "personalData", True),
        ({"personal_data": "special"}, "personalDataKind", "special"),
        ({"personal_data": NOTHING}, "personalDataKind", None),
        ({"products": NOTHING}, "products", None),
        ({"products": []}, "products", []),
        ({"products": [product(), product(name="other")]}, "products", ["manufacturer:default"]),
        ({"products": [product(core_function=NOTHING)]}, "products", ["manufacturer:undetermined"]),
    ],
)
def test_what_decides_on_dora_gdpr_and_cra_is_claimed_only_where_it_is_known(changes, claim, expected, schemas):
    claims = drafts(answer(**changes), PROFILE, SIGNING)[0].claims
    assert claims.get(claim) == expected
    jsonschema.validate(dict(claims), schemas["entity.classification"])


class TestWhatIsSignedIsWhatWasShown:
    @pytest.fixture
    def shown(self):
        document = classify(parse(sample().encode()), date(2026, 11, 22))
        return document, sample(), Tenant("acme")

    def test_ids_of_systems_and_salts_are_the_servers(self, shown):
        document, profile, tenant = shown
        made = drafts(document, profile, Signing(tenant, b"s" * 32, b"x" * 32))
        check_shown(made, *shown)

    @pytest.mark.parametrize("claim", ["category", "rulesDigest", "systems"])
    def test_anything_else_is_refused_unsigned(self, shown, claim):
        document, profile, tenant = shown
        first, *rest = drafts(document, profile, Signing(tenant, b"s" * 32, b"x" * 32))
        if claim == "systems":  # one fewer
            with pytest.raises(Refused):
                check_shown([first, *rest[1:]], *shown)
            return
        with pytest.raises(Refused):
            check_shown([replace(first, claims={**first.claims, claim: "other"}), *rest], *shown)
        with pytest.raises(Refused):
            check_shown([replace(first, details={**first.details, "profile": "{}"}), *rest], *shown)

    def test_the_commitment_is_to_the_profile_that_is_shown(self, shown):
        document, profile, _ = shown
        first, *rest = drafts(document, profile, SIGNING)
        other = drafts(document, "name: another\n", SIGNING)[0].claims["profileDigest"]
        with pytest.raises(Refused):
            check_shown([replace(first, claims={**first.claims, "profileDigest": other}), *rest], *shown)

    @pytest.mark.parametrize("salt", [None, 5, "", "zz", "00"])
    def test_a_salt_that_is_none_is_refused(self, shown, salt):
        document, profile, _ = shown
        first, *rest = drafts(document, profile, SIGNING)
        with pytest.raises(MalformedInput):
            check_shown([replace(first, details={**first.details, "profileSalt": salt}), *rest], *shown)

    def test_two_systems_are_not_signed_as_one(self, shown):
        document, profile, _ = shown
        first, one, other = drafts(document, profile, SIGNING)
        same = replace(other, subjects=one.subjects, claims={**other.claims, "system": one.claims["system"]})
        with pytest.raises(Refused):
            check_shown([first, one, same], *shown)
        with pytest.raises(Refused):
            check_shown([replace(first, claims={**first.claims, "systems": []}), one, other], *shown)

    def test_a_statement_about_something_else_is_refused(self, shown):
        document, profile, _ = shown
        first, *rest = drafts(document, profile, SIGNING)
        named = replace(first.subjects[0], name="entity/other")
        for changed in (replace(first, subjects=(named,)), replace(first, strength=Strength.ATTESTED)):
            with pytest.raises(Refused):
                check_shown([changed, *rest], *shown)
        with pytest.raises(Refused):
            check_shown([], *shown)
