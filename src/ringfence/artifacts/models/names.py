"""Names of files in a signed model: what may be one, and which files a signature may leave out.

OMS v1.0, 6.1.2 and 6.2. A signer chooses `ignore_paths`, and so could exempt a file that a loader reads: only names on
a list of ours, which no loader looks at, are taken from them.
"""

import unicodedata
from collections.abc import Iterable

from ringfence.artifacts.models.model import SIGNATURE
from ringfence.kernel.errors import MalformedInput, VerificationFailed

MAX_NAME = 1024  # bytes
MAX_PARTS = 32
MAX_PART = 255  # bytes; NAME_MAX of Linux
OUTSIDE = frozenset({".git", ".gitattributes", ".github", ".gitignore"})  # OMS 6.2: never part of a model
IGNORABLE = OUTSIDE | {".gitmodules", SIGNATURE}  # what we leave out, and all that a bundle may ask us to leave out


def check_name(name: object) -> str:
    """Return a name in the one form that is signed, or raise `MalformedInput`."""
    if not isinstance(name, str) or not name:
        raise MalformedInput("a file of a model has a name")
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedInput(f"the file name {name!r} is not UTF-8 text; rename it") from error
    parts = encoded.split(b"/")
    if len(encoded) > MAX_NAME or len(parts) > MAX_PARTS or max(map(len, parts)) > MAX_PART:
        raise MalformedInput(f"the file name {name[:80]!r}… is longer or deeper than a model may have")
    if any(part in {b"", b".", b".."} for part in parts):
        raise MalformedInput(f"the file name {name!r} is not a plain relative path")
    if any(character < " " or character in "\x7f\\" for character in name):
        raise MalformedInput(f"the file name {name!r} holds a control character or a backslash; rename it")
    if not unicodedata.is_normalized("NFC", name):
        raise MalformedInput(f"the file name {name!r} is not in Unicode's form NFC, so that it has a twin; rename it")
    return name


def check_names(names: Iterable[str]) -> None:
    """Raise `MalformedInput` where a name stands twice, or is a folder of another."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MalformedInput(f"the file name {name!r} stands twice")
        seen.add(name)
    for name in seen:
        parts = name.split("/")
        folders = ("/".join(parts[:size]) for size in range(1, len(parts)))
        if any(folder in seen for folder in folders):
            raise MalformedInput(f"the file name {name!r} lies below another file of the model")


def left_out(name: str) -> bool:
    """Tell whether a name below the model's folder is never signed."""
    return name.partition("/")[0] in IGNORABLE


def check_ignored(paths: Iterable[str]) -> None:
    """Raise `VerificationFailed` where a signer asks to leave out more than the list above."""
    beyond = sorted(set(paths) - IGNORABLE)
    if beyond:
        raise VerificationFailed(
            f"the signature asks to ignore {beyond[0][:80]!r}, which a loader might read; sign again without that"
        )
