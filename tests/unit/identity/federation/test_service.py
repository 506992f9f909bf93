"""A hostile provider: whatever it answers, nobody is let in but whom a right token names."""

import dataclasses
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from ringfence.identity.federation.model import LOGIN_LIFE, MAX_PENDING, Client, Metadata
from ringfence.identity.federation.service import Return
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    Unauthenticated,
    Unavailable,
    VerificationFailed,
)
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.testing.home import TENANT

ISSUER = "https://id.example"
CLIENT = Client(ISSUER, "ringfence", "http://localhost:8400/login/oidc/callback", "s")
KEY = RSAKey.generate_key(2048, parameters={"kid": "one"}, private=True)
FRESH = RSAKey.generate_key(2048, parameters={"kid": "two"}, private=True)


@dataclasses.dataclass
class Hostile:
    """A provider that answers as a test wants."""

    clock: object
    nonce: str = ""
    claims: dict = dataclasses.field(default_factory=dict)
    key: RSAKey = dataclasses.field(default_factory=lambda: KEY)
    published: list = dataclasses.field(default_factory=lambda: [KEY])
    afterwards: list = dataclasses.field(default_factory=list)
    names_itself: bool = False
    error: Exception | None = None
    asked_fresh: int = 0
    verifiers: list = dataclasses.field(default_factory=list)

    def metadata(self):
        return Metadata(ISSUER, f"{ISSUER}/a", f"{ISSUER}/t", f"{ISSUER}/k", self.names_itself)

    def keys(self, *, fresh=False):
        self.asked_fresh += fresh
        return [key.as_dict(private=False) for key in (self.afterwards or self.published if fresh else self.published)]

    def exchange(self, code, verifier):
        assert code == "code"
        self.verifiers.append(verifier)
        if self.error:
            raise self.error
        now = int(self.clock.now().timestamp())
        told = {"iss": ISSUER, "sub": "ada", "aud": "ringfence", "exp": now + 60, "iat": now, "nonce": self.nonce}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, told | self.claims, self.key)


@pytest.fixture
def hostile(clock):
    return Hostile(clock)


@pytest.fixture
def federation(services, hostile, home):
    made = dataclasses.replace(services.access.federation, configured=lambda: CLIENT, provider=hostile)
    made.link(home.actor(), home.people[Role.AUDITOR].id, ISSUER, "ada")
    return made


def left(federation, hostile, tenant=TENANT):
    departure = federation.depart(tenant)
    query = dict(parse_qsl(urlsplit(departure.address).query))
    hostile.nonce = query["nonce"]
    return departure.secret, query


def arrive(federation, hostile, *, issuer="", **changes):
    secret, query = left(federation, hostile)
    for name, value in changes.items():
        setattr(hostile, name, value)
    return federation.arrive(Return(query["state"], "code", issuer), secret)


def test_a_right_token_is_the_person(federation, hostile, home):
    assert arrive(federation, hostile).id == home.people[Role.AUDITOR].id


def test_state_nonce_and_challenge_tell_nothing_of_each_other(federation, hostile):
    secret, query = left(federation, hostile)
    federation.arrive(Return(query["state"], "code", ""), secret)
    told = {query["state"], query["nonce"], query["code_challenge"], secret, hostile.verifiers[0]}
    assert len(told) == 5
    assert (query["code_challenge_method"], query["response_type"], query["scope"]) == ("S256", "code", "openid")


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"claims": {"aud": "other"}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"exp": 1}},
        {"claims": {"sub": "eve"}},
        {"claims": {"azp": "other"}},
        {"key": FRESH},  # swapped for one that was never published
        {"error": VerificationFailed("refused")},
        {"error": MalformedInput("no token")},
    ],
)
def test_whatever_is_wrong_lets_nobody_in(federation, hostile, changes):
    with pytest.raises(Unauthenticated):
        arrive(federation, hostile, **changes)


def test_keys_that_were_changed_are_fetched_again_once(federation, hostile):
    assert arrive(federation, hostile, key=FRESH, afterwards=[FRESH])
    assert hostile.asked_fresh == 1


def test_a_provider_that_is_away_is_no_verdict(federation, hostile):
    with pytest.raises(Unavailable):
        arrive(federation, hostile, error=Unavailable("away"))


