from datetime import timedelta

from ringfence.kernel.digest import Digest
from ringfence.obligations.comparing.versions import versions
from ringfence.testing.obligations import Story

OURS, SHIPPED, OLD, OLDER = (Digest.of(name.encode()) for name in ("ours", "shipped", "old", "older"))


def told(*named):
    story = Story()
    for value in named:
        story.add("opinion.given", {} if value is None else {"rulesDigest": value})
        story.wait(timedelta(days=1))
    return story.statements


def test_what_counts_and_what_ships_come_first_then_what_was_named_last():
    found = versions(OURS, SHIPPED, told(str(OLDER), str(OLD), str(OLD), str(OURS)))
    assert [one.digest for one in found] == [OURS, SHIPPED, OLD, OLDER]
    assert [(one.counts, one.ships, one.count) for one in found] == [
        (True, False, 1),
        (False, True, 0),
        (False, False, 2),
        (False, False, 1),
    ]
    assert (found[2].first.entry, found[2].last.entry) == (1, 2)
    assert found[1].first is None


def test_rules_without_overrides_are_one_version():
    (found,) = versions(SHIPPED, SHIPPED, [])
    assert (found.counts, found.ships, found.last) == (True, True, None)


def test_what_is_no_digest_names_no_version():
    assert len(versions(OURS, OURS, told(None, "rules", 7, str(OURS)[:-1]))) == 1
