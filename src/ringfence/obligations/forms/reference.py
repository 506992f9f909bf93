"""Forms and producers as pages of the documentation, so that the pages cannot say anything else than the data."""

from collections.abc import Iterator, Mapping

from ringfence.kernel.identifier import PredicateName
from ringfence.obligations import producers
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.model import About, Form, Kind, Question, Share, Span
from ringfence.obligations.model import Catalog
from ringfence.obligations.producers import Producer, Way

_HEAD = """\
# Evidence

<!-- Written by `make reference` from the rules, the forms and the table of producers. -->

Every evidence type that a rule asks for, and the one place where it comes from. A *collector* observes, a *drill*
tries something out, a *verb* states what it did. A *form* is what a person says and signs: it is documented at most,
whatever it says. `ringfence record --list` adds what there is in an installation.

"""
_MARK = "<!-- Written by `make reference` from src/ringfence/obligations/data/forms/{}.schema.json; edit that. -->"


def evidence_page(catalog: Catalog) -> str:
    """Return the page of all evidence types."""
    rules = producers.asked(catalog)
    lines = ["| evidence | comes from | command | asked by |", "|---|---|---|---|"]
    for kind, one in producers.by_type(shelf.types()).items():
        controls = ", ".join(sorted({rule.control for rule in rules.get(kind, ())}))
        link = f"[`{kind}`](../specs/predicates/{kind}.md)"
        lines.append(f"| {link} | {one.way} | `{one.command}` | {controls or 'no rule'} |")
    return _HEAD + "\n".join(lines) + "\n" + _counts(producers.by_type(shelf.types()))


def _counts(found: Mapping[PredicateName, Producer]) -> str:
    ways = [one.way for one in found.values()]
    words = ", ".join(f"{ways.count(way)} by {way}" for way in Way)
    return f"\n{len(ways)} types: {words}.\n"


def predicate_page(form: Form) -> str:
    """Return the page of one form's statement."""
    return "\n".join(_predicate(form)) + "\n"


def _predicate(form: Form) -> Iterator[str]:
    yield f"# {form.type}\n"
    yield _MARK.format(form.type) + "\n"
    yield (
        f"{form.title}. Predicate type `urn:ringfence:{form.type}:v1`; schema of the claims: "
        f"`{form.type}.schema.json`, which is the form itself (its `x-` keywords: [Forms](../forms.md)).\n"
    )
    yield "| | |\n|---|---|"
    yield "| issuer | an operator's key, of the person who filled the form |"
    yield "| strength | documented at most |"
    yield f"| subject | {_subject(form.about)} |"
    names = [f"`{name}`" for name in form.details]
    files = ["`files`: name and salt of each document"] if form.of_kind(Kind.FILE) else []
    yield f"| details | {', '.join([*names, *files]) or 'none'} |\n"
    yield "| claim | meaning |\n|---|---|"
    yield from (f"| `{question.name}` | {_meaning(question)} |" for question in form.questions)
    yield f"\nShows: {form.shows}\n"
    yield f"Does not show: {form.does_not_show}"


def _subject(about: About) -> str:
    if about.kind == "organisation":
        return "`organisation/<tenant>`, digest = SHA-256 of this name"
    name = f"`{about.kind}/<{about.claim or 'short name'}>`"
    if about.of:
        return f"{name}, with the digest that the newest `{about.of}` gives it"
    return f"{name}, digest = " + (f"the claim `{about.digest}`" if about.digest else "SHA-256 of this name")


def _meaning(question: Question) -> str:
    words = [question.title]
    if question.kind is Kind.FILE:
        words.append("(SHA-256 of a salt and the document)")
    if question.choices and len(question.choices) <= 10:
        words.append(f"({', '.join(question.choices)})")
    if question.days is not None:
        words.append(f"(from {question.days[0]:+} to {question.days[1]:+} days of the signature)")
    if question.counted:
        words.append("(counted in the register that Ringfence keeps)")
    match question.computed:
        case Share(part, whole):
            words.append(f"(thousandths: `{part}` of `{whole}`)")
        case Span(start, end):
            words.append(f"(days from `{start}` to `{end}`)")
        case None:
            pass
    return " ".join(words).replace("|", "\\|").replace("\n", " ")
