from starlette.requests import Request
from starlette.responses import Response

from ringfence.identity.entry import vouched
from ringfence.identity.signin.lockout import ASKED
from ringfence.kernel.actor import Level, Role
from ringfence.testing.home import TENANT


def test_whom_a_provider_vouched_for_gets_a_session_of_that_level(services, home):
    record = services.identity.people.by_id(TENANT, home.people[Role.AUDITOR].id)
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": [], "query_string": b""}
    answer = vouched(services.signin)(Request(scope), record, Response())
    secret = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    caller = services.signin.sessions.caller(secret)
    assert caller.person.id == record.id
    assert (caller.assurance.level, caller.assurance.stepped_up) == (Level.OIDC, False)


def test_a_place_that_only_leaves_for_the_provider_is_slowed_down(services, home):
    """Each leaving is kept for minutes, and the oldest are dropped: others would never come back in time."""
    with home.http(services, role=None) as http:
        codes = [http.get("/login/oidc").status_code for _ in range(ASKED.free + 1)]
    assert codes == [404] * ASKED.free + [429]
