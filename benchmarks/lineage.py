"""Lineage over 100,000 statements: folded from scratch, after one more, and asked about one model and about all."""

from functools import partial
from time import process_time

from measurement import Row, timed

from ringfence.frontends.pausing import collector_paused
from ringfence.lineage import closing
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Kind, Ref
from ringfence.testing.lineage import Tale, digest_of

STATEMENTS = 100_000
PER_MODEL = 5  # a seal, a run, a signature, a scan, a deployment
CHAIN = 50  # each so manieth model starts from nothing; the others are tuned from the one before
REPEATS, QUESTIONS = 5, 200


def long_tale() -> Tale:
    """Tell a story of chains of fine-tunes, each on data of its own, each served."""
    tale = Tale()
    for number in range(STATEMENTS // PER_MODEL):
        tale.seal(f"d{number}")
        bases = [f"m{number - 1}"] if number % CHAIN else []
        tale.run(f"r{number}", [f"d{number}"], f"m{number}", bases=bases)
        tale.sign(f"m{number}")
        tale.about("model.scan", {"verdict": "clean"}, [(f"model/m{number}", f"m{number}")])
        tale.deploy(f"s{number}", f"m{number}")
    return tale


def from_scratch(tale: Tale) -> Lineage:
    """Fold everything, as an installation does: without the collector."""
    with collector_paused():
        return Lineage.of(tale.tenant, tale.statements)


def measure() -> list[Row]:
    """Return the rows."""
    tale = long_tale()
    whole = Lineage.of(tale.tenant, tale.statements)
    scratch = [timed(partial(from_scratch, tale), clock=process_time) for _ in range(REPEATS)]
    more = []
    for number in range(QUESTIONS):
        one = tale.sign(f"more-{number}")
        more.append(timed(lambda one=one: whole.extended([one]), clock=process_time))
    last = range(CHAIN - 1, STATEMENTS // PER_MODEL, CHAIN)[:QUESTIONS]
    models = [Ref(Kind.MODEL, digest_of(f"m{number}")) for number in last]
    assert all(closing.closure(whole, model).closed for model in models)
    asked = [timed(lambda model=model: closing.closure(whole, model), clock=process_time) for model in models]
    surveys = [timed(lambda: closing.survey(whole), clock=process_time) for _ in range(REPEATS)]
    note = f"chains of {CHAIN} fine-tunes; the statements are made up, unsigned, and in memory"
    return [
        Row("lineage of 100,000 statements, from scratch", "printed", scratch, "ms CPU", note=note),
        Row("lineage after one more statement", "< 1 s", more, "ms CPU", limit=1000.0),
        Row(f"closure of a model behind {CHAIN} runs", "printed", asked, "ms CPU"),
        Row("every gap of 20,000 models and 20,000 deployments", "printed", surveys, "ms CPU"),
    ]
