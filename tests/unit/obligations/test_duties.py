from datetime import UTC, date, datetime

import pytest

from ringfence.obligations import catalog, duties
from ringfence.obligations.records import Records
from ringfence.obligations.results import Standing
from ringfence.testing.obligations import Story, meeting

CATALOG = catalog.load()
ENTITY, SYSTEM = CATALOG.requirements[duties.ENTITY], CATALOG.requirements[duties.SYSTEM]
IMPORTANT = {"category": "important", "binds2690": True, "jurisdiction": "DE", "systems": []}


def scope(story, **claims):
    story.add(ENTITY.evidence, meeting(ENTITY) | IMPORTANT | claims, strength=ENTITY.strength)


def system(story, name, **claims):
    story.add(SYSTEM.evidence, meeting(SYSTEM) | claims, subject=f"system/{name}", strength=SYSTEM.strength)


def duty(story, name, at=None):
    at = at or story.now
    facts = duties.circumstances(CATALOG, Records.of(story.tenant, story.statements), at)
    return duties.duty(CATALOG.obligations[name], facts, CATALOG, at)


def standing(*args, **claims):
    return duty(*args, **claims).standing


@pytest.mark.parametrize("name", [o.id for o in CATALOG.obligations.values()])
def test_without_a_signed_scope_every_duty_is_undetermined(name):
    expected = Standing.BASIS if CATALOG.obligations[name].kind == "basis" else Standing.UNDETERMINED
    assert standing(Story(), name) is expected


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("essential", Standing.BINDING),
        ("important", Standing.BINDING),
        ("out_of_scope", Standing.NOT_OURS),
        ("registration_only", Standing.NOT_OURS),
        (None, Standing.UNDETERMINED),
    ],
)
def test_nis2_measures_bind_essential_and_important_entities(category, expected):
    story = Story()
    scope(story, category=category)
    assert standing(story, "nis2-21.2.h") is expected


@pytest.mark.parametrize(
    ("listed", "expected"), [(True, Standing.BINDING), (False, Standing.NOT_OURS), (None, Standing.UNDETERMINED)]
)
def test_2024_2690_binds_the_listed_types_only(listed, expected):
    story = Story()
    scope(story, binds2690=listed)
    assert standing(story, "ir2690-11.2") is expected


def test_where_no_national_act_is_in_force_the_directive_is_upcoming():
    story = Story()
    scope(story, jurisdiction="ES")
    for name in ("nis2-21.2.h", "ir2690-9"):
        found = duty(story, name)
        assert (found.standing, found.applies_from) == (Standing.UPCOMING, None)
        assert "no national act in force was found for ES" in found.because
        assert not duties.may_bind(found, story.now)


def test_before_the_national_act_the_directive_is_upcoming():
    story = Story(start=datetime(2025, 12, 1, tzinfo=UTC))
    scope(story)
    found = duty(story, "nis2-21.2.h")
    assert (found.standing, found.applies_from) == (Standing.UPCOMING, date(2025, 12, 6))
    assert standing(story, "nis2-21.2.h", datetime(2025, 12, 6, tzinfo=UTC)) is Standing.BINDING


@pytest.mark.parametrize("name", ["nis2-21.2.h", "nis2-23.4"])
@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"financialEntity": True}, Standing.NOT_OURS),
        ({"financialEntity": False}, Standing.BINDING),
        ({"financialEntity": "yes"}, Standing.BINDING),
        ({"financialEntity": True, "category": "out_of_scope"}, Standing.NOT_OURS),
        ({"financialEntity": True, "category": None}, Standing.UNDETERMINED),
    ],
)
def test_dora_takes_the_place_of_measures_and_reports_for_financial_entities(name, claims, expected):
    story = Story()
    scope(story, **claims)
    assert standing(story, name) is expected


def test_dora_leaves_governance_and_registration_of_nis2_alone():
    story = Story()
    scope(story, financialEntity=True)
    assert {standing(story, name) for name in ("nis2-20.1", "nis2-3.4")} == {Standing.BINDING}


@pytest.mark.parametrize(
    ("name", "claim"), [("dora-28.3", "financialEntity"), ("dora-30.2", "financialEntity"), ("gdpr-32", "personalData")]
)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, Standing.BINDING),
        (False, Standing.NOT_OURS),
        (None, Standing.UNDETERMINED),
        (1, Standing.UNDETERMINED),
        ("no", Standing.UNDETERMINED),
    ],
)
def test_dora_and_gdpr_bind_where_the_signed_scope_says_so(name, claim, value, expected):
    story = Story()
    scope(story, **{claim: value})
    assert standing(story, name) is expected


