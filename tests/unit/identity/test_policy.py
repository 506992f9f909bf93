import json
from importlib import resources

import cedarpy
import pytest

from ringfence.identity.policy import Policies, attributes_of, shipped
from ringfence.kernel.actor import Assurance, Caller, Level, Person, Role, Service
from ringfence.kernel.errors import InternalError, Refused, StepUpRequired
from ringfence.kernel.identifier import PersonId, Tenant

TENANT = Tenant("main")
OWNER = Person(PersonId("person-0123456789ab"), TENANT, Role.OWNER)


def test_the_digest_names_policies_and_schema():
    schema = "entity Person; entity Tenant; action read appliesTo { principal: Person, resource: Tenant };"
    one = Policies.parse("permit (principal, action, resource);", schema)
    assert one.digest == Policies.parse("permit (principal, action, resource);", schema).digest
    assert one.digest != Policies.parse("permit (principal, action, resource); ", schema).digest
    assert one.digest != shipped().digest


def test_policies_that_do_not_fit_are_never_used():
    with pytest.raises(InternalError):
        Policies.parse('permit (principal, action == Action::"nope", resource);', "entity Person; entity Tenant;")


def test_a_refusal_names_role_and_action():
    with pytest.raises(Refused, match=r"auditor does not permit person\.enrol"):
        shipped().authorise(Person(OWNER.id, TENANT, Role.AUDITOR), "person.enrol", tenant=TENANT)


def test_the_engine_would_permit_where_we_deny():
    """A forbid that reads a missing attribute is skipped by the engine; we take its diagnostic for a denial."""
    text = "permit (principal, action, resource); forbid (principal, action, resource) when { principal.no == 1 };"
    request = {
        "principal": {"type": "Person", "id": OWNER.id},
        "action": {"type": "Action", "id": "read"},
        "resource": {"type": "Tenant", "id": TENANT},
        "context": {},
    }
    assert cedarpy.is_authorized(request, text, []).allowed
    loose = Policies(cedarpy.PolicySet.from_str(text), None, shipped().digest)
    assert not loose.permits(OWNER, "read", tenant=TENANT, attributes={})


# How surely somebody was recognised

OWN = {"passkey.remove", "totp.change", "recovery.issue", "terminal.confirm"}
DANGEROUS = {
    "node.release", "key.issue", "key.revoke", "person.change", "person.remove", "person.reset",
    "service.enrol", "service.revoke", "review.lead", "review.decide", "tenant.add", "ledger.anchor",
    "retention.release", "retention.erase", "retention.sweep", "passkey.sign", "playbook.change", "deployment.change",
    *OWN,
}  # fmt: skip
ORDINARY = {
    "status.read", "statement.add", "node.start", "node.quarantine", "incident.decide", "report.pack", "finding.settle",
}  # fmt: skip
RECOVERING = {"console.read", "passkey.enrol", "session.end"}
FRESH = Assurance(Level.PASSKEY, stepped_up=True, has_passkey=True)


def admitted(action, assurance):
    try:
        shipped().admit(Caller(OWNER, assurance), action)
    except StepUpRequired:
        return False
    return True


@pytest.mark.parametrize("action", sorted(DANGEROUS))
def test_a_dangerous_act_takes_a_fresh_passkey_of_whoever_has_one(action):
    assert admitted(action, FRESH)
    assert admitted(action, Assurance(Level.TOKEN, stepped_up=True, has_passkey=True)) is (action not in OWN)
    for level in Level:
        assert not admitted(action, Assurance(level, has_passkey=True)), level
        first = level in {Level.TOKEN, Level.LINK}
        assert admitted(action, Assurance(level, has_passkey=False)) is first, level


@pytest.mark.parametrize("action", sorted(OWN | {"passkey.enrol"}))
def test_a_code_for_a_terminal_changes_no_way_in(action):
    """Nor gets another code: else five minutes of a passkey last for ever."""
    assert not admitted(action, Assurance(Level.TOKEN, stepped_up=True, has_passkey=True))


@pytest.mark.parametrize("action", sorted(ORDINARY))
def test_ordinary_work_takes_any_way_in_but_a_recovery_code(action):
    for level in Level:
        for has_passkey in (False, True):
            assert admitted(action, Assurance(level, has_passkey=has_passkey)) is (level is not Level.RECOVERY)


@pytest.mark.parametrize("action", sorted(RECOVERING | ORDINARY | DANGEROUS))
def test_a_recovery_code_is_good_for_a_new_passkey_only(action):
    assert admitted(action, Assurance(Level.RECOVERY, has_passkey=True)) is (action in RECOVERING)


