"""Typeset a draft as PDF/A with typst: embedded typefaces, no network, the same bytes for the same draft."""

from collections.abc import Mapping
from typing import Any, Literal

from ringfence.incidents import document
from ringfence.kernel.clock import from_text
from ringfence.kernel.errors import InternalError, MalformedInput, Unavailable

STANDARD: Literal["a-2a"] = "a-2a"  # long-term, with text that can be read out and extracted


def pdf(draft: Mapping[str, Any]) -> bytes:
    """Return the PDF of a draft document.

    Raises:
        Unavailable: where typst is not installed.
        MalformedInput: where the document is too large or not of the form of `document.to_json`.
    """
    try:
        data, made = document.template_data(draft), from_text(draft["made_at"])
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedInput(f"this is no draft of an early warning: {error}") from error
    if len(data) > document.MAX_DOCUMENT:
        raise MalformedInput(f"the draft has {len(data)} bytes; a document has at most {document.MAX_DOCUMENT}")
    try:
        import typst
    except ImportError as error:
        raise Unavailable("typst is not installed; install the extra: pip install 'ringfence[documents]'") from error
    try:
        return bytes(
            typst.compile(
                document.template(),
                format="pdf",
                ignore_system_fonts=True,
                sys_inputs={"data": data},
                pdf_standards=[STANDARD],
                timestamp=made.replace(microsecond=0),  # typst takes whole seconds
            )
        )
    except typst.TypstError as error:
        raise InternalError(f"the draft could not be typeset: {str(error)[:300]}") from error
