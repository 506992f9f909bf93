"""Compute every number of a run again, offline, from its files; name whatever is not as it was written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, RingfenceError, UsageError, VerificationFailed
from ringfence.kernel.text import printable
from ringfence.redteam import journal, pack
from ringfence.redteam.document import Kept, parse_plan, run_bytes
from ringfence.redteam.evaluate import JOURNALS, PACK, PLAN, RUN, Drawn, draw, evaluated, journal_name, texts_name
from ringfence.redteam.journal import Text
from ringfence.redteam.model import Answer, Attempt, Outcome, Plan, Record, Rendered
from ringfence.redteam.render import body, rendered
from ringfence.redteam.scoring import outcome

MAX_PROBLEMS, MAX_PROBLEM = 100, 500
_WITHOUT_TEXT = frozenset({Outcome.ERROR, Outcome.TIMEOUT, Outcome.NOT_SENT})


@dataclass(slots=True)
class Checked:
    """What a verification found."""

    problems: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)  # journals whose texts were not handed over
    attempts: int = 0
    document: Mapping[str, Any] | None = None  # as it was computed again
    plan: Plan | None = None
    run: Digest | None = None

    def say(self, problem: str) -> None:
        """Keep a problem, up to a bound, fit for a terminal: the files may be anybody's."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(printable(problem, MAX_PROBLEM))


def verified(files: Mapping[str, bytes]) -> Checked:
    """Check a run's files, given by name; what is wrong stands in the result, all of it."""
    checked = Checked()
    drawn = _drawn(files, checked)
    if drawn is None:
        return checked
    checked.plan = drawn.plan
    kept = {name: _journal(files, drawn, name, checked) for name in JOURNALS}
    checked.document = evaluated(drawn, kept)
    checked.run = Digest.of(files.get(RUN, b""))
    for problem in _differences(files.get(RUN), checked.document):
        checked.say(problem)
    return checked


def _drawn(files: Mapping[str, bytes], checked: Checked) -> Drawn | None:
    try:
        told = _file(files, PLAN)
        plan = parse_plan(told, source=PLAN)
        if str(Digest.of(told)) not in files.get(RUN, b"").decode("utf-8", "replace"):
            checked.say(f"{PLAN}: it is not the plan that {RUN} names")
        corpus = _file(files, PACK)
        if Digest.of(corpus) != plan.pack:
            raise VerificationFailed(f"{PACK}: these are not the attacks that the plan names ({plan.pack})")
        attacks = pack.parse(corpus, source=PACK)
    except RingfenceError as error:
        checked.say(str(error))
        return None
    try:
        return draw(attacks, plan)
    except UsageError as error:
        checked.say(f"{PLAN}: {error}")
        return None


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise VerificationFailed(f"{name}: it is missing")
    return files[name]


def _journal(files: Mapping[str, bytes], drawn: Drawn, name: str, checked: Checked) -> Kept:
    source, beside = journal_name(name), texts_name(name)
    planned = {attempt.id: attempt for attempt in drawn.by_journal[name]}
    texts = _texts(files.get(beside), beside, checked)
    if texts is None:
        checked.withheld.append(name)
    records: dict[str, Record] = {}
    head = journal.start(files[PLAN], name)
    try:
        for record, link in journal.records(_file(files, source), head, source=source):
            head = link
            attempt = planned.get(record.id)
            text = None if texts is None else texts.get(record.id)
            if texts is not None and (text is None or text.commitment != record.response):
                checked.say(f"{beside}: {record.id}: the text that was recorded is not here")
                text = None
            for problem in _wrong(record, attempt, text, drawn.plan, again=record.id in records):
                checked.say(f"{source}: {record.id}: {problem}")
            records[record.id] = record
    except VerificationFailed as error:
        checked.say(str(error))
    checked.attempts += len(records)
    for missing in [each for each in planned if each not in records][:3]:
        checked.say(f"{source}: {missing}: the attempt is missing")
    for alone in [each for each in texts or {} if each not in records][:3]:
        checked.say(f"{beside}: {alone}: a text without a record")
    return Kept(records, head)


def _texts(data: bytes | None, source: str, checked: Checked) -> dict[str, Text] | None:
    if data is None:
        return None
    found: dict[str, Text] = {}
    try:
        for text in journal.texts(data, source=source):
            if text.id in found:
                checked.say(f"{source}: {text.id}: a second text")
            found[text.id] = text
    except VerificationFailed as error:
        checked.say(str(error))
    return found


def _wrong(record: Record, attempt: Attempt | None, text: Text | None, plan: Plan, *, again: bool) -> Iterator[str]:
    if again:
        yield "a second record of this attempt"
    if attempt is None:
        yield "the plan knows no such attempt"
        return
    case, prompt = attempt.case, rendered(attempt)
    drawn = (case.id, case.chain) if case else ("", ())
    told = (record.case, record.transforms, record.family, record.repeat, record.seed, record.pack)
    if told != (*drawn, attempt.family, attempt.repeat, plan.seed, plan.pack.hex):
        yield "the record is not of the attempt that the plan draws"
    if record.request != journal.request_commitment(plan.salt, body(prompt, plan)):
        yield "the request is not the one that the plan renders"
    if text is not None and not _follows(record, attempt, prompt, text, plan):
        yield f"its outcome {record.outcome.value} does not follow from its text"


def _follows(record: Record, attempt: Attempt, prompt: Rendered, text: Text, plan: Plan) -> bool:
    if record.outcome in _WITHOUT_TEXT or (record.outcome is Outcome.FILTERED and record.status != 200):
        return not text.response
    answer = Answer(text.response, record.finish, record.status, None, completion_tokens=record.completion_tokens)
    return outcome(attempt, prompt, answer, plan.max_tokens) is record.outcome


def _differences(data: bytes | None, computed: Mapping[str, Any]) -> Sequence[str]:
    if data is None:
        return [f"{RUN}: it is missing; the run was not finished"]
    if data == run_bytes(computed):
        return []
    try:
        stated = digest.loads(data, source=RUN)
    except MalformedInput as error:
        return [str(error)]
    found = list(_differ(stated, computed, RUN))
    return found or [f"{RUN}: it is not as it was written"]


def _differ(stated: Any, computed: Any, path: str) -> Iterator[str]:
    match stated, computed:
        case dict(), dict():
            for name in sorted(stated.keys() | computed.keys()):
                yield from _differ(
                    stated.get(name), computed.get(name), f"{path}: {name}" if path == RUN else f"{path}.{name}"
                )
        case list(), list() if len(stated) == len(computed):
            for place, (one, other) in enumerate(zip(stated, computed, strict=True)):
                yield from _differ(one, other, f"{path}[{place}]")
        case _ if stated != computed:
            yield f"{path}: it says {str(stated)[:80]!r}, the attempts say {str(computed)[:80]!r}"
        case _:
            pass
