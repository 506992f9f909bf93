"""A made-up day of an sshd log with known attackers and innocents, from a seed; no real log was looked at for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

START = datetime(2026, 3, 7, tzinfo=UTC)
HOURS = 6
NAMES = ("admin", "oracle", "test", "git", "ubuntu", "pi", "ftp", "deploy", "jenkins", "www", "minecraft", "hadoop")
KEY = "ssh2: ED25519 SHA256:" + "a" * 43
Said = tuple[float, str]  # second, message


@dataclass(frozen=True, slots=True)
class Actor:
    """One source: what it is, whether it attacks, and what sshd says about it."""

    kind: str
    hostile: bool
    source: str
    said: tuple[Said, ...]


def spaced(chance: Random, count: int, least: float, most: float) -> Iterator[float]:
    """Yield times with gaps between two bounds, from anywhere within the hours."""
    at = chance.uniform(0, HOURS * 3600)
    for _each in range(count):
        yield at
        at += chance.uniform(least, most)


def failed(chance: Random, source: str, user: str) -> str:
    """Return a wrong password."""
    return f"Failed password for {user} from {source} port {chance.randint(1024, 65535)} ssh2"


def guesser(chance: Random, source: str) -> Iterator[Said]:
    """Guess the password of root, some ten seconds apart."""
    return ((at, failed(chance, source, "root")) for at in spaced(chance, chance.randint(5, 30), 2, 20))


def banned(chance: Random, source: str) -> Iterator[Said]:
    """Guess fast until somebody else's tool bans the source after five."""
    return ((at, failed(chance, source, "root")) for at in spaced(chance, 5, 0.5, 3))


def slow_guesser(chance: Random, source: str) -> Iterator[Said]:
    """Guess slower than five in five minutes."""
    return ((at, failed(chance, source, "root")) for at in spaced(chance, 40, 90, 200))


def scanner(chance: Random, source: str) -> Iterator[Said]:
    """Try names that do not exist, one after the other."""
    for at in spaced(chance, chance.randint(6, 25), 3, 30):
        name = chance.choice(NAMES)
        yield at, f"Invalid user {name} from {source} port 40000"
        yield at + 1, failed(chance, source, f"invalid user {name}")


def one_name(chance: Random, source: str) -> Iterator[Said]:
    """Try one name that does not exist, again and again, offering keys only."""
    return (
        (at, f"Invalid user oracle from {source} port 40000") for at in spaced(chance, chance.randint(10, 20), 5, 25)
    )


def slow_names(chance: Random, source: str) -> Iterator[Said]:
    """Try a new name every ten to thirty minutes."""
    gap = chance.uniform(600, 1800)
    for at, name in zip(spaced(chance, 12, gap * 0.9, gap * 1.1), NAMES, strict=True):
        yield at, f"Invalid user {name} from {source} port 40000"


def prober(chance: Random, source: str) -> Iterator[Said]:
    """Connect with what no server takes any more."""
    text = (
        f"Unable to negotiate with {source} port 40000: no matching key exchange method found. Their offer: x [preauth]"
    )
    return ((at, text) for at in spaced(chance, chance.randint(6, 12), 1, 30))


def person(chance: Random, source: str) -> Iterator[Said]:
    """Mistype a password up to three times, then get in."""
    for at in spaced(chance, chance.randint(1, 4), 1800, 7200):
        for wrong in range(chance.choice((0, 0, 1, 1, 2, 3))):
            yield at + 5 * wrong, failed(chance, source, "ann")
        yield at + 30, f"Accepted password for ann from {source} port 40000 ssh2"


def office(chance: Random, source: str) -> Iterator[Said]:
    """Be forty people behind one address: some mistype, a few misspell their own name."""
    for each in range(40):
        at = chance.uniform(0, HOURS * 3600)
        if chance.random() < 0.05:
            yield at, f"Invalid user {'anbcx'[each % 5]}{each} from {source} port 40000"
        for wrong in range(chance.choice((0, 0, 0, 1, 1, 2))):
            yield at + 5 * wrong, failed(chance, source, f"user{each}")
        yield at + 30, f"Accepted password for user{each} from {source} port 40000 ssh2"


def job(chance: Random, source: str) -> Iterator[Said]:
    """Come with a key every few minutes, and offer two wrong ones before."""
    for at in spaced(chance, 80, 60, 300):
        for offered in range(2):
            yield at + offered * 0.1, f"Failed publickey for backup from {source} port 40000 {KEY}"
        yield at + 0.3, f"Accepted publickey for backup from {source} port 40000 {KEY}"
        yield at + 2, f"Disconnected from user backup {source} port 40000"


def stale_job(chance: Random, source: str) -> Iterator[Said]:
    """Come every ten minutes as somebody whose account was deleted."""
    return ((at, f"Invalid user former from {source} port 40000") for at in spaced(chance, 30, 550, 650))


KINDS: tuple[tuple[str, bool, int, Callable[[Random, str], Iterator[Said]]], ...] = (
    ("guesser", True, 60, guesser),
    ("banned after five", True, 40, banned),
    ("slow guesser", True, 20, slow_guesser),
    ("scanner", True, 60, scanner),
    ("one unknown name", True, 30, one_name),
    ("slow names", True, 40, slow_names),
    ("prober", True, 20, prober),
    ("person", False, 200, person),
    ("office", False, 20, office),
    ("job with keys", False, 40, job),
    ("stale job", False, 20, stale_job),
)


def actors(seed: int) -> list[Actor]:
    """Return everybody, each with an address of its own."""
    chance = Random(seed)  # noqa: S311 - a sample, the same each time
    told = [(kind, hostile, act) for kind, hostile, count, act in KINDS for _each in range(count)]
    return [
        Actor(kind, hostile, source, tuple(act(chance, source)))
        for number, (kind, hostile, act) in enumerate(told)
        for source in [f"198.18.{number // 250}.{1 + number % 250}"]
    ]


def log(everybody: list[Actor]) -> list[str]:
    """Return the lines of all, in order of time, as a syslog daemon writes them; each has a process of its own."""
    said = sorted(each for actor in everybody for each in actor.said)
    return [
        f"{(START + timedelta(seconds=at)).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z node "
        f"sshd[{1000 + number % 30000}]: {message}"
        for number, (at, message) in enumerate(said)
    ]
