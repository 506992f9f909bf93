import json

import pytest

from ringfence.kernel.errors import InternalError
from ringfence.reports.model import Header, Pack
from ringfence.reports.pack import read
from ringfence.reports.writing import status_digest, write
from ringfence.testing.ledger import ORIGIN, START, TENANT


def test_what_is_written_is_version_2_and_reads_back(pack):
    header = read(pack).header
    assert (header.version, header.tenant_salt is not None, header.extent.openings) == (2, True, "all")
    lines = [json.loads(line) for line in pack.splitlines()]
    assert [line["tenantSequence"] for line in lines[1:9]] == list(range(1, 9))
    assert lines[-1].keys() == {"checkpoint", "cosignatures", "timestamps"}


def test_version_1_is_not_written_any_more():
    header = Header(TENANT, ORIGIN, START, demo=False, records=0, size=0, root=bytes(32), log_keys=("a", "b"))
    with pytest.raises(InternalError, match="version 1"):
        write(Pack(header, (), {}, (), ""))


def test_the_status_line_is_what_is_signed(log, pack):
    (line,) = [line for line in pack.splitlines() if line.startswith(b'{"status"')]
    assert status_digest(json.loads(line)["status"]).value in {
        subject.digest.value for _, envelope, _ in log.entries for subject in envelope.statement.subjects
    }