@pytest.mark.parametrize(
    ("products", "manufacturer", "steward"),
    [
        (None, Standing.UNDETERMINED, Standing.UNDETERMINED),
        ("manufacturer:default", Standing.UNDETERMINED, Standing.UNDETERMINED),
        ([], Standing.NOT_OURS, Standing.NOT_OURS),
        (["manufacturer:default"], Standing.BINDING, Standing.NOT_OURS),
        (["importer:default"], Standing.NOT_OURS, Standing.NOT_OURS),
        (["manufacturer:out_of_scope"], Standing.NOT_OURS, Standing.NOT_OURS),
        (["manufacturer:undetermined"], Standing.UNDETERMINED, Standing.NOT_OURS),
        (["undetermined:default"], Standing.UNDETERMINED, Standing.UNDETERMINED),
        (["undetermined:undetermined", "manufacturer:critical"], Standing.BINDING, Standing.UNDETERMINED),
        (["open_source_steward:open_source_steward"], Standing.NOT_OURS, Standing.BINDING),
        ([5, ""], Standing.NOT_OURS, Standing.NOT_OURS),
    ],
)
def test_cra_binds_by_the_role_and_class_of_a_product(products, manufacturer, steward):
    story = Story()
    scope(story, products=products)
    at = datetime(2027, 12, 11, tzinfo=UTC)
    assert (standing(story, "cra-13.5", at), standing(story, "cra-24", at)) == (manufacturer, steward)


def test_reports_under_the_cra_bind_a_manufacturer_today():
    story = Story()
    scope(story, products=["manufacturer:important_class_I"])
    assert (standing(story, "cra-14"), standing(story, "cra-14.2.a")) == (Standing.BINDING, Standing.BINDING)


@pytest.mark.parametrize(
    ("role", "expected"),
    [("provider", Standing.BINDING), ("deployer", Standing.BINDING), ("importer", Standing.UNDETERMINED)],
)
def test_literacy_asks_providers_and_deployers_of_any_system(role, expected):
    story = Story()
    scope(story, systems=["s1"])
    system(story, "s1", role=role, **{"class": "minimal"})
    assert standing(story, "ai-4") is expected


def test_two_points_of_article_5_are_upcoming():
    story = Story()
    scope(story, systems=["s1"])
    system(story, "s1", role="provider", **{"class": "minimal"})
    assert [duty(story, name).applies_from for name in ("ai-5", "ai-5.1.ba")] == [date(2025, 2, 2), date(2026, 12, 2)]
    assert standing(story, "ai-5.1.ba") is Standing.UPCOMING


@pytest.mark.parametrize("jurisdiction", [None, "US", 5])
def test_a_jurisdiction_without_an_act_is_not_guessed(jurisdiction):
    story = Story()
    scope(story, jurisdiction=jurisdiction)
    found = duty(story, "nis2-21.2.h")
    assert found.standing is Standing.UNDETERMINED
    assert duties.may_bind(found, story.now)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"binds2690": False}, Standing.NOT_OURS),
        ({"binds2690": False, "category": "registration_only"}, Standing.BINDING),
        ({"binds2690": True}, Standing.UNDETERMINED),
    ],
)
def test_the_registry_of_enisa_leaves_trust_services_out(claims, expected):
    story = Story()
    scope(story, **claims)
    assert standing(story, "nis2-27") is expected


@pytest.mark.parametrize(
    ("kind", "start"), [("high_risk_annex_III", date(2027, 12, 2)), ("high_risk_annex_I", date(2028, 8, 2))]
)
def test_high_risk_duties_are_upcoming_for_the_provider(kind, start):
    story = Story()
    scope(story, systems=["s1"])
    system(story, "s1", role="provider", **{"class": kind})
    found = duty(story, "ai-15.5")
    assert (found.standing, found.applies_from) == (Standing.UPCOMING, start)
    assert standing(story, "ai-15.5", duties.day(start)) is Standing.BINDING
    assert standing(story, "ai-26.2") is Standing.UNDETERMINED  # the statement names one role of perhaps several


def test_the_earliest_system_decides():
    story = Story()
    scope(story, systems=["s1", "s2"])
    system(story, "s1", role="provider", **{"class": "high_risk_annex_I"})
    system(story, "s2", role="provider", **{"class": "high_risk_annex_III"})
    assert duty(story, "ai-18").applies_from == date(2027, 12, 2)