def test_another_passkey_takes_one_that_is_there_or_a_recovery_code():
    """Else whoever steals a token, or a code of an app, enrols a passkey of their own."""
    allowed = {
        (level, has_passkey)
        for level in Level
        for has_passkey in (False, True)
        if admitted("passkey.enrol", Assurance(level, has_passkey=has_passkey))
    }
    assert allowed == {
        (Level.TOKEN, False), (Level.LINK, False), (Level.RECOVERY, False), (Level.RECOVERY, True)
    }  # fmt: skip
    assert admitted("passkey.enrol", FRESH)


def test_a_code_of_an_app_makes_no_link_that_would_be_worth_more():
    refused = {level for level in Level if not admitted("link.issue", Assurance(level))}
    assert refused == {Level.TOTP, Level.OIDC, Level.RECOVERY}


@pytest.mark.parametrize("missing", ["level", "steppedUp", "hasPasskey"])
@pytest.mark.parametrize("action", ["node.release", "passkey.enrol", "link.issue", "status.read"])
def test_a_missing_part_of_the_context_is_a_denial_although_the_engine_skips_the_forbid(action, missing):
    answer = shipped().answer(
        OWNER, action, tenant=TENANT, attributes=attributes_of(OWNER), assurance=FRESH, without=missing
    )
    assert answer is None or not answer.allowed or answer.diagnostics.errors


def test_the_sentence_says_what_to_do():
    words = {}
    for level in Level:
        with pytest.raises(StepUpRequired) as refused:
            shipped().admit(Caller(OWNER, Assurance(level, has_passkey=True)), "node.release")
        words[level] = str(refused.value)
    assert "RINGFENCE_CONFIRMATION" in words[Level.TOKEN]
    assert "Your sign-in" in words[Level.PASSKEY]
    assert "enrol a new passkey" in words[Level.RECOVERY]


def test_whom_the_role_refuses_no_passkey_helps():
    auditor = Person(OWNER.id, TENANT, Role.AUDITOR)
    with pytest.raises(Refused, match="role auditor") as refused:
        shipped().admit(Caller(auditor, FRESH), "person.enrol")
    assert not isinstance(refused.value, StepUpRequired)


# Every forbid of the shipped policies, with each attribute that it reads taken away: the engine then skips it.


def _read(node):
    """Return the attributes of principal and context that an expression reads, as (variable, attribute)."""
    if isinstance(node, dict):
        match node:
            case {".": {"left": {"Var": str() as variable}, "attr": str() as name}}:
                return {(variable, name)}
        return set().union(set(), *(_read(value) for value in node.values()))
    return set().union(set(), *(_read(value) for value in node)) if isinstance(node, list) else set()


def _forbids():
    text = (resources.files("ringfence.identity") / "data" / "roles.cedar").read_text(encoding="utf-8")
    policies = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"].values()
    return {policy["annotations"]["id"]: policy for policy in policies if policy["effect"] == "forbid"}


FORBIDS = _forbids()
MISSING = [(name, *read) for name, policy in FORBIDS.items() for read in sorted(_read(policy["conditions"]))]


@pytest.mark.parametrize(("forbid", "variable", "name"), MISSING)
def test_a_forbid_that_cannot_be_judged_is_a_denial(forbid, variable, name):
    """Cedar itself goes on without such a rule; by the schema, or by the diagnostic, nobody is let in."""
    service = Service(PersonId("service-0123456789ab"), TENANT, Role.OWNER, frozenset({"event.ingest"}))
    tried = 0
    for person in (OWNER, service):
        if (variable, name) == ("principal", "scope") and person is OWNER:
            continue
        given = {key: value for key, value in attributes_of(person).items() if (variable, key) != ("principal", name)}
        for action in ("event.ingest", "person.remove", "passkey.enrol", "status.read"):
            if shipped().allows(person, action):
                left_out = name if variable == "context" else ""
                answer = shipped().answer(person, action, tenant=TENANT, attributes=given, without=left_out)
                assert not (answer and answer.allowed and not answer.diagnostics.errors), (forbid, action)
                tried += 1
    assert tried


def test_every_rule_has_a_name_and_refusals_tell_it():
    text = (resources.files("ringfence.identity") / "data" / "roles.cedar").read_text(encoding="utf-8")
    policies = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"].values()
    names = [policy["annotations"].get("id") for policy in policies]
    assert None not in names
    assert len(set(names)) == len(names)
    assert len(MISSING) >= len(FORBIDS) >= 2
    with pytest.raises(Refused, match="nobody-leaves-their-tenant"):
        shipped().authorise(OWNER, "status.read", tenant=Tenant("other"))


@pytest.mark.parametrize("action", ["person.remove", "node.release", "statement.add", "incident.decide", "link.issue"])
def test_what_a_statement_attributes_to_somebody_takes_a_person(action):
    service = Service(PersonId("service-0123456789ab"), TENANT, Role.OWNER, frozenset({action}))
    assert shipped().allows(OWNER, action)
    assert not shipped().allows(service, action)
