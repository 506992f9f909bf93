"""Packs of logs whose keys were replaced, each tampered with in one way, and what a verifier has to say about each.

Run through `ringfence verify` and the auditors' script, as `ringfence.testing.tampering` is.
"""

import copy
import json
from dataclasses import replace
from functools import cache
from typing import Any

from ringfence.ledger import checkpoint
from ringfence.ledger.model import Trust
from ringfence.testing.ledger import LabLog
from ringfence.testing.tampering import Lines, Tampered, edited, lab


def renewed(*names: str, **changes: Any) -> LabLog:
    """Return the log of `lab` after its keys were replaced by the pairs of these names, one after another."""
    log = lab(**changes)
    for name in names or ("second",):
        log.replace_keys(name)
        log.advance(minutes=1)
        log.state("log.heartbeat", {"gaps": 0}, by="control")
        log.advance(minutes=1)
    return log


def old_trust(log: LabLog) -> Trust:
    """Return what an outsider holds who was away while the keys were replaced."""
    return log.trust()


def new_trust(log: LabLog) -> Trust:
    """Return what an outsider holds who knows every succession."""
    return replace(log.trust(), successions=tuple(log.successions()))


@cache
def succession_cases() -> list[Tampered]:
    """Return every case."""
    return [*_heads(), *_statements(), *_chains()]


def _heads() -> list[Tampered]:
    """Heads that are signed by the wrong pair."""
    log = renewed()
    pack, trust = log.pack(), old_trust(log)

    def by_old(lines: Lines) -> None:
        lines[-1]["checkpoint"] = _signed(log, lines[-1]["checkpoint"], "ledger")

    def by_new(lines: Lines) -> None:
        for line in lines:
            if "head" in line and line["head"]["size"] == log.eras[1][0]:
                line["head"]["note"] = _signed(log, line["head"]["note"], "second")

    def hidden(lines: Lines) -> None:
        by_old(lines)
        del lines[0]["successions"]

    return [
        Tampered("old keys sign beyond their end", edited(pack, by_old), trust, "were replaced behind size 7"),
        Tampered("and the reader knows it", edited(pack, hidden), new_trust(log), "were replaced behind size 7"),
        Tampered("new keys sign an older size", edited(pack, by_new), trust, "sign only heads of more than 7"),
        Tampered("head of the end left out", edited(pack, _without_head(7)), trust, "at which its keys were replaced"),
        Tampered("succession left out", edited(pack, _without_successions), trust, "or its keys were replaced"),
    ]


def _signed(log: LabLog, note: str, name: str) -> str:
    """Sign the head of a note with another pair of the log's keys."""
    head = checkpoint.parse_text(note.partition("\n\n")[0] + "\n")
    return checkpoint.sign(head, log.key(name), log.mldsa(name), log.now).note


def _without_head(size: int) -> Any:
    def change(lines: Lines) -> None:
        lines[:] = [line for line in lines if line.get("head", {}).get("size") != size]

    return change


def _without_successions(lines: Lines) -> None:
    del lines[0]["successions"]


def _statements() -> list[Tampered]:
    """Statements about keys that do not count."""
    found = []
    for name, says, changes in (
        ("signed by an operator", "not by the key given", {"by": "ops"}),
        ("of another log", "is of the log", {"origin": "other.example/log"}),
        ("with another root", "at which its keys were replaced", {"fromRoot": "ab" * 32}),
        ("from a size of nothing", "whole number from 1 on", {"fromSize": 0}),
        ("for no reason", "reason one of", {"reason": "because"}),
        ("of another pair", "leads neither", {"oldKeys": "sha256:" + "cd" * 32}),
    ):
        log = lab()
        log.replace_keys("second", **changes)
        log.advance(minutes=1)
        found.append(Tampered(f"succession {name}", log.pack(), log.trust(), says))
    stranger = renewed(seed="stranger")
    log = renewed()
    theirs = json.loads(stranger.successions()[0].data)
    foreign = edited(log.pack(), lambda lines: lines[0].update(successions=[theirs]))
    return [*found, Tampered("succession by another root", foreign, old_trust(log), "not by the key given")]


def _chains() -> list[Tampered]:
    """Successions that do not follow on one another."""
    log, other = renewed("second", "third"), renewed("fourth")
    first, second = (json.loads(envelope.data) for envelope in log.successions())
    rival = json.loads(other.successions()[0].data)
    pack, trust = log.pack(), old_trust(log)

    def said(*envelopes: Any) -> bytes:
        return edited(pack, lambda lines: lines[0].update(successions=list(envelopes)))

    knowing = replace(trust, successions=tuple(other.successions()))
    replayed = renewed("second")
    late = copy.deepcopy(replayed)
    late.replace_keys("third")
    replayed.state("log.heartbeat", {"gaps": 0}, by="control")
    return [
        Tampered("two successions of one pair", said(first, rival, second), trust, "two successions of one pair"),
        Tampered("another one than the reader knows", pack, knowing, "two successions of one pair"),
        Tampered("first one left out", said(second), trust, "leads neither"),
        Tampered("last one left out", said(first), trust, "or its keys were replaced"),
        Tampered("old succession replayed", replayed.pack(), new_trust(late), "were replaced behind size 9"),
        Tampered("none at all", said(), trust, "1 to 64"),
    ]
