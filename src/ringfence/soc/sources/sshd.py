"""What OpenSSH 7 to 10 writes about logins, and the PAM lines of the same attempts.

User names are whatever a stranger typed: they may contain " from 192.0.2.1 port 22 ssh2". The address is therefore
taken from the end of each message, where sshd itself writes it; a line whose end can be read in two ways names nobody.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ringfence.soc.sources.address import source_of

PROGRAMS = frozenset({"sshd", "sshd-session", "sshd-auth"})
OFFERS = frozenset({"publickey", "none", "hostbased", "gssapi-with-mic"})  # no guesses: clients offer all they have
MAX_REPEATS = 100_000
MAX_USER = 256
_REPEATED = re.compile(r"message repeated (\d{1,9}) times: \[ ?(.*?) ?\]$", re.DOTALL)
_KEY = re.compile(r"ssh2(?:: \S+ (?:SHA256:|SHA384:|SHA512:|MD5:|[0-9a-f]{2}:)\S+)?")
_KEY_WITH_CERTIFICATE = re.compile(r"ssh2: \S+ \S+ ID .* \(serial \d+\) CA \S+ \S+", re.DOTALL)
_PAM = re.compile(r"(?:\(pam_unix\)|pam_\w+\(sshd[\w-]*:auth\):) authentication failure; ")
_PAM_WHO = re.compile(r"(?:^| )ruser= rhost=(\S+)(?: |$)")
_MORE = re.compile(r"PAM (\d{1,6}) more authentication failures?; ")


class Said(NamedTuple):
    """What one message says.

    Attributes:
        code: kind of message; the values stand in docs/specs/events.md.
        method: "password", "publickey", …; empty where the message names none.
        user: as it was typed, cut.
        source: address or host name in one spelling; empty where none can be read for certain.
        is_address: whether the source is an address.
        port: of the source; 0 where the message names none.
        times: how many of these this line stands for.
    """

    code: str
    method: str
    user: str
    source: str
    is_address: bool
    port: int
    times: int = 1


def read(message: str) -> Said | None:
    """Return what a message says about a login; None for all that sshd says about anything else."""
    if message.startswith("message repeated "):
        return _repeated(message.rstrip())
    return _read(message.rstrip())


def _repeated(message: str) -> Said | None:
    found = _REPEATED.match(message)
    said = _read(found[2].rstrip()) if found else None
    if found is None or said is None or not 1 <= int(found[1]) <= MAX_REPEATS:
        return None
    return said._replace(times=said.times * int(found[1]))


def _read(message: str) -> Said | None:
    if message.endswith(" [preauth]"):
        message = message[:-10].rstrip()
    word, _, rest = message.partition(" ")
    while word in {"error:", "fatal:", "info:"}:
        word, _, rest = rest.partition(" ")
    reader = _READERS.get(word)
    if reader is not None:
        return reader(rest)
    return _pam(message) if word.startswith(("pam_", "(pam_")) else None


def _said(code: str, method: str, user: str, source: str, port: str = "0", count: int = 1) -> Said | None:
    """Check source and port; a message with neither name nor address where it should be is not what it seems."""
    found = source_of(source)
    if found is None or not (port.isascii() and port.isdigit() and len(port) <= 5):
        return None
    number = int(port)
    return Said(code, method, user[:MAX_USER], found[0], found[1], number, count) if number < 65536 else None


def _login(code: str, rest: str) -> Said | None:
    """Read `METHOD for [invalid user ]USER from SOURCE port N ssh2[: KEY]`."""
    method, _, rest = rest.partition(" for ")
    head, tail = _last_anchor(rest)
    parts = tail.split(" ", 3)
    if len(parts) < 4 or parts[1] != "port" or " " in method:
        return None
    if code == "failed" and method in OFFERS:
        code = "offer-refused"
    return _said(code, method, _user(head), parts[0], parts[2])


def _last_anchor(text: str) -> tuple[str, str]:
    """Split before the one place from which the text can be read to its end as sshd writes it.

    Only a certificate's identifier, which its holder chose, can stand behind the true place; a text that can then be
    read in two ways gives nothing.
    """
    head, _, tail = text.rpartition(" from ")
    if " CA " not in tail:
        return (head, tail) if tail.endswith(" ssh2") or _ends(tail, _KEY) else ("", "")
    pieces = text.split(" from ")[:64]
    places = [at for at in range(1, len(pieces)) if _ends(" from ".join(pieces[at:]), _KEY_WITH_CERTIFICATE)]
    if len(places) != 1:
        return "", ""
    return " from ".join(pieces[: places[0]]), " from ".join(pieces[places[0] :])


def _ends(tail: str, key: re.Pattern[str]) -> bool:
    parts = tail.split(" ", 3)
    return len(parts) == 4 and parts[1] == "port" and parts[2].isdigit() and key.fullmatch(parts[3]) is not None


def _user(text: str) -> str:
    return text.removeprefix("invalid user ").removeprefix("illegal user ")


def _failed(rest: str) -> Said | None:
    return _login("failed", rest)


def _accepted(rest: str) -> Said | None:
    return _login("accepted", rest)


def _invalid(rest: str) -> Said | None:
    """Read `user USER from SOURCE[ port N]`; older ones write no port."""
    if not rest.startswith("user "):
        return None
    user, _, tail = rest[5:].rpartition(" from ")
    return _from("invalid-user", "", user, tail)


def _from(code: str, method: str, user: str, tail: str) -> Said | None:
    """Read `SOURCE[ port N]`, and nothing after it."""
    parts = tail.split(" ")
    if len(parts) == 1:
        return _said(code, method, user, parts[0])
    return _said(code, method, user, parts[0], parts[2]) if len(parts) == 3 and parts[1] == "port" else None


def _connection(rest: str) -> Said | None:
    """Read `closed by|reset by [authenticating|invalid ]user USER SOURCE port N`."""
    for start in ("closed by ", "reset by "):
        if rest.startswith(start):
            return _ended(rest[len(start) :])
    return None


def _disconnected(rest: str) -> Said | None:
    return _ended(rest[5:]) if rest.startswith("from ") else None


def _disconnecting(rest: str) -> Said | None:
    reason = ": Too many authentication failures"
    return _ended(rest.removesuffix(reason)) if rest.endswith(reason) else None


def _ended(text: str) -> Said | None:
    """Read the end of a connection that had named a user and was not let in; other ends say nothing."""
    kind, _, rest = text.partition(" user ")
    parts = rest.rsplit(" ", 3)
    if kind not in {"authenticating", "invalid"} or len(parts) != 4 or parts[2] != "port":
        return None
    code = "ended-unauthenticated" if kind == "authenticating" else "ended-unknown"
    return _said(code, "", parts[0], parts[1], parts[3])


def _maximum(rest: str) -> Said | None:
    start = "authentication attempts exceeded for "
    if not rest.startswith(start):
        return None
    user, _, tail = rest[len(start) :].rpartition(" from ")
    return _from("attempts-exceeded", "", _user(user), tail.removesuffix(" ssh2"))


def _pam(message: str) -> Said | None:
    """Read the line of a PAM module; sshd never sets `ruser`, so nothing that was typed stands before `rhost`."""
    found = _PAM.match(message)
    return _pam_facts(message[found.end() :], 1) if found else None


def _pam_facts(facts: str, count: int) -> Said | None:
    who = _PAM_WHO.search(facts)
    return (
        _said("pam-failure", "", facts[who.end() :].strip().removeprefix("user="), who[1], count=count) if who else None
    )


def _pam_word(rest: str) -> Said | None:
    """Read `PAM N more authentication failures; …`, or `PAM: Authentication failure for USER from SOURCE`."""
    found = _MORE.match("PAM " + rest)
    if found:
        return _pam_facts(rest[found.end() - 4 :], min(int(found[1]), MAX_REPEATS)) if int(found[1]) else None
    return None


def _pam_error(rest: str) -> Said | None:
    start = "Authentication failure for "
    if not rest.startswith(start):
        return None
    user, _, tail = rest[len(start) :].rpartition(" from ")
    return _from("pam-failure", "keyboard-interactive/pam", _user(user), tail)


def _not_allowed(rest: str) -> Said | None:
    """Read `USER from SOURCE not allowed because REASON`: the user exists, so nobody chose its name just now."""
    facts, because, _ = rest.partition(" not allowed because ")
    user, _, tail = facts.rpartition(" from ")
    return _from("not-allowed", "", user, tail) if because else None


def _root_refused(rest: str) -> Said | None:
    start = "LOGIN REFUSED FROM "
    return _from("not-allowed", "", "root", rest[len(start) :]) if rest.startswith(start) else None


def _negotiation(rest: str) -> Said | None:
    """Read `to negotiate with SOURCE port N: …`, where the rest is the client's: the first address counts."""
    return _first("negotiation", rest, "to negotiate with ")


