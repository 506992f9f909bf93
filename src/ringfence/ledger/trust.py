"""The trust file: what an outsider needs to hold in order to check everything else, and the root's fingerprint.

It vouches for nothing by itself: compare the fingerprint with one that reached you another way.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ringfence.kernel import digest, identifier
from ringfence.kernel import envelope as dsse
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.ledger import checkpoint, note
from ringfence.ledger.anchors import cosignature, timestamp
from ringfence.ledger.model import OPERATOR, SignedCheckpoint, TimestampAuthority, Trust, Witness
from ringfence.ledger.note import VerifierKey
from ringfence.ledger.succession import keys_of, listed

FORMAT = "urn:ringfence:trust:v1"
FORMAT_2 = "urn:ringfence:trust:v2"  # names witnesses and time-stamping authorities too
MAX_WITNESSES = 64
ROOT_SIZE = 32
MAX_HEADS = 256  # one a day between two yearly audits would already be many; keeps a file below 2 MB
MAX_TRUST = 2 * 2**20
_SPOKEN_DIGITS = 24  # 96 bits: nobody finds a second root key with the same beginning
_SPOKEN_GROUP = 4
_OTHERS = {"witnesses", "timestampAuthorities", "quorum"}
_KINDS = ((FORMAT, set[str]()), (FORMAT_2, _OTHERS), (FORMAT_2, _OTHERS | {"successions"}))
_PARTY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 .-]{0,62}[A-Za-z0-9.])?")


def to_text(trust: Trust) -> str:
    """Print a trust file: of version 1 where it names neither witness nor authority nor succession."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "log": trust.log,
        "root": note.encode_base64(trust.root),
        "logKeys": list(trust.log_keys),
        "heads": list(trust.heads),
    }
    if trust.witnesses or trust.authorities or trust.quorum or trust.successions:
        document |= {
            "format": FORMAT_2,
            "witnesses": [{"vkey": each.vkey, "party": each.party} for each in trust.witnesses],
            "timestampAuthorities": [
                {"certificate": note.encode_base64(each.certificate), "party": each.party} for each in trust.authorities
            ],
            "quorum": trust.quorum,
        }
    if trust.successions:
        document["successions"] = [digest.loads(envelope.data) for envelope in trust.successions]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def parse(data: bytes | str, *, source: str = "") -> Trust:
    """Parse a trust file, or raise `MalformedInput`; the signatures of its heads are not verified."""
    document = digest.loads(data, source=source, limit=MAX_TRUST)
    try:
        return _trust(document)
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error


def open_heads(trust: Trust) -> tuple[SignedCheckpoint, ...]:
    """Return the heads that were kept, smallest first.

    Raises:
        VerificationFailed: one is not signed by both keys of the log, those that sign heads of its size.
    """
    if not trust.heads:
        return ()
    keys = keys_of(trust)
    heads = [keys.open(head) for head in trust.heads]
    return tuple(sorted(heads, key=lambda head: head.checkpoint.size))


def fingerprint(root: bytes) -> str:
    """Return the fingerprint of a raw root key."""
    return str(Digest.of(root))


def spoken_fingerprint(root: bytes) -> str:
    """Return the beginning of the fingerprint, in groups for reading aloud."""
    digits = Digest.of(root).hex[:_SPOKEN_DIGITS]
    return " ".join(digits[at : at + _SPOKEN_GROUP] for at in range(0, len(digits), _SPOKEN_GROUP))


