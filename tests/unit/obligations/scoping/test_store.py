"""The secret is made once, kept private, and never half read."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.scoping.store import FILE, DescriptorSecret


def test_it_is_made_once(tmp_path):
    secret = DescriptorSecret(tmp_path)
    first = secret()
    assert len(first) == 32
    assert secret() == DescriptorSecret(tmp_path)() == first
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_half_of_it_is_refused(tmp_path):
    DescriptorSecret(tmp_path)()
    (tmp_path / FILE).write_bytes(b"short")
    with pytest.raises(MalformedInput, match="restore it from a backup"):
        DescriptorSecret(tmp_path)()
