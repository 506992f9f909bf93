"""Typeset a technical documentation as PDF/A with typst: embedded typefaces, no network, the same bytes each time."""

from typing import Literal

from ringfence.exports.annexiv import rendering
from ringfence.exports.model import Json
from ringfence.kernel.clock import from_text
from ringfence.kernel.errors import InternalError, MalformedInput, Unavailable

STANDARD: Literal["a-2a"] = "a-2a"
MAX_DOCUMENT = 4 * 2**20


def pdf(made: Json, digest: str, entry: int) -> bytes:
    """Return the PDF of a document; raise `Unavailable` where typst is not installed."""
    data = rendering.template_data(made, digest, entry)
    if len(data) > MAX_DOCUMENT:
        raise MalformedInput(f"the document has {len(data)} bytes; a PDF has at most {MAX_DOCUMENT}")
    try:
        import typst
    except ImportError as error:
        raise Unavailable("typst is not installed; install the extra: pip install 'ringfence[documents]'") from error
    try:
        return bytes(
            typst.compile(
                rendering.template(),
                format="pdf",
                ignore_system_fonts=True,
                sys_inputs={"data": data},
                pdf_standards=[STANDARD],
                timestamp=from_text(made["made_at"]).replace(microsecond=0),
            )
        )
    except typst.TypstError as error:
        raise InternalError(f"the document could not be typeset: {str(error)[:300]}") from error
