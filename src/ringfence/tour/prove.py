"""Step `prove`: a pack, the auditors' script, and what happens to those who cheat."""

import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.tour.cheats import CHEATS, Cheat
from ringfence.tour.stage import Stage

PACK = "evidence.pack"
TRUST = "trust.json"
SCRIPT = "verify_pack.py"
BESIDE = "statements.py"  # which the script reads statements with


def prove(stage: Stage) -> dict[str, Any]:
    """Export a pack, verify it with the standalone script and with ours, then let five cheats fail."""
    pack, trust = stage.work / PACK, stage.work / TRUST
    stage.expect("report", "pack", "-o", str(pack), "--force")
    script = script_path()
    for name in (SCRIPT, BESIDE):
        shutil.copy(script.with_name(name), stage.work / name)
    verdict = _by_script(stage, pack, trust)
    if verdict[0] != 0:
        raise VerificationFailed(f"the auditors' script refused the tour's own pack: {verdict[1]}")
    verified = stage.expect("verify", str(pack), "--trust", str(trust), "--recompute")
    return {
        "pack": str(pack),
        "records": verified["records"],
        "size": verified["size"],
        "script": verdict[1].strip().splitlines()[-1],
        "cheats": {cheat.name: _caught(stage, cheat, pack, trust) for cheat in CHEATS},
    }


def _caught(stage: Stage, cheat: Cheat, pack: Path, trust: Path) -> str:
    """Return what the script says; both verifiers must refuse, and name what was touched."""
    stage.show(f"cheat: {cheat.story}")
    (stage.work / "cheats").mkdir(exist_ok=True)
    forged = stage.work / "cheats" / f"{cheat.name.replace(' ', '-')}.pack"
    forged.write_bytes(cheat.make(stage, pack))
    code, said = _by_script(stage, forged, trust)
    ran = stage.refused("verify", str(forged), "--trust", str(trust))
    missing = [word for word in cheat.names if word not in said or word not in str(ran.document["failures"])]
    if code != 1 or missing:
        raise VerificationFailed(
            f"the cheat “{cheat.name}” should fail naming {missing or cheat.names}; it said: {said}"
        )
    failures = [line for line in said.splitlines() if line.strip() and all(w in line for w in cheat.names[:1])]
    return failures[0].strip()


def _by_script(stage: Stage, pack: Path, trust: Path) -> tuple[int, str]:
    stage.show(f"$ python {SCRIPT} {stage.shortened(str(pack))} {stage.shortened(str(trust))}")
    command = [sys.executable, "-I", str(script_path()), str(pack), str(trust)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - our own
    return done.returncode, done.stdout + done.stderr


def script_path() -> Path:
    """Return the auditors' script: from the documentation of a checkout, or as the wheel ships it."""
    beside = Path(__file__).parents[3] / "docs" / "auditors" / SCRIPT
    shipped = Path(str(resources.files("ringfence.reports"))) / "data" / SCRIPT
    for place in (beside, shipped):
        if place.is_file():
            return place
    raise Unavailable("the auditors' script verify_pack.py is not beside this installation; see docs/auditors")


def check_command(work: Path) -> str:
    """Return the command with which a newcomer checks the pack again."""
    return f"{sys.executable} {work / SCRIPT} {work / PACK} {work / TRUST}"
