"""Leave for the provider, come back, and be the person whom the provider's subject means here.

The browser holds one secret per login, in a cookie. State, nonce and PKCE verifier are derived from it, and what is
kept here is a hash: another browser cannot end the login, and neither the database nor the address tells the verifier.
"""

import base64
import hmac
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ringfence.identity.federation import idtoken
from ringfence.identity.federation.model import LOGIN_LIFE, MAX_PENDING, Alias, Client, checked_name
from ringfence.identity.federation.ports import Aliases, Provider
from ringfence.identity.federation.statements import alias_linked, alias_unlinked
from ringfence.identity.model import PersonRecord
from ringfence.identity.ports import People, Revocations
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, RingfenceError, Unauthenticated, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PersonId, Tenant

_STRANGER = "the identity provider knows you, and nobody is enrolled here under that name; ask an owner to link you"


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the secret that it takes along in a cookie."""

    address: str
    secret: str


@dataclass(frozen=True, slots=True)
class Return:
    """What the browser brings back."""

    state: str
    code: str
    issuer: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Federation:
    """The use cases of signing in elsewhere."""

    configured: Callable[[], Client | None]
    provider: Provider
    aliases: Aliases
    people: People
    revocations: Revocations
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    token: Callable[[], str]

    @property
    def offered(self) -> bool:
        """Return whether a provider is configured."""
        return self.configured() is not None

    def depart(self, tenant: Tenant) -> Departure:
        """Begin a login at the provider; it says nothing about whether there is such a tenant."""
        client, metadata = self._client(), self.provider.metadata()
        secret, now = self.token(), self.clock.now()
        with self.transaction():
            self.aliases.forget_logins(now, MAX_PENDING - 1)
            self.aliases.begin(_hash(secret), tenant, now + LOGIN_LIFE)
        address = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=client.client_id,
            response_type="code",
            redirect_uri=client.redirect_uri,
            scope="openid",
            state=_derived(secret, "state"),
            nonce=_derived(secret, "nonce"),
            code_challenge=create_s256_code_challenge(_derived(secret, "verifier")),
            code_challenge_method="S256",
        )
        return Departure(str(address), secret)

    def arrive(self, back: Return, secret: str) -> PersonRecord:
        """Return whom the provider vouches for.

        Raises:
            Unauthenticated: not this browser's login, over, used before, or not known here.
        """
        client = self._client()
        if not secret or not hmac.compare_digest(_derived(secret, "state").encode(), back.state.encode()):
            raise Unauthenticated("this answer belongs to no login of this browser; begin again")
        with self.transaction():
            tenant = self.aliases.take(_hash(secret), self.clock.now())
        if tenant is None:
            raise Unauthenticated("this login has ended or was used already; begin again")
        self._check_mix_up(back, client)
        if back.error or not back.code:
            raise Unauthenticated("the identity provider did not let you in")
        return self._whose(tenant, client.issuer, self._subject(client, back.code, secret))

    def link(self, by: Person, person: PersonId, source: str, subject: str) -> Acknowledgement:
        """Let a source's subject mean a person of the tenant."""
        alias = Alias(
            by.tenant,
            checked_name(source, "a source"),
            checked_name(subject, "a subject"),
            person,
            self.clock.now(),
        )
        record = self.people.by_id(by.tenant, person)
        if record is None or record.removed_at is not None:
            raise NotFound(f"nobody here is called {person}; see `ringfence user list`")
        with self.transaction():
            self.aliases.link(alias)
            done = self.recorder.record(alias_linked(alias, by), tenant=by.tenant)
        return self.publication.published(done.envelope)

    def unlink(self, by: Person, source: str, subject: str) -> Acknowledgement:
        """Let a source's subject mean nobody."""
        with self.transaction():
            person = self.aliases.whose(by.tenant, source, subject)
            if person is None or not self.aliases.unlink(by.tenant, source, subject):
                raise NotFound("this subject of this source means nobody here")
            alias = Alias(by.tenant, source, subject, person, self.clock.now())
            done = self.recorder.record(alias_unlinked(alias, by), tenant=by.tenant)
        return self.publication.published(done.envelope)

    def _client(self) -> Client:
        client = self.configured()
        if client is None:
            raise NotFound("no identity provider is configured here; see docs/how-to/sign-in-elsewhere.md")
        return client

    def _check_mix_up(self, back: Return, client: Client) -> None:
        expected = self.provider.metadata().names_itself
        if back.issuer != client.issuer and (back.issuer or expected):
            raise Unauthenticated("the answer is of another identity provider than the one that was asked")

    def _subject(self, client: Client, code: str, secret: str) -> str:
        nonce = _derived(secret, "nonce")
        try:
            token = self.provider.exchange(code, _derived(secret, "verifier"))
            try:
                return idtoken.verify(token, self.provider.keys(), client, nonce=nonce, at=self.clock.now())
            except NotFound:  # the provider may have changed its keys since
                keys = self.provider.keys(fresh=True)
                return idtoken.verify(token, keys, client, nonce=nonce, at=self.clock.now())
        except Unavailable:
            raise
        except RingfenceError as error:
            raise Unauthenticated(f"the identity provider's word does not hold: {error}") from error

    def _whose(self, tenant: Tenant, issuer: str, subject: str) -> PersonRecord:
        person = self.aliases.whose(tenant, issuer, subject)
        record = None if person is None else self.people.by_id(tenant, person)
        if record is None or record.removed_at is not None or record.id in self.revocations:
            raise Unauthenticated(_STRANGER)
        return record


def _hash(secret: str) -> bytes:
    return Digest.of(f"login:{secret}".encode()).value


def _derived(secret: str, what: str) -> str:
    made = hmac.digest(secret.encode(), f"urn:ringfence:oidc:{what}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