def _banner(rest: str) -> Said | None:
    return _first("negotiation", rest, "exchange: Connection from ")


def _dispatch(rest: str) -> Said | None:
    return _first("negotiation", rest, "Connection from ")


def _first(code: str, rest: str, start: str) -> Said | None:
    parts = rest[len(start) :].partition(":")[0] if rest.startswith(start) else ""
    if parts.count(" ") == 2:
        return _from(code, "", "", parts)
    found = rest[len(start) :].split(" ", 3) if rest.startswith(start) else []  # IPv6 has colons of its own
    return _from(code, "", "", " ".join(found[:3]).rstrip(":")) if len(found) > 3 else None


def _protocol(rest: str) -> Said | None:
    """Read `protocol version identification '…' from SOURCE port N`: what is quoted is the client's."""
    if not rest.startswith("protocol version identification "):
        return None
    return _from("negotiation", "", "", rest.rpartition(" from ")[2])


def _silent(rest: str) -> Said | None:
    start = "not receive identification string from "
    return _from("no-banner", "", "", rest[len(start) :]) if rest.startswith(start) else None


_READERS: Mapping[str, Callable[[str], Said | None]] = {
    "Failed": _failed,
    "Accepted": _accepted,
    "Invalid": _invalid,
    "Illegal": _invalid,
    "Connection": _connection,
    "Disconnected": _disconnected,
    "Disconnecting": _disconnecting,
    "maximum": _maximum,
    "PAM": _pam_word,
    "PAM:": _pam_error,
    "User": _not_allowed,
    "ROOT": _root_refused,
    "Unable": _negotiation,
    "banner": _banner,
    "ssh_dispatch_run_fatal:": _dispatch,
    "Bad": _protocol,
    "Did": _silent,
}
