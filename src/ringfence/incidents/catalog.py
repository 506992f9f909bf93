"""`clocks.yaml` as typed data, read strictly: a phrase that is not known here never becomes a silent guess."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ringfence.incidents.terms import Anchor, Clockwork, FormField, Period, Regime, Stage, Unit
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

SOURCES = frozenset({"verified", "secondary", "project", "from-knowledge"})
FORM_STAGES = frozenset({"EW", "IN", "IR", "PR", "FR"})
# NIS2 23(4)(e): after a progress report the final report is due a month after the incident was handled. The file has
# it as a remark on the progress report; here it is a stage of its own, with a start of its own.
AFTER_HANDLING = Stage(
    "nis2.final_after_handling",
    "final report after a progress report",
    "23(4)(e)",
    Period(1, Unit.MONTHS),
    Anchor.HANDLED,
    "handling of the incident",
    "",
    ("as final report",),
    "verified",
)
# A contract may name hours for a breach of personal data apart from those for an incident; none are proposed.
BREACH_NOTICE = Stage(
    "contract.breach_notice",
    "notice of a breach of personal data to the customer",
    "contract clause",
    None,
    Anchor.AWARENESS,
    "awareness",
    "",
    ("which personal data of this customer is affected", "measures taken, measures the customer can take"),
    "project",
)
_OURS: Mapping[str, Stage] = {"nis2": AFTER_HANDLING, "contract": BREACH_NOTICE}  # stages beside those of the file
# What a deadline may be counted from, in the words of the file; for submissions, the stage that is submitted.
_ANCHORS: Mapping[str, tuple[Anchor, str]] = {
    "awareness": (Anchor.AWARENESS, ""),
    "awareness of the threat": (Anchor.AWARENESS, ""),
    "awareness of the involvement of the model": (Anchor.AWARENESS, ""),
    "submission of the incident notification": (Anchor.SUBMISSION, "notification"),
    "submission of the initial notification": (Anchor.SUBMISSION, "initial"),
    "intermediate report or latest updated intermediate report": (Anchor.SUBMISSION, "intermediate"),
    "previous report, repeated until the incident is resolved": (Anchor.SUBMISSION, "previous"),
    "classification as major": (Anchor.CLASSIFICATION, ""),
    "a corrective or mitigating measure is AVAILABLE": (Anchor.MEASURE, ""),
    "resolution of the incident": (Anchor.HANDLED, ""),
}


@cache
def load() -> Clockwork:
    """Load the clocks of the package, once."""
    return parse(resources.files("ringfence.incidents").joinpath("data", "clocks.yaml").read_bytes())


def parse(data: bytes, *, source: str = "clocks.yaml") -> Clockwork:
    """Parse clock data; raise `MalformedInput` with the place that is wrong."""
    document = _document(data, source)
    try:
        regimes = {entry["id"]: _regime(entry, source) for entry in document["regimes"]}
        form = tuple(_field(entry, source) for entry in document["field_model"])
        status = str(document["meta"]["status_date"])
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedInput(f"a field is missing or of the wrong kind: {error}", source=source) from error
    if len(regimes) != len(document["regimes"]) or len({field.name for field in form}) != len(form):
        raise MalformedInput("a regime or a field stands twice", source=source)
    return Clockwork(Digest.of(data), status, regimes, form)


def _document(data: bytes, source: str) -> Any:
    try:
        text = data.decode("utf-8")
        _refuse_twice(yaml.compose(text, Loader=yaml.SafeLoader), source)
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise MalformedInput(f"not YAML: {str(error)[:200]}", source=source) from error


def _refuse_twice(node: Any, source: str) -> None:
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        if len(set(map(str, names))) != len(names):
            raise MalformedInput("a key stands twice", source=source, line=node.start_mark.line + 1)
        for _, item in node.value:
            _refuse_twice(item, source)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twice(item, source)


def _regime(entry: Any, source: str) -> Regime:
    stages = [_stage(stage, source) for stage in entry["stages"]]
    stages += [_OURS[entry["id"]]] if entry["id"] in _OURS else []
    return Regime(entry["id"], entry["act"], entry["addressee"], str(entry["awareness_rule"]), _joined(stages))


def _joined(stages: list[Stage]) -> tuple[Stage, ...]:
    """Name, for each stage that follows a submission, the stage of this regime that is submitted."""
    known = {stage.id.rpartition(".")[2]: stage.id for stage in stages}
    return tuple(_after(stage, known) for stage in stages)


def _after(stage: Stage, known: Mapping[str, str]) -> Stage:
    if stage.anchor is not Anchor.SUBMISSION or stage.after == "previous":
        return stage
    if stage.after not in known:
        raise MalformedInput(f"{stage.id} follows a {stage.after} that its regime does not have")
    return replace(stage, after=known[stage.after])


def _stage(entry: Any, source: str) -> Stage:
    words, period = str(entry["counted_from"]), _period(entry["deadline"], source)
    if period is not None and words not in _ANCHORS:
        raise MalformedInput(f"{entry['id']} counts from {words!r}, which no clock here knows", source=source)
    if entry["source"] not in SOURCES:
        raise MalformedInput(f"{entry['id']} has the source mark {entry['source']!r}", source=source)
    anchor, after = _ANCHORS[words] if period is not None else (Anchor.NONE, "")
    content = tuple(str(item) for item in entry["content"])
    return Stage(entry["id"], entry["stage"], str(entry["ref"]), period, anchor, words, after, content, entry["source"])


def _period(entry: Any, source: str) -> Period | None:
    match entry:
        case None:
            return None
        case {"value": int() as value, "unit": ("hours" | "days" | "months") as unit, **extra} if (
            not extra and 0 < value <= 1000 and not isinstance(value, bool)
        ):
            return Period(value, Unit(unit))
        case _:
            raise MalformedInput(f"{entry!r} is not a period of hours, days or months", source=source)


def _field(entry: Any, source: str) -> FormField:
    stages = tuple(entry["stages"])
    if not FORM_STAGES.issuperset(stages):
        raise MalformedInput(f"the field {entry['field']} names a stage that is none", source=source)
    return FormField(entry["field"], entry["meaning"], stages)
