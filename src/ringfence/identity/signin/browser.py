"""What a browser posts to sign in, as it is taken apart: strict, bounded, nothing beyond what is read. Pure."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ringfence.identity.signin.ceremony import Answer, decoded
from ringfence.identity.signin.passkeys import NewPasskey

_Short = Annotated[str, Field(max_length=1400, pattern=r"^[A-Za-z0-9_-]*$")]
_Long = Annotated[str, Field(max_length=8192, pattern=r"^[A-Za-z0-9_-]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Enrolling(_Strict):
    """`response` of a new credential."""

    clientDataJSON: _Long  # noqa: N815  # the browser's own names
    attestationObject: _Long  # noqa: N815
    transports: list[Annotated[str, Field(max_length=16)]] = Field(default_factory=list, max_length=8)


class NewCredential(_Strict):
    """A new passkey, and what its owner calls it."""

    id: _Short
    response: Enrolling
    name: str = Field(min_length=1, max_length=64)

    def parsed(self) -> NewPasskey:
        """Return it as the use case takes it."""
        response = {
            "clientDataJSON": self.response.clientDataJSON,
            "attestationObject": self.response.attestationObject,
        }
        credential = {"id": self.id, "rawId": self.id, "type": "public-key", "response": response}
        name = "".join(letter for letter in self.name if letter.isprintable()).strip()
        return NewPasskey(credential, tuple(self.response.transports), name or "passkey")


class Asserting(_Strict):
    """`response` of a credential that signed."""

    clientDataJSON: _Long  # noqa: N815
    authenticatorData: _Short  # noqa: N815
    signature: _Short
    userHandle: _Short | None = None  # noqa: N815


class Asserted(_Strict):
    """A passkey that signed."""

    id: _Short
    response: Asserting

    def parsed(self) -> Answer:
        """Return it as the use case takes it; raise `MalformedInput`."""
        given = self.response
        return Answer(
            credential=decoded(self.id),
            user_handle=decoded(given.userHandle) if given.userHandle else None,
            authenticator_data=decoded(given.authenticatorData),
            client_data=decoded(given.clientDataJSON),
            signature=decoded(given.signature),
        )
