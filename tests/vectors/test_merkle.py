"""Inclusion and consistency proofs by transparency-dev/merkle: accept the good, refuse the bad."""

import base64
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.ledger import tree


def cases(kind: str) -> list[Any]:
    with tarfile.open(Path(__file__).parent / "merkle" / "testdata.tar.gz") as archive:
        names = sorted(n for n in archive.getnames() if n.startswith(f"testdata/{kind}/") and n.endswith(".json"))
        files = {name: archive.extractfile(name) for name in names}
        return [pytest.param(json.load(file), id=name) for name, file in files.items() if file]


def unpacked(value: str) -> bytes:
    return base64.b64decode(value)


def inclusion(case: dict[str, Any]) -> None:
    proof = [unpacked(item) for item in case["proof"] or ()]
    tree.verify_inclusion(case["leafIdx"], case["treeSize"], unpacked(case["leafHash"]), proof, unpacked(case["root"]))


def consistency(case: dict[str, Any]) -> None:
    proof = [unpacked(item) for item in case["proof"] or ()]
    tree.verify_consistency(case["size1"], unpacked(case["root1"]), case["size2"], unpacked(case["root2"]), proof)


def test_all_cases_are_there() -> None:
    assert (len(cases("inclusion")), len(cases("consistency"))) == (98, 98)


@pytest.mark.parametrize("case", cases("inclusion"))
def test_inclusion(case: dict[str, Any]) -> None:
    if not case["wantErr"]:
        inclusion(case)
        return
    with pytest.raises(VerificationFailed):
        inclusion(case)


@pytest.mark.parametrize("case", cases("consistency"))
def test_consistency(case: dict[str, Any]) -> None:
    if not case["wantErr"]:
        consistency(case)
        return
    with pytest.raises(VerificationFailed):
        consistency(case)
