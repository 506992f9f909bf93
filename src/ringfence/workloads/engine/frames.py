"""What the loader is told and what it answers: one line of JSON each, strictly read; the model follows the first."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

VERSION = 1
LONGEST = 4096  # bytes of a line
LARGEST = 2**40  # bytes of a model
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")
LLAMA, ONNX = "llama.cpp", "onnxruntime"
ENGINES = frozenset({LLAMA, ONNX})
SENTENCE = 300


class BadFrame(ValueError):
    """A line does not say what it must say."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is to be loaded, and how."""

    engine: str
    name: str  # under which the engine answers
    size: int
    digest: str  # of the bytes that follow
    context: int = 2048  # tokens of one request
    parallel: int = 2  # requests at a time
    threads: int = 2
    embeddings: bool = False
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of it; `measured` is of the bytes that the engine has, and never a repetition of what was asked."""

    measured: str
    loaded: bool
    port: int = 0
    pid: int = 0
    engine: str = ""
    release: str = ""
    because: str = ""


_BOUNDS = {
    "size": range(1, LARGEST + 1),
    "context": range(64, 2**20 + 1),
    "parallel": range(1, 65),
    "threads": range(1, 257),
    "version": range(VERSION, VERSION + 1),
    "port": range(65_536),
    "pid": range(2**22 + 1),
}
_TEXTS = {"engine": re.compile("|".join(re.escape(name) for name in sorted(ENGINES))), "name": NAME, "digest": DIGEST}
_FLAGS = frozenset({"embeddings", "loaded"})


def line(what: Header | Answer) -> bytes:
    """Return the line of a header or an answer."""
    return json.dumps(asdict(what), separators=(",", ":"), sort_keys=True).encode() + b"\n"


def header(data: bytes) -> Header:
    """Parse the line of a header."""
    found = _fields(data, Header)
    for name, pattern in _TEXTS.items():
        if not isinstance(found[name], str) or not pattern.fullmatch(found[name]):
            raise BadFrame(f"{name} is not what it must be")
    return Header(**found)


def answer(data: bytes) -> Answer:
    """Parse the line of an answer; it comes from a node, which may say anything."""
    found = _fields(data, Answer)
    texts = {name: found[name] for name in ("measured", "engine", "release", "because")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise BadFrame("an answer's texts are texts")
    if texts["measured"] and not DIGEST.fullmatch(texts["measured"]):
        raise BadFrame("measured is not a digest")
    if found["loaded"] and not (texts["engine"] in ENGINES and WORD.fullmatch(texts["release"]) and found["port"]):
        raise BadFrame("a loaded engine has a name, a release and a port")
    because = "".join(c for c in texts["because"] if c.isascii() and c.isprintable())[:SENTENCE]
    return Answer(**{**found, "because": because})


def _fields(data: bytes, kind: type[Header] | type[Answer]) -> dict[str, Any]:
    if len(data) > LONGEST or not data.endswith(b"\n"):
        raise BadFrame(f"a line has at most {LONGEST} bytes and ends")
    try:
        found = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadFrame("the line is not JSON") from error
    if not isinstance(found, dict) or set(found) != set(kind.__dataclass_fields__):
        raise BadFrame(f"the line has not the fields of {kind.__name__}")
    for name, value in found.items():
        if name in _FLAGS and not isinstance(value, bool):
            raise BadFrame(f"{name} is true or false")
        if name in _BOUNDS and (type(value) is not int or value not in _BOUNDS[name]):
            raise BadFrame(f"{name} is out of bounds")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadFrame("a field stands there twice")
    return found