def _trust(document: Any) -> Trust:
    match document:
        case {
            "format": str() as kind,
            "log": str() as log,
            "root": str() as root_text,
            "logKeys": [str() as ed25519, str() as mldsa],
            "heads": list() as heads,
            **others,
        } if (kind, set(others)) in _KINDS:
            origin = identifier.log_origin(log)
        case _:
            raise MalformedInput(
                f"not a trust file: format {FORMAT!r}, log, root, logKeys (two) and heads; or format {FORMAT_2!r}, "
                "with witnesses, timestampAuthorities and quorum too, and successions where its keys were replaced"
            )
    root = note.decode_base64(root_text, "the root key")
    if len(root) != ROOT_SIZE:
        raise MalformedInput(f"the root key has {ROOT_SIZE} bytes")
    checkpoint.parse_log_keys((ed25519, mldsa), origin)
    replaced = map(dsse.parse, listed(others["successions"]) if "successions" in others else ())
    read = Trust(origin, root, (ed25519, mldsa), _heads(heads), successions=tuple(replaced))
    keys = [VerifierKey.parse(vkey) for pair in keys_of(read).pairs for vkey in pair]
    witnesses = _witnesses(others.get("witnesses", []), [key.public_key for key in keys])
    authorities = _authorities(others.get("timestampAuthorities", []))
    quorum = _quorum(others.get("quorum", 0), witnesses)
    return replace(read, witnesses=witnesses, authorities=authorities, quorum=quorum)


def party(text: object) -> str:
    """Parse the name of who runs a witness or an authority; `operator` is the log's own operator."""
    if not isinstance(text, str) or not _PARTY.fullmatch(text):
        raise MalformedInput("a party is `operator` or a name of at most 64 letters, digits, blanks, dots and hyphens")
    if _spoken(text) == OPERATOR and text != OPERATOR:
        raise MalformedInput("the log's own operator is written `operator`; as another party it would count as outside")
    return text


def _spoken(name: str) -> str:
    """Return a name as it sounds: what differs in its writing only is one party."""
    return " ".join(name.casefold().split())


def _witnesses(values: Any, taken: Sequence[bytes]) -> tuple[Witness, ...]:
    """Parse witnesses; one key stands for one party, and the log's own keys witness nothing."""
    if not isinstance(values, list) or len(values) > MAX_WITNESSES:
        raise MalformedInput(f"witnesses are a list of at most {MAX_WITNESSES}")
    known, result = set(taken), []
    for value in values:
        match value:
            case {"vkey": str() as vkey, "party": str() as name, **extra} if not extra:
                key = cosignature.parse_key(vkey)
            case _:
                raise MalformedInput("a witness has a vkey and a party")
        if key.public_key in known:
            raise MalformedInput(f"the key of the witness {key.name} is named twice, or is the log's own")
        known.add(key.public_key)
        result.append(Witness(key.name, vkey, party(name)))
    names = {each.party for each in result}
    if len({_spoken(name) for name in names}) != len(names):
        raise MalformedInput("one party is written in two ways; it would count twice")
    return tuple(result)


def _authorities(values: Any) -> tuple[TimestampAuthority, ...]:
    if not isinstance(values, list) or len(values) > timestamp.MAX_AUTHORITIES:
        raise MalformedInput(f"timestampAuthorities are a list of at most {timestamp.MAX_AUTHORITIES}")
    result: list[TimestampAuthority] = []
    for value in values:
        match value:
            case {"certificate": str() as encoded, "party": str() as name, **extra} if not extra:
                certificate = timestamp.parse_certificate(note.decode_base64(encoded, "the certificate"))
            case _:
                raise MalformedInput("a time-stamping authority has a certificate and a party")
        if certificate in {each.certificate for each in result}:
            raise MalformedInput("a certificate of a time-stamping authority is named twice")
        result.append(TimestampAuthority(certificate, party(name)))
    return tuple(result)


def _quorum(value: Any, witnesses: Sequence[Witness]) -> int:
    others = {each.party for each in witnesses} - {OPERATOR}
    if type(value) is not int or not 0 <= value <= len(others):
        raise MalformedInput("quorum is how many other parties' witnesses are demanded: at most as many as are named")
    return value


def _heads(values: list[Any]) -> tuple[str, ...]:
    if len(values) > MAX_HEADS or not all(isinstance(value, str) for value in values):
        raise MalformedInput(f"heads are at most {MAX_HEADS} checkpoints as text")
    for value in values:
        checkpoint.parse_text(note.parse(value).text)
    return tuple(values)
