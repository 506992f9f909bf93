"""The cut: how long the change of the ruleset takes, and how long a caller waits for kernel and disk."""

import tempfile
from pathlib import Path

from measurement import Row, timed

from ringfence.testing.fabric import Lab, lab, missing

REPETITIONS = 60
LIMIT = 100.0


def _bare(made: Lab) -> float:
    """Time the same `nft` transaction on a set of its own, without anything of ours around it."""
    return timed(lambda: made.inside("nft", "-c", "add", "set", "ip", "ringfence", "bare", "{ type ipv4_addr; }"))


def measure() -> list[Row]:
    """Cut a node off and release it, with neighbours around it."""
    if missing():
        print(f"fabric: not measured: {missing()}")
        return []
    cuts, calls, bare = [], [], []
    with tempfile.TemporaryDirectory() as directory, lab(Path(directory) / "fabric") as made:
        for name in ("a", "b", "c"):
            made.node(name)
        made.fabric.permit("a", "b", 9000)
        for _ in range(REPETITIONS):
            calls.append(timed(lambda: cuts.append(made.fabric.quarantine("a"))))
            made.fabric.release("a", before=cuts[-1].before)
            bare.append(_bare(made))
    return [
        Row(
            what="the cut itself",
            target="p95 < 100 ms",
            ours=[cut.micros / 1000 for cut in cuts],
            limit=LIMIT,
            note="from the helper's decision to the kernel's transaction, one nft process; 3 namespace nodes",
        ),
        Row(
            what="quarantine, as called",
            target="p95 < 100 ms",
            ours=calls,
            peer="one nft dry run through nsenter",
            theirs=bare,
            limit=LIMIT,
            note="with the question, the state on disk and the answer",
        ),
    ]
