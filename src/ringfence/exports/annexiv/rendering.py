"""The document as Markdown, as one HTML file without scripts, and as the data of a fixed template for typst.

Text of others is data in all of them: escaped, never markup and never code.
"""

import json
import re
from collections.abc import Iterator
from html import escape
from importlib import resources
from typing import Any

from ringfence.exports.model import Json
from ringfence.kernel.clock import from_text

FORMATS = (".json", ".md", ".html", ".pdf")
DEMO = "DEMO: made from demonstration data, for no authority."
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_CSS = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}small,.r{color:#555;font-size:.85em}code{overflow-wrap:anywhere}.m{font-weight:600}"
    "li{margin:.35rem 0}.missing,.demo{border-left:4px solid #b00020;padding-left:.6rem}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}small,.r{color:#bbb}}"
)
Lines = Iterator[tuple[str, str]]  # a kind of line, and its text


def head(made: Json, digest: str, entry: int) -> Lines:
    """Yield what stands above the points."""
    law, system, extent = made["provision"], made["system"], made["extent"]
    yield "title", made["title"]
    if made["demo"]:
        yield "demo", DEMO
    yield "text", made["notice"]
    yield "fact", f"{law['act']} {law['provision']}: {law['paraphrase']} (source {law['source']}, {law['verified_on']})"
    classed = f"System {system['id']}: {system['role']}, {system['class']}, by {system['basis']}"
    since = f"; applies from {system['applies_from']}" if system["applies_from"] else ""
    yield "fact", f"{classed}{since} (entry {system['record']['entry']})"
    if system["because"]:
        yield "fact", f"Not asked for: {system['because']} ask for this document."
    if extent["form"] != "full":
        yield "fact", f"Simplified form: {extent['because']} ({extent['by']})"
    yield "fact", f"Made at {made['made_at']}; last record of {made['evidence_until'] or 'none'}; log {made['log']}"
    yield "fact", f"Document {digest}, recorded as entry {entry}"
    counts = made["counts"]
    said = f"{counts['sentences']} sentences: {counts['declared']} declared, {counts['from_records']} from records"
    yield "fact", f"{said}; {counts['points_missing']} of 9 points missing"


def body(made: Json) -> Lines:
    """Yield the points."""
    for point in made["points"]:
        yield "heading", f"{point['point'].removeprefix('iv-')}. {point['heading']}"
        if point["said"]:
            yield "missing", point["said"]
        for row in point["declared"]:
            rests = f"; from entries {', '.join(map(str, row['rests_on']))}" if row["rests_on"] else ""
            yield "sentence", row["text"]
            yield "source", f"declared by {row['author']}, {row['date']}{rests}"
        for row in point["recorded"]:
            for text in row["sentences"]:
                yield "sentence", text
            yield "source", f"{row['mark']}: {_record(row['record'])}"
            yield "source", f"Does not show: {row['does_not_show']}"
        for row in point["set_aside"]:
            yield "missing", f"Counts for nothing: {_record(row)}; {row['why']}"


def _record(row: Json) -> str:
    made = " (demo)" if row["demo"] else ""
    named = f"entry {row['entry']}, {row['predicate']} about {row['subject']}, {row['strength']}{made}"
    return f"{named}, {row['recorded_at']}, {row['digest']}"


def markdown(made: Json, digest: str, entry: int) -> str:
    """Return it as Markdown."""
    shape = {
        "title": "# {}\n",
        "heading": "\n## {}\n",
        "demo": "**{}**\n",
        "missing": "- **{}**",
        "source": "  - {}",
        "text": "{}\n",
    }
    marked = ((kind, _MARKUP.sub(r"\\\1", text)) for kind, text in _all(made, digest, entry))
    lines = [shape.get(kind, "- {}").format(text) for kind, text in marked]
    return "\n".join(lines) + "\n"


def html(made: Json, digest: str, entry: int) -> str:
    """Return it as one file that loads nothing."""
    shape = {
        "title": "<h1>{}</h1>",
        "heading": "<h2>{}</h2>",
        "demo": '<p class="demo"><strong>{}</strong></p>',
        "missing": '<p class="missing">{}</p>',
        "source": '<p class="r">{}</p>',
        "sentence": '<p class="m">{}</p>',
    }
    lines = [shape.get(kind, "<p>{}</p>").format(escape(text)) for kind, text in _all(made, digest, entry)]
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(made["title"])}</title>'
    view = '<meta name="viewport" content="width=device-width,initial-scale=1">'
    return f"{page}{view}<style>{_CSS}</style><body><main>\n" + "\n".join(lines) + "\n</main></body></html>\n"


def _all(made: Json, digest: str, entry: int) -> Lines:
    yield from head(made, digest, entry)
    yield from body(made)


def template() -> bytes:
    """Return the fixed template for typst."""
    return resources.files("ringfence.exports").joinpath("data", "annex_iv.typ").read_bytes()


def template_data(made: Json, digest: str, entry: int) -> str:
    """Return what the template reads: lines of plain text, each with its kind."""
    at = from_text(made["made_at"])
    shaped: dict[str, Any] = {
        "title": made["title"],
        "date": [at.year, at.month, at.day],
        "lines": [{"kind": kind, "text": text} for kind, text in _all(made, digest, entry)],
    }
    return json.dumps(shaped, ensure_ascii=True)
