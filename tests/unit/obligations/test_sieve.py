from dataclasses import replace
from datetime import timedelta

from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import Standing
from ringfence.obligations import catalog
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason
from ringfence.obligations.sieve import MAX_IGNORED, Sieve, signer, support
from ringfence.testing.obligations import Story, issuer_of

RULE = catalog.load().requirements["dat-01.verified"]


def sieve(story, at=None, requirement=RULE):
    return Sieve(requirement, Records.of(story.tenant, story.statements), at or story.now)


def test_the_newest_that_counts_is_found_past_those_that_do_not():
    story = Story()
    good = story.add(RULE.evidence, {})
    story.add(RULE.evidence, {}, strength=Strength.DOCUMENTED)
    story.add(RULE.evidence, {}, role=KeyRole.CONTROL_PLANE)
    story.add(RULE.evidence, {}, standing=Standing.REVOKED)
    assert sieve(story).newest() is good
    ignored, total = sieve(story).ignored()
    assert total == 3
    assert [(i.entry, i.why) for i in ignored] == [
        (3, "its key was revoked when the log took it in"),
        (2, "a key of the role control-plane may not state it"),
        (1, "it is documented; observed is asked"),
    ]


def test_what_something_newer_replaced_is_not_told_again():
    story = Story()
    story.add(RULE.evidence, {}, strength=Strength.DOCUMENTED)
    story.add(RULE.evidence, {})
    assert sieve(story).ignored() == ((), 0)


def test_distrusted_statements_are_told_even_where_something_newer_counts():
    story = Story()
    story.add(RULE.evidence, {}, standing=Standing.EXPIRED)
    story.add(RULE.evidence, {})
    assert [i.entry for i in sieve(story).ignored()[0]] == [0]


def test_the_list_of_the_ignored_is_bounded_and_its_total_is_told():
    story = Story()
    for _ in range(MAX_IGNORED + 5):
        story.add(RULE.evidence, {}, standing=Standing.UNKNOWN)
    ignored, total = sieve(story).ignored()
    assert (len(ignored), total) == (MAX_IGNORED, MAX_IGNORED + 5)
    assert ignored[0].entry == MAX_IGNORED + 4


def test_a_version_is_told_apart_by_its_digest():
    story = Story()
    old = story.add(RULE.evidence, {}, subject="dataset/a", version=1)
    new = story.add(RULE.evidence, {}, subject="dataset/a", version=2)
    found = sieve(story)
    digests = [s.envelope.statement.subjects[0].digest for s in (old, new)]
    assert found.newest("dataset/a") is new
    assert found.newest("dataset/a", digests[0]) is old
    assert found.newest("dataset/b") is None
    assert found.subjects() == ["dataset/a"]


def test_nothing_is_seen_before_the_log_took_it_in():
    story = Story()
    first = story.add(RULE.evidence, {})
    story.wait(timedelta(days=9))
    story.add(RULE.evidence, {}, issued_at=first.recorded_at - timedelta(days=3))
    assert sieve(story, at=story.now - timedelta(seconds=1)).newest() is first
    assert sieve(story).newest() is not first
    assert sieve(story, at=first.recorded_at - timedelta(seconds=1)).every() == []


def test_a_shortfall_tells_the_kind_of_lack():
    story = Story()
    assert sieve(story).shortfall(None, None) is None
    story.add(RULE.evidence, {}, subject="dataset/a", standing=Standing.UNKNOWN)
    assert sieve(story).shortfall("dataset/a", None)[0] is Reason.UNTRUSTED
    assert sieve(story).shortfall("dataset/b", None) is None
    story.add(RULE.evidence, {}, subject="dataset/a", strength=Strength.DECLARED)
    assert sieve(story).shortfall("dataset/a", None)[0] is Reason.TOO_WEAK


def test_a_stronger_statement_is_strong_enough():
    story = Story()
    good = story.add(RULE.evidence, {}, strength=Strength.OBSERVED)
    assert sieve(story, requirement=replace(RULE, strength=Strength.DOCUMENTED)).newest() is good
    assert sieve(story, requirement=replace(RULE, strength=Strength.COUNTERSIGNED)).newest() is None


def test_support_and_signer_describe_the_statement():
    story = Story()
    logged = story.add(RULE.evidence, {}, subject="dataset/a", late=True)
    told = support(logged)
    assert (told.entry, told.subject, told.late, told.demo) == (0, "dataset/a", True, False)
    assert signer(issuer_of(KeyRole.OPERATOR)).custody == "file-passphrase"


def test_what_software_attested_does_for_attested_in_demo_tenants_only():
    asks = replace(RULE, strength=Strength.ATTESTED, issuers=frozenset({KeyRole.CONTROL_PLANE}))
    for demo in (True, False):
        story = Story(demo=demo)
        story.add(RULE.evidence, {}, role=KeyRole.CONTROL_PLANE, strength=Strength.OBSERVED)
        lab = story.add(RULE.evidence, {}, role=KeyRole.CONTROL_PLANE, strength=Strength.LAB_ATTESTED)
        records = Records.of(story.tenant, story.statements, demo=demo)
        assert Sieve(asks, records, story.now).newest() is (lab if demo else None)
        hardware = story.add(RULE.evidence, {}, role=KeyRole.CONTROL_PLANE, strength=Strength.ATTESTED)
        records = Records.of(story.tenant, story.statements, demo=demo)
        assert Sieve(asks, records, story.now).newest() is hardware


def test_what_software_attested_is_said_to_count_for_nothing_elsewhere():
    asks = replace(RULE, strength=Strength.OBSERVED, issuers=frozenset({KeyRole.CONTROL_PLANE}))
    story = Story()
    story.add(RULE.evidence, {}, role=KeyRole.CONTROL_PLANE, strength=Strength.LAB_ATTESTED)
    found = Sieve(asks, Records.of(story.tenant, story.statements), story.now)
    assert found.newest() is None
    assert "software only" in found.ignored()[0][0].why
