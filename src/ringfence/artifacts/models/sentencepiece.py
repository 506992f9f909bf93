"""Vocabularies of SentencePiece: told from other files by their wire format; they hold no program."""

from ringfence.artifacts.models.cursor import Cursor
from ringfence.artifacts.models.ports import Content
from ringfence.artifacts.models.protobuf import BYTES, FIXED32, VARINT, Budget, fields
from ringfence.kernel.errors import MalformedInput

MAX_SIZE = 64 * 2**20
_PIECE = 1
_OUTER = {1, 2, 3, 4, 5}  # pieces, trainer, normaliser, self-test, denormaliser
_INNER = {1: BYTES, 2: FIXED32, 3: VARINT}


def is_vocabulary(content: Content) -> bool:
    """Tell whether every byte of a file belongs to such a vocabulary."""
    if content.size > MAX_SIZE or content.read(0, 1) != b"\x0a":
        return False
    budget = Budget()
    try:
        for found in fields(Cursor(content), budget):
            if found.number not in _OUTER or found.wire != BYTES:
                return False
            inside = fields(Cursor(content, found.start, found.end), budget) if found.number == _PIECE else ()
            if any(_INNER.get(one.number) != one.wire for one in inside):
                return False
    except MalformedInput:
        return False
    return True
