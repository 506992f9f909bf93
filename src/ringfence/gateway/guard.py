"""Which groups of injection phrases stand in what a request newly says: a signal for bursts, no filter. Pure.

Nothing is refused for it, and most clever attacks are not in it (docs/measurements/2026-11-22-guard.md). Only what a
caller adds by this request is looked at: not the system message, where an application's own defence has such phrases
every time, and not the turns before the model's last answer, which clients send again each time.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

MAX_TEXT = 2**15  # characters that are looked at, half from the beginning and half from the end: a caller waits for it
MAX_FOUND = 16
MAX_DEPTH = 4  # of lists and objects inside a message
OWN_ROLES = frozenset({"system", "developer"})  # the application's own words
UNLESS_NEGATED = 2  # words before a phrase in which a negation turns it around
_TOKEN = re.compile(r"[^\W_]+|[.!?;:\n]")
_PIECE = re.compile(r"\S{1,256}")  # normalizing takes the square of how many marks stand behind one letter
_TAGS = {0xE0000 + code: chr(code) for code in range(32, 127)}  # letters that no screen shows
_UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_HIDDEN = _TAGS | _UNSEEN


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases by their words.

    Attributes:
        ids: of each phrase, the group and language that it is reported as.
        lengths: of each phrase, how many slots it has.
        places: of each word, the phrases and slots that it fits, the later slots of a phrase first.
    """

    gap: int
    negations: frozenset[str]
    ids: tuple[str, ...]
    lengths: tuple[int, ...]
    places: Mapping[str, Sequence[tuple[int, int]]]


def parse(data: bytes) -> Phrases:
    """Parse a file of phrases, as `data/guard.yaml` is."""
    document = yaml.safe_load(data)
    ids, lengths = list[str](), list[int]()
    places: dict[str, list[tuple[int, int]]] = {}
    for group, languages in document["groups"].items():
        for language, phrases in languages.items():
            for phrase in phrases:
                slots = str(phrase).split()
                for slot in range(len(slots) - 1, -1, -1):
                    for word in slots[slot].split("|"):
                        places.setdefault(word.casefold(), []).append((len(ids), slot))
                ids.append(f"{group}.{language}")
                lengths.append(len(slots))
    return Phrases(document["gap"], frozenset(document["negations"]), tuple(ids), tuple(lengths), places)


@cache
def shipped() -> Phrases:
    """Return the phrases that ship with Ringfence."""
    return parse(resources.files("ringfence.gateway").joinpath("data", "guard.yaml").read_bytes())


def judge(body: bytes) -> tuple[str, ...]:
    """Return the groups of phrases in what the body of a request newly says, sorted; never raise.

    A body that is no JSON is looked at as text. Time is linear in its length.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return found_in(body.decode("utf-8", "ignore"))
    return judge_document(document)


def judge_document(document: object) -> tuple[str, ...]:
    """Return the same for a body that was parsed already."""
    return found_in("\n".join(said(document))) if isinstance(document, dict) else ()


def said(document: Mapping[str, object]) -> Iterator[str]:
    """Yield the texts that a request adds; embeddings and tensors say nothing to a model that follows instructions."""
    prompt, messages = document.get("prompt"), document.get("messages")
    yield from _texts(prompt, 0)
    for message in _newest(messages) if isinstance(messages, list) else ():
        if message.get("role") not in OWN_ROLES:
            yield from _texts(message.get("content"), 0)


def _newest(messages: Sequence[object]) -> list[Mapping[str, object]]:
    """Return the messages behind the last answer of the model."""
    found: list[Mapping[str, object]] = []
    for message in reversed(messages):
        if isinstance(message, dict):
            if message.get("role") == "assistant":
                break
            found.append(message)
    return found[::-1]


def _texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < MAX_DEPTH:
        for each in value:
            yield from _texts(each, depth + 1)
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        yield from _texts(value.get("text"), depth + 1)


def found_in(text: str, phrases: Phrases | None = None) -> tuple[str, ...]:
    """Return the groups of phrases in a text, sorted."""
    reading = _Reading(phrases or shipped())
    for at, word in enumerate(_TOKEN.findall(_ends(_plain(_ends(text))))):  # some letters become eighteen
        reading.take(at, word)
    return tuple(sorted(reading.found))[:MAX_FOUND]


class _Reading:
    """How far each phrase has come, word by word."""

    def __init__(self, phrases: Phrases) -> None:
        self.phrases = phrases
        self.found: set[str] = set()
        self._reached: dict[tuple[int, int], int] = {}  # where a slot was filled last: the nearest is the best
        self._denied = -1  # up to where a negation turns the beginning of a phrase around

    def take(self, at: int, word: str) -> None:
        """Take the next word, or the mark that ends a sentence."""
        negates = word in self.phrases.negations
        if negates or not word.isalnum():
            self._denied = at + UNLESS_NEGATED if negates else -1
        for phrase, slot in self.phrases.places.get(word, ()):
            if self._fits(phrase, slot, at, negates=negates):
                self._reached[(phrase, slot)] = at
                if slot + 1 == self.phrases.lengths[phrase]:
                    self.found.add(self.phrases.ids[phrase])

    def _fits(self, phrase: int, slot: int, at: int, *, negates: bool) -> bool:
        if slot == 0:
            return negates or at > self._denied
        return at - self._reached.get((phrase, slot - 1), -MAX_TEXT) <= self.phrases.gap + 1


def _ends(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT // 2] + "\n" + text[-MAX_TEXT // 2 :]


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    return _PIECE.sub(lambda piece: unicodedata.normalize("NFKC", piece[0]), text.translate(_HIDDEN)).casefold()