def test_a_transition_date_of_the_classification_is_later_never_earlier():
    story = Story()
    scope(story, systems=["s1"])
    gpai = {"role": "provider", "class": "gpai"}
    system(story, "s1", **gpai, appliesFrom="2027-08-02")
    assert duty(story, "ai-53.1.c-d").applies_from == date(2027, 8, 2)
    system(story, "s1", **gpai, appliesFrom="2020-01-01")
    assert duty(story, "ai-53.1.c-d").applies_from == date(2025, 8, 2)
    system(story, "s1", **gpai, appliesFrom="soon")
    assert duty(story, "ai-53.1.c-d").standing is Standing.BINDING


def test_a_change_of_role_changes_what_applies():
    story = Story()
    scope(story, systems=["s1"])
    system(story, "s1", role="provider", **{"class": "high_risk_annex_III"})
    before = {name: standing(story, name) for name in ("ai-10.2", "ai-26.2")}
    system(story, "s1", role="deployer", **{"class": "high_risk_annex_III"})
    after = {name: standing(story, name) for name in ("ai-10.2", "ai-26.2")}
    assert before == {"ai-10.2": Standing.UPCOMING, "ai-26.2": Standing.UNDETERMINED}
    assert after == {"ai-10.2": Standing.UNDETERMINED, "ai-26.2": Standing.UPCOMING}


@pytest.mark.parametrize(
    ("kind", "high_risk", "transparency", "prohibited"),
    [
        ("minimal", Standing.NOT_OURS, Standing.NOT_OURS, Standing.BINDING),
        ("transparency", Standing.NOT_OURS, Standing.BINDING, Standing.BINDING),
        ("gpai", Standing.NOT_OURS, Standing.UNDETERMINED, Standing.BINDING),
        ("high_risk_annex_I_section_B", Standing.NOT_OURS, Standing.UNDETERMINED, Standing.BINDING),
        ("high_risk_annex_III", Standing.UPCOMING, Standing.UNDETERMINED, Standing.BINDING),
        ("out_of_scope", Standing.NOT_OURS, Standing.NOT_OURS, Standing.NOT_OURS),
        ("undetermined", Standing.UNDETERMINED, Standing.UNDETERMINED, Standing.UNDETERMINED),
        ("made_up", Standing.UNDETERMINED, Standing.UNDETERMINED, Standing.UNDETERMINED),
        (["minimal"], Standing.UNDETERMINED, Standing.UNDETERMINED, Standing.UNDETERMINED),
    ],
)
def test_the_gravest_class_excludes_graver_ones_only(kind, high_risk, transparency, prohibited):
    story = Story()
    scope(story, systems=["s1"])
    system(story, "s1", role="provider", **{"class": kind})
    found = [standing(story, name) for name in ("ai-15.5", "ai-50", "ai-5")]
    assert found == [high_risk, transparency, prohibited]


def test_systems_without_a_classification_leave_it_undetermined():
    story = Story()
    scope(story, systems=["s1", "s2"])
    system(story, "s1", role="deployer", **{"class": "minimal"})
    assert standing(story, "ai-15.5") is Standing.UNDETERMINED
    assert standing(story, "ai-5") is Standing.BINDING
    scope(story, systems=None)
    assert standing(story, "ai-5") is Standing.UNDETERMINED
    scope(story, systems=[])
    assert standing(story, "ai-5") is Standing.NOT_OURS


def test_what_the_scope_does_not_say_stays_undetermined_and_what_applies_later_is_upcoming():
    story = Story()
    scope(story)
    assert standing(story, "gdpr-32") is Standing.UNDETERMINED
    assert standing(story, "cra-i.i.2.e") is Standing.UPCOMING
    assert standing(story, "cra-i.i.2.e", datetime(2027, 12, 11, tzinfo=UTC)) is Standing.UNDETERMINED
    assert standing(story, "ai-49") is Standing.UNDETERMINED


def test_a_scope_by_an_untrusted_hand_determines_nothing():
    story = Story()
    story.add(ENTITY.evidence, meeting(ENTITY) | IMPORTANT, role=min(CATALOG.requirements["sec-04.lifecycle"].issuers))
    assert standing(story, "nis2-21.2.h") is Standing.UNDETERMINED


def test_an_impact_assessment_is_asked_of_some_deployers_only():
    story = Story()
    scope(story, systems=["s1"])
    system(story, "s1", role="deployer", **{"class": "high_risk_annex_III"})
    at = datetime(2027, 12, 2, tzinfo=UTC)
    found = duty(story, "ai-27", at)
    assert (found.standing, found.applies_from) == (Standing.UNDETERMINED, date(2027, 12, 2))
    assert standing(story, "ai-26.2", at) is Standing.BINDING


def _binding(story, at):
    return {name for name in CATALOG.obligations if standing(story, name, at) is Standing.BINDING}


