"""The cheats really change what they say they change, and nothing else."""

import json

import pytest

from ringfence.kernel import digest
from ringfence.tour import cheats


def record(number, predicate, subject):
    import base64

    statement = {
        "predicateType": f"urn:ringfence:{predicate}:v1",
        "subject": [{"name": subject, "digest": {"sha256": f"{number:064x}"}}],
    }
    envelope = {"payload": base64.b64encode(digest.dumps(statement)).decode()}
    return {"entry": number, "statement": statement, "envelope": envelope}


@pytest.fixture
def pack(tmp_path):
    path = tmp_path / "evidence.pack"
    lines = [{"format": "x"}, record(11, "dataset.sealed", "dataset/a"), record(12, "access.register", "access/demo")]
    path.write_bytes(b"".join(digest.dumps(line) + b"\n" for line in lines))
    return path


def test_a_flipped_byte_is_one_byte_of_the_sealed_record(pack):
    before, after = pack.read_bytes(), cheats.flipped_byte(None, pack)
    assert len(before) == len(after)
    changed = [index for index, (one, two) in enumerate(zip(before, after, strict=True)) if one != two]
    assert len(changed) == 1
    assert before[: changed[0]].count(b"\n") == 1


def test_swapped_subjects_are_swapped_in_the_readable_and_in_the_signed_part(pack):
    lines = [json.loads(line) for line in cheats.swapped_subjects(None, pack).splitlines()]
    assert lines[1]["statement"]["subject"][0]["name"] == "access/demo"
    assert lines[2]["statement"]["subject"][0]["name"] == "dataset/a"
    assert cheats._statement(lines[1]) == lines[1]["statement"]
    assert cheats._statement(lines[2]) == lines[2]["statement"]


def test_every_cheat_names_what_a_verifier_must_say():
    assert len(cheats.CHEATS) == 5
    assert all(cheat.names and cheat.story for cheat in cheats.CHEATS)
    assert len({cheat.name for cheat in cheats.CHEATS}) == 5
