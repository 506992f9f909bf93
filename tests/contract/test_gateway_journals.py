"""What the hot path relies on holds for the journal on a disk and for the one that tests use."""

import os
from contextlib import contextmanager, suppress

import pytest

from ringfence.testing import receipts
from ringfence.testing.gateway import FakeJournal
from ringfence.testing.receipts import JournalContract


class TestFileJournal(JournalContract):
    @pytest.fixture
    def opened(self, tmp_path):
        @contextmanager
        def journal():
            made = receipts.opened(tmp_path / "gateway")
            try:
                yield made
            finally:
                made.close()

        return journal

    @pytest.fixture
    def spoil(self):
        def act(journal):
            read_only = os.open(journal.file.path, os.O_RDONLY)
            os.dup2(read_only, journal.file.descriptor)
            with suppress(OSError):
                os.close(read_only)

        return act


class TestFakeJournal(JournalContract):
    @pytest.fixture
    def opened(self):
        @contextmanager
        def journal():
            yield FakeJournal()

        return journal

    @pytest.fixture
    def spoil(self):
        def act(journal):
            journal.failing = True

        return act
