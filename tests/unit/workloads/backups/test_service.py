"""A drill is of a backup that was stated; one that fails is recorded too."""

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused
from ringfence.testing.home import TENANT, signed
from ringfence.workloads.backups import statements
from ringfence.workloads.backups.making import Made
from ringfence.workloads.backups.model import Index
from ringfence.workloads.backups.restoring import Restored, Stated

STATED = Stated(Digest.of(b"index"), Digest.of(b"keys"))
MADE = Made(Index("2026-11-20T10:00:00.000Z", ()), STATED.index, STATED.keys, 0)


def said(services, home, draft):
    posted = signed(services, home.people[Role.ENGINEER], draft)
    return services.backups.state(home.actor(Role.ENGINEER), draft.predicate, *posted)


def test_a_drill_of_a_backup_that_nobody_stated_is_not_taken(services, home):
    draft = statements.restored(TENANT, STATED, Restored(failures=("nothing there",)), 0, 60, 60)
    with pytest.raises(Refused, match="nobody stated"):
        said(services, home, draft)
    said(services, home, statements.made(TENANT, MADE, "folder", {"target": "/x"}, off_host=False))
    done = said(services, home, draft)
    found = services.backups.all(TENANT)
    assert [one.envelope.statement.predicate for one in found] == [statements.MADE, statements.RESTORED]
    assert found[-1].entry == done.entry
    assert found[-1].envelope.statement.claims["restored"] is False
