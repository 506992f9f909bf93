"""What putting another profile in force would change, as one document that a signature can name. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.obligations.choices import NONE, Profile
from ringfence.obligations.profile import value_at
from ringfence.obligations.results import Board, ControlResult

Days = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Side:
    """What holds with one profile: the status, and how long each class of data is kept."""

    profile: Profile
    board: Board
    kept: Days


def difference(now: Side, then: Side) -> dict[str, Any]:
    """Return everything that changes from one side to the other, for a person to read before it is signed."""
    before, after = _results(now.board), _results(then.board)
    return {
        "from": now.profile.id,
        "to": then.profile.id,
        "rules": str(then.board.rules),
        "asked": [_asked(after[name]) for name in sorted(then.profile.required - now.profile.required)],
        "no_longer_asked": sorted(now.profile.required - then.profile.required),
        "states": [_state(before[name], after[name]) for name in after if _moved(before[name], after[name])],
        "conflicts": [name for name, result in after.items() if result.aside and result.required_by],
        "periods": list(_periods(before, after)),
        "retention": [_kept(name, now, then) for name in sorted(then.kept) if now.kept.get(name) != then.kept[name]],
        "notice": list(_notice(now.profile.notice, then.profile.notice)),
        "not_enforced": list(_parts(now.profile, then.profile)),
    }


def digest_of(document: Mapping[str, Any]) -> Digest:
    """Return what a signature names: the very document that was shown."""
    return Digest.of(digest.dumps(dict(document)))


def part(profile: Profile, path: str) -> Any:
    """Return the value of a part by its name, or None where a profile does not speak of it."""
    return value_at(profile.data, path)


def enforced(profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield, in words, what code enforces of a profile: its name, and its value."""
    if profile is NONE:
        return
    yield "controls asked", str(len(profile.required))
    for name, period in profile.freshness.items():
        yield f"evidence for {name}", f"at most {period.days} d old"
    for name, kept in profile.retention.items():
        law = f"; where {kept.ref} binds, at least {kept.minimum} d by law from {kept.since}" if kept.since else ""
        yield f"{name} kept", f"{kept.days} d{law}"
    for kind, minutes in profile.notice.items():
        yield f"customers told of {kind.replace('_', ' ')}", f"within {minutes} min"


def _results(board: Board) -> dict[str, ControlResult]:
    return {result.control.id: result for result in board.controls}


def _asked(result: ControlResult) -> dict[str, Any]:
    return {"control": result.control.id, "title": result.control.title, **_verdict(result)}


def _verdict(result: ControlResult) -> dict[str, Any]:
    verdict = result.verdict
    return {"state": verdict.state.value, "reason": verdict.reason.value if verdict.reason else None}


def _state(before: ControlResult, after: ControlResult) -> dict[str, Any]:
    return {
        "control": after.control.id,
        "title": after.control.title,
        "before": before.verdict.state.value,
        **_verdict(after),
    }


def _moved(before: ControlResult, after: ControlResult) -> bool:
    return before.verdict.state is not after.verdict.state


def _periods(before: Mapping[str, ControlResult], after: Mapping[str, ControlResult]) -> Iterator[dict[str, Any]]:
    for name, result in after.items():
        for old, new in zip(before[name].requirements, result.requirements, strict=True):
            was, is_ = old.requirement.freshness, new.requirement.freshness
            if was != is_:
                days = {"before": was.days if was else None, "after": is_.days if is_ else None}
                yield {"rule": new.requirement.id, "control": name, **days}


def _kept(name: str, now: Side, then: Side) -> dict[str, Any]:
    wanted = then.profile.retention.get(name)
    return {
        "class": name,
        "before": now.kept.get(name),
        "after": then.kept[name],
        "wanted": wanted.days if wanted else None,
        "basis": wanted.basis if wanted else "project",
        "ref": wanted.ref if wanted else "",
    }


def _notice(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for kind in sorted(before.keys() | after.keys()):
        if before.get(kind) != after.get(kind):
            yield {"kind": kind, "before": before.get(kind), "after": after.get(kind)}


def _parts(now: Profile, then: Profile) -> Iterator[dict[str, Any]]:
    """Yield the parts of the other profile that no code enforces yet: each by its name."""
    for path in then.not_enforced:
        yield {"part": path, "before": part(now, path), "after": part(then, path)}
