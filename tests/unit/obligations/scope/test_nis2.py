"""The decision rows, each one, in their order."""

import pytest

from ringfence.obligations.scope import nis2, rules
from ringfence.obligations.scope.model import Exclusion, Identified
from ringfence.obligations.scope.nis2 import Category, Facts, provision
from ringfence.obligations.scope.size import SizeClass


def facts(*words, size=SizeClass.SMALL, **changes):
    given = {
        "types": frozenset(rules.load().activities[word].type for word in words),
        "size": size,
        "cer_critical": False,
        "identified": Identified.NONE,
        "former_operator": False,
        "exclusion": Exclusion.NONE,
        "in_union": True,
    }
    return Facts(**(given | changes))


MEDIUM, LARGE = SizeClass.MEDIUM, SizeClass.LARGE
ESSENTIAL, IMPORTANT, OUT = Category.ESSENTIAL, Category.IMPORTANT, Category.OUT_OF_SCOPE


@pytest.mark.parametrize(
    ("given", "order", "category", "text"),
    [
        (facts("none_of_these", cer_critical=True), "1", ESSENTIAL, "NIS2 3(1)(f)"),
        (facts("dns_service_provider"), "2", ESSENTIAL, "NIS2 3(1)(b), Annex I.8, 6(20)"),
        (facts("tld_name_registry"), "2", ESSENTIAL, "NIS2 3(1)(b), Annex I.8, 6(21)"),
        (facts("qualified_trust_service_provider"), "2", ESSENTIAL, "NIS2 3(1)(b), Annex I.8, 6(25)"),
        (facts("central_government_entity"), "3", ESSENTIAL, "NIS2 3(1)(d), Annex I.10"),
        (facts("gpu_cloud", identified=Identified.ESSENTIAL), "4", ESSENTIAL, "NIS2 3(1)(e)"),
        (facts("gpu_cloud", former_operator=True), "4a", ESSENTIAL, "NIS2 3(1)(g)"),
        (facts("gpu_cloud", size=LARGE), "5", ESSENTIAL, "NIS2 3(1)(a), Annex I.8, 6(30)"),
        (facts("public_communications_network_provider", size=MEDIUM), "6", ESSENTIAL, "NIS2 3(1)(c), Annex I.8"),
        (facts("public_communications_network_provider"), "7", IMPORTANT, "NIS2 3(2), Annex I.8"),
        (facts("trust_service_provider"), "7", IMPORTANT, "NIS2 3(2), Annex I.8, 6(25)"),
        (facts("trust_service_provider", size=LARGE), "5", ESSENTIAL, "NIS2 3(1)(a), Annex I.8, 6(25)"),
        (facts("regional_government_entity"), "7", IMPORTANT, "NIS2 3(2), Annex I.10"),
        (facts("local_government_entity"), "7b", IMPORTANT, "NIS2 2(5)(a), 3(2)"),
        (facts("education_institution"), "7", IMPORTANT, "NIS2 3(2), Annex II.7"),
        (facts("gpu_cloud", size=MEDIUM), "7", IMPORTANT, "NIS2 3(2), Annex I.8, 6(30)"),
        (facts("motor_vehicle_manufacturer", size=LARGE), "7", IMPORTANT, "NIS2 3(2), Annex II.5"),
        (facts("gpu_cloud", identified=Identified.IMPORTANT), "7", IMPORTANT, "NIS2 3(2), Annex I.8, 6(30)"),
        (facts("none_of_these", identified=Identified.IMPORTANT), "7a", IMPORTANT, "NIS2 2(2)(b)-(e), 3(2)"),
        (facts("gpu_cloud"), "8", OUT, "NIS2 2(1), Annex I.8, 6(30)"),
        (facts("domain_name_registration_service"), "9", Category.REGISTRATION_ONLY, "NIS2 2(4)"),
        (facts("domain_name_registration_service", "gpu_cloud"), "9", Category.REGISTRATION_ONLY, "NIS2 2(4)"),
        (facts("model_licence_only", size=LARGE), "10", OUT, "NIS2 2(1)"),
        (facts("gpu_cloud", size=LARGE, in_union=False), "0b", OUT, "NIS2 2(1)"),
        (facts("gpu_cloud", size=LARGE, exclusion=Exclusion.PUBLIC_SECURITY), "0a", OUT, "NIS2 2(7)"),
        (facts("credit_institution", size=LARGE, exclusion=Exclusion.DORA_EXEMPTION), "0a", OUT, "NIS2 2(10)"),
    ],
)
def test_row(given, order, category, text):
    row = nis2.decide(given)
    assert (row.order, row.category) == (order, category)
    assert provision(given) == text


def test_trust_services_cannot_be_excluded():
    given = facts("qualified_trust_service_provider", exclusion=Exclusion.MEMBER_STATE_EXEMPTION)
    assert nis2.decide(given).category is ESSENTIAL


def test_the_gravest_row_wins_among_several_services():
    given = facts("motor_vehicle_manufacturer", "gpu_cloud", size=LARGE)
    assert provision(given) == "NIS2 3(1)(a), Annex I.8, 6(30)"


ELEVEN = {
    "dns_service_provider",
    "tld_name_registry",
    "cloud_computing_service_provider",
    "data_centre_service_provider",
    "content_delivery_network_provider",
    "managed_service_provider",
    "managed_security_service_provider",
    "online_marketplace",
    "online_search_engine",
    "social_networking_services_platform",
    "trust_service_provider",
}


def test_2690_concerns_its_eleven_types_and_no_other():
    words = [word for word, activity in rules.load().activities.items() if word == activity.type.id]
    found = {word for word in words if nis2.binds_2690(facts(word, size=LARGE))}
    assert found == ELEVEN | {"qualified_trust_service_provider"}


def test_2690_needs_an_entity_in_scope():
    assert nis2.binds_2690(facts("gpu_cloud", size=MEDIUM))
    assert not nis2.binds_2690(facts("gpu_cloud"))
    assert not nis2.binds_2690(facts("gpu_cloud", "credit_institution", size=LARGE))


def test_no_annex_ii_type_is_essential_by_size():
    for word, activity in rules.load().activities.items():
        if activity.type.annex.startswith("II."):
            assert nis2.decide(facts(word, size=LARGE)).category is IMPORTANT