@pytest.mark.parametrize(
    ("before", "after", "lost", "won"),
    [
        ({"role": "provider"}, {"role": "deployer"}, "ai-9", "ai-26.2"),
        ({"category": "essential"}, {"category": "important"}, "nis2-32", "nis2-33"),
        ({"category": "important"}, {"category": "out_of_scope", "binds2690": False}, "nis2-21.2.g", None),
    ],
)
def test_another_role_is_another_set_of_duties(before, after, lost, won):
    at = datetime(2027, 12, 2, tzinfo=UTC)

    def bound(claims):
        story, given = Story(), dict(claims)
        role = given.pop("role", "provider")
        scope(story, systems=["s1"], **given)
        system(story, "s1", role=role, **{"class": "high_risk_annex_III"})
        return _binding(story, at)

    first, second = bound(before), bound(after)
    assert lost in first - second
    assert won is None or won in second - first


@pytest.mark.parametrize("name", ["nis2-20.1", "nis2-21.2.h", "nis2-23.4"])
def test_an_undetermined_category_is_no_way_out(name):
    story = Story()
    scope(story, category="undetermined")
    assert standing(story, name) is Standing.UNDETERMINED


@pytest.mark.parametrize(
    ("jurisdiction", "expected"),
    [
        ("ES", Standing.UPCOMING),
        ("FR", Standing.UNDETERMINED),  # the stored sources end before the outcome of its bill
        ("ES,FR", Standing.UNDETERMINED),
        ("DE,ES,FR", Standing.BINDING),
        ("ES,IE", Standing.UPCOMING),
        ("DE,US", Standing.UNDETERMINED),
        ("none", Standing.UNDETERMINED),
    ],
)
def test_several_member_states_are_joined_as_the_scope_joins_them(jurisdiction, expected):
    story = Story()
    scope(story, jurisdiction=jurisdiction)
    assert standing(story, "nis2-21.2.h") is expected


def test_an_act_to_come_does_not_settle_what_another_state_leaves_open():
    story = Story(start=datetime(2026, 9, 1, tzinfo=UTC))  # a month before the Austrian act
    scope(story, jurisdiction="AT,FR")
    assert standing(story, "nis2-21.2.h") is Standing.UNDETERMINED
    scope(story, jurisdiction="AT,ES")
    assert standing(story, "nis2-21.2.h") is Standing.UPCOMING


def test_2024_2690_is_upcoming_where_it_concerns_the_entity_and_no_act_is_in_force():
    story = Story()
    scope(story, jurisdiction="ES", binds2690=False, concerns2690=True)
    assert standing(story, "ir2690-9") is Standing.UPCOMING
    scope(story, jurisdiction="ES", binds2690=False, concerns2690=False)
    assert standing(story, "ir2690-9") is Standing.NOT_OURS


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["cloud_computing_service_provider"], Standing.BINDING),
        (["cloud_computing_service_provider", "managed_service_provider"], Standing.BINDING),
        (["qualified_trust_service_provider"], Standing.NOT_OURS),
        (["qualified_trust_service_provider", "trust_service_provider"], Standing.NOT_OURS),
        (["cloud_computing_service_provider", "trust_service_provider"], Standing.UNDETERMINED),
        ([], Standing.UNDETERMINED),
    ],
)
def test_the_registry_goes_by_the_types_that_were_signed(types, expected):
    story = Story()
    scope(story, entityTypes=types)
    assert standing(story, "nis2-27") is expected


def test_systems_that_nobody_listed_are_not_none():
    story = Story()
    scope(story, systems=[], undetermined=["ai_systems"])
    assert standing(story, "ai-5") is Standing.UNDETERMINED
    scope(story, systems=[], undetermined=["customers"])
    assert standing(story, "ai-5") is Standing.NOT_OURS


def test_where_every_role_is_named_the_duties_of_others_are_not_ours():
    story = Story()
    scope(story, systems=["s1"])
    high = {"role": "deployer", "class": "high_risk_annex_III", "appliesFrom": "2027-12-02"}
    system(story, "s1", **high, roles=["deployer:high_risk_annex_III"])
    assert (standing(story, "ai-10.2"), standing(story, "ai-26.2")) == (Standing.NOT_OURS, Standing.UPCOMING)
    assert standing(story, "ai-50") is Standing.NOT_OURS
    system(story, "s1", **high, roles=["deployer:high_risk_annex_III", "provider:transparency"])
    assert standing(story, "ai-50") is Standing.BINDING
    assert standing(story, "ai-10.2") is Standing.NOT_OURS
    for unfit in (["deployer:undetermined"], ["deployer"], [], "deployer:high_risk_annex_III", [5]):
        system(story, "s1", **high, roles=unfit)
        assert standing(story, "ai-10.2") is Standing.UNDETERMINED
