import pytest

from ringfence.customers import share, statements
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound
from ringfence.kernel.statement import Subject
from ringfence.testing.customers import OTHER, OWNER, WANTED, A, B
from ringfence.testing.ledger import TENANT

DEPLOYED = Digest.of(b"nonce of chat")


def about(name, digest=None):
    return (Subject(name, digest or Digest.of(name.encode())),)


def shows(log, catalog, name):
    """Tell whether the newest statement is shown."""
    return share.sharing(name, catalog, log.statements()).shows(log.statements()[-1])


def say(log, subject, claims=None, predicate="lab.observed", digest=None):
    log.state(predicate, claims or {}, subjects=about(subject, digest), by="control")


@pytest.mark.parametrize(
    ("subject", "claims"),
    [
        ("dataset/d1", {}),
        ("node/n-00000001", {"node": "n-00000001"}),
        ("finding/f-1", {"node": "n-00000001"}),
        ("apikey/k-1", {"deployments": ["chat"]}),
        ("incident/i-1", {"customers": [A]}),
        ("run/r-1", {"inputs": [{"dataset": "d1"}]}),
        ("run/r-1", {"inputs": [str(Digest.of(b"dataset/d1"))]}),
    ],
)
def test_what_is_about_their_things_is_shown_to_them_and_to_nobody_else(log, catalog, subject, claims):
    say(log, "dataset/d1")  # so that its digest is known
    say(log, subject, claims)
    assert shows(log, catalog, A)
    assert not shows(log, catalog, B)


@pytest.mark.parametrize(
    ("subject", "claims"),
    [
        ("dataset/d1", {"comparedWith": "dataset/d2"}),
        ("dataset/d1", {"comparedWith": "d2"}),
        ("dataset/d1", {"others": {"dataset/d2": 1}}),
        ("dataset/d1", {"other": Digest.of(b"dataset/d2").hex}),
        ("incident/i-1", {"customers": [A, B]}),
        ("incident/i-1", {"customers": [A, "hospital-of-the-file"]}),
        ("incident/i-1", {"customer": "hospital-of-the-file", "node": "n-00000001"}),
        ("apikey/k-1", {"deployments": ["chat", "score"]}),
        (f"inventory/{TENANT}", {"nodes": ["n-00000001"]}),
        ("segment/1", {"records": 7}),
        ("run/r-1", {"inputs": ["nobodys"]}),
    ],
)
def test_what_names_another_or_the_whole_tenant_is_shown_to_nobody(log, catalog, subject, claims):
    say(log, "dataset/d2")
    say(log, subject, claims)
    assert not shows(log, catalog, A)
    assert not shows(log, catalog, B)


def test_another_name_of_the_same_thing_is_that_thing(log, catalog):
    say(log, "deployment/0a0a0a0a", {"deployment": "chat"}, "deployment.attached", DEPLOYED)
    say(log, "dataset/d2", {"servedBy": "deployment/0a0a0a0a"})
    assert not shows(log, catalog, B)
    say(log, "segment/2", {"of": str(DEPLOYED)})
    assert shows(log, catalog, A)


def test_what_two_share_is_shown_to_neither(log, catalog):
    log.state_draft(statements.changed(B, OTHER, ("dataset/d1",), OWNER), by="control")
    say(log, "dataset/d1")
    assert not shows(log, catalog, A)
    assert not shows(log, catalog, B)


def test_there_is_no_share_for_who_is_no_customer(log, catalog):
    with pytest.raises(NotFound):
        share.sharing("customer-cccccccccccc", catalog, log.statements())


def test_the_status_line_names_only_what_is_shown(log, catalog):
    found = share.sharing(A, catalog, log.statements())
    rule = {
        "id": "r",
        "asks": "a",
        "state": "s",
        "reason": None,
        "evidence": "e",
        "strength": "x",
        "weakest_strength": None,
    }
    rule |= {"because": "dataset/d2 is stale", "members": [{"name": "dataset/d2"}], "ignored": []}
    rule |= {"rests_on": [{"entry": 10**6, "subject": "dataset/d2"}]}
    control = dict.fromkeys(("title", "requirement", "state", "reason", "weakest_strength", "keys", "does_not_prove"))
    control |= {"because": "dataset/d2", "requirements": [rule]}
    status = {"as_of": "t", "rules": "r", "tenant": "acme", "demo": False, "anchored_outside_until": None, "counts": {}}
    status["controls"] = [control | {"id": "SUP-02"}, control | {"id": "AIA-01"}]
    made = found.reduced(status)
    assert [one["id"] for one in made["controls"]] == ["SUP-02"]
    assert "d2" not in repr(made)
    assert made["controls"][0]["requirements"][0]["rests_on_others"] == 1


def test_what_was_another_ones_until_it_was_handed_over_stays_that_ones(log, catalog):
    say(log, "dataset/d2")
    before = log.statements()[-1]
    log.state_draft(statements.changed(B, OTHER, (), OWNER), by="control")
    log.state_draft(statements.changed(A, WANTED, ("dataset/d2",), OWNER), by="control")
    say(log, "dataset/d2", {"again": 1})
    found = share.sharing(A, catalog, log.statements())
    assert not found.shows(before)
    assert found.shows(log.statements()[-1])
    assert before.entry not in found.shown


def test_the_teams_own_words_about_its_rules_are_not_handed_out(log, catalog):
    files = [{"name": "team.yaml", "value": {"not_applicable": [{"reason": "as Hospital B asked"}]}}]
    status = {"as_of": "t", "controls": [], "overrides": {"digest": "sha256:00", "rows": 1, "files": files}}
    made = share.sharing(A, catalog, log.statements()).reduced(status)
    assert "Hospital B" not in repr(made)
    assert made["overrides_digest"] == "sha256:00"
