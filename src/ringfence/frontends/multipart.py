"""Files of a form (multipart/form-data), bounded and checked; the body as a whole is bounded before it comes here.

They stay in memory: what is to be sealed must not lie in a temporary file, where python-multipart puts it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.requests import Request

from ringfence.kernel.errors import MalformedInput

KIND = "multipart/form-data"
LARGEST = 7 * 2**20  # bytes in all: a body is at most 8 MiB; more is sealed in the terminal
MOST_FILES = 100
MOST_PARTS = MOST_FILES + 8
DEEPEST = 16
LONGEST = 240  # characters of a name with its folders
_BOUNDARY = re.compile(r'boundary="?([A-Za-z0-9\'()+_,./:=?-]{1,70})"?(?:;|$)')
_NAMED = re.compile(r'(?:^|; )name="([^"\r\n]{1,64})"')
_FILE = re.compile(r'(?:^|; )filename="([^"\r\n]*)"')
_PART = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")


@dataclass(frozen=True, slots=True)
class Upload:
    """What a form brought."""

    fields: dict[str, str]
    files: tuple[tuple[str, bytes], ...]  # by their names below the folder that was dropped


def boundary(content_type: str) -> bytes | None:
    """Return what lies between the parts; None where the body is no such form."""
    kind, _, rest = content_type.partition(";")
    if kind.strip().lower() != KIND:
        return None
    found = _BOUNDARY.search(rest.strip())
    if found is None:
        raise MalformedInput("a form with files names its boundary")
    return found[1].encode("ascii")


def parse(body: bytes, between: bytes) -> Upload:
    """Take a body apart; raise `MalformedInput` where it is none, too much, or names a file that is not below."""
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for head, content in _parts(body, between):
        named, file = _NAMED.search(head), _FILE.search(head)
        if named is None:
            raise MalformedInput("each part of a form has a name")
        if file is None:
            fields[named[1]] = content.decode("utf-8", "replace")
        elif file[1]:  # without a name: nothing was picked
            files[_new(file[1], files)] = content
    if len(files) > MOST_FILES or sum(map(len, files.values())) > LARGEST:
        raise MalformedInput(f"a page takes {MOST_FILES} files of {LARGEST} bytes in all; seal more in the terminal")
    return Upload(fields, tuple(files.items()))


def _parts(body: bytes, between: bytes) -> Iterator[tuple[str, bytes]]:
    pieces = (b"\r\n" + body).split(b"\r\n--" + between)
    if len(pieces) < 2 or pieces[0].strip() or pieces[-1].strip() != b"--":
        raise MalformedInput("the form with files is not whole")
    if len(pieces) > MOST_PARTS:
        raise MalformedInput(f"a form has at most {MOST_FILES} files")
    for piece in pieces[1:-1]:
        head, found, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not found or len(head) > 2048:
            raise MalformedInput("a part of the form has no heading")
        yield _disposition(head), content


def _disposition(head: bytes) -> str:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return value.strip()
    return ""


def _new(name: str, files: dict[str, bytes]) -> str:
    """Return the name of a file if it stays below the folder and no other has it."""
    parts = name.split("/")
    fits = len(name) <= LONGEST and len(parts) <= DEEPEST
    if not fits or any(part in {".", ".."} or not _PART.fullmatch(part) for part in parts):
        raise MalformedInput(f"{name[:60]!r} is not a name below the folder that was dropped")
    clash = name in files or any(other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in files)
    if clash:
        raise MalformedInput(f"two files want to be {name[:60]!r}")
    return name


async def sent(request: Request) -> Upload | None:
    """Return the files that a request brought; None where it is no form with files."""
    between = boundary(request.headers.get("content-type", ""))
    return None if between is None else parse(await request.body(), between)
