from dataclasses import replace

import pytest

from ringfence.artifacts.checks import local, policy, running
from ringfence.artifacts.checks.model import Check, not_run
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, UsageError
from ringfence.testing.training import FilesInMemory, as_csv, texts

ORDER = running.Order(policy.parse({}))


def subject(digests):
    files = FilesInMemory({"a.csv": as_csv(texts(50, 1))})
    return local.Subject(files, "a", lambda: next(digests), not_run(Check.SIGNATURE, "none"))


def test_a_report_names_the_bytes_that_were_checked():
    digest = Digest.of(b"x")
    report, profile = local.check(subject(iter([digest, digest])), ORDER)
    assert report.content == str(digest)
    assert report.rows == profile.rows == 50


def test_bytes_that_changed_meanwhile_are_no_result():
    with pytest.raises(Conflict):
        local.check(subject(iter([Digest.of(b"x"), Digest.of(b"y")])), ORDER)


def test_only_sealed_bytes_are_stated_about():
    one = subject(iter([Digest.of(b"x")] * 2))
    report, _ = local.check(one, ORDER)
    with pytest.raises(UsageError, match="seal it"):
        local.state(None, replace(one, sealed=None), report, b"", bytes)
