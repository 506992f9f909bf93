"""The environment that a command is given: a stated list of names, what `--env` names, and what a run adds; pure."""

from collections.abc import Mapping

from ringfence.workloads.runs.model import Order

# Taken over from the caller. Nothing that may hold a secret, and nothing that changes what code is loaded.
KEPT = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "OMP_NUM_THREADS", "PATH", "TERM", "TMPDIR", "TZ", "USER",
    "VIRTUAL_ENV", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
)  # fmt: skip
INPUTS, OUTPUTS, SEED = "RINGFENCE_INPUTS", "RINGFENCE_OUTPUTS", "RINGFENCE_SEED"
BASES = "RINGFENCE_BASES"  # separated by colons, as in PATH


def given(order: Order, around: Mapping[str, str], *, inputs: str, outputs: str, bases: str = "") -> dict[str, str]:
    """Return the whole environment of the command; a place that is empty is not named."""
    kept = {name: around[name] for name in KEPT if name in around}
    places = {name: place for name, place in ((INPUTS, inputs), (OUTPUTS, outputs), (BASES, bases)) if place}
    return kept | dict(order.environment) | places | {SEED: str(order.seed), "PYTHONHASHSEED": str(order.seed)}