@pytest.mark.parametrize(
    ("names", "issuer"), [(True, ""), (True, "https://evil.example"), (False, "https://evil.example")]
)
def test_a_mixed_up_answer_is_refused_before_the_code_is_used(federation, hostile, names, issuer):
    with pytest.raises(Unauthenticated, match="another identity provider"):
        arrive(federation, hostile, issuer=issuer, names_itself=names)
    assert hostile.verifiers == []


def test_a_login_is_used_once_even_where_it_failed(federation, hostile):
    secret, query = left(federation, hostile)
    back = Return(query["state"], "", "", "access_denied")
    with pytest.raises(Unauthenticated, match="did not let you in"):
        federation.arrive(back, secret)
    with pytest.raises(Unauthenticated, match="used already"):
        federation.arrive(Return(query["state"], "code", ""), secret)


def test_a_login_ends(federation, hostile, clock):
    secret, query = left(federation, hostile)
    clock.advance(LOGIN_LIFE)
    with pytest.raises(Unauthenticated, match="has ended"):
        federation.arrive(Return(query["state"], "code", ""), secret)


@pytest.mark.parametrize("secret", ["", "another"])
def test_another_browser_ends_no_login(federation, hostile, secret):
    _, query = left(federation, hostile)
    with pytest.raises(Unauthenticated, match="no login of this browser"):
        federation.arrive(Return(query["state"], "code", ""), secret)


def test_what_is_kept_of_a_login_opens_nothing(home, federation, hostile):
    secret, query = left(federation, hostile)
    kept = home.stored()
    for told in (secret, query["state"], query["nonce"]):
        assert told.encode() not in kept


def test_begun_logins_are_bounded(services, federation, hostile):
    assert MAX_PENDING <= 1000
    first, query = left(federation, hostile)
    federation.clock.advance(timedelta(milliseconds=1))
    with services.database.transaction():
        federation.aliases.forget_logins(federation.clock.now() - timedelta(days=1), 0)
    with pytest.raises(Unauthenticated, match="has ended"):
        federation.arrive(Return(query["state"], "code", ""), first)


def test_only_people_of_the_tenant_are_linked(federation, home):
    with pytest.raises(NotFound):
        federation.link(home.actor(), PersonId("person-ffffffffffff"), ISSUER, "bob")
    with pytest.raises(Conflict):
        federation.link(home.actor(), home.people[Role.ENGINEER].id, ISSUER, "ada")
    with pytest.raises(NotFound):
        federation.unlink(home.actor(), ISSUER, "bob")


@dataclasses.dataclass
class Overtaken:
    """Aliases of which another request takes one away, once somebody has looked at it."""

    real: object

    def whose(self, *named):
        found = self.real.whose(*named)
        with self.real.database.transaction():
            self.real.unlink(*named)
        return found

    def unlink(self, *named):
        return self.real.unlink(*named)


def test_of_two_who_unlink_at_once_one_states_it(services, federation, home):
    overtaken = dataclasses.replace(federation, aliases=Overtaken(federation.aliases))
    with pytest.raises(NotFound):
        overtaken.unlink(home.actor(), ISSUER, "ada")
    assert services.ledger.statements(TENANT)[-1].envelope.statement.predicate == "person.linked"


def test_linking_is_stated_without_the_name(services, federation, home):
    federation.unlink(home.actor(), ISSUER, "ada")
    stated = [one.envelope for one in services.ledger.statements(TENANT)][-2:]
    assert [one.statement.predicate for one in stated] == ["person.linked", "person.unlinked"]
    assert all(b"id.example" not in one.data for one in stated)


def test_another_tenants_login_finds_nobody(federation, hostile):
    secret, query = left(federation, hostile, Tenant("other"))
    with pytest.raises(Unauthenticated, match="nobody is enrolled"):
        federation.arrive(Return(query["state"], "code", ""), secret)


def test_without_a_provider_nothing_is_offered(federation):
    none = dataclasses.replace(federation, configured=lambda: None)
    assert (federation.offered, none.offered) == (True, False)
    with pytest.raises(NotFound):
        none.depart(TENANT)
