from dataclasses import replace

import pytest

from ringfence.kernel.errors import InternalError
from ringfence.kernel.statement import KeyRole
from ringfence.signing.opening import in_process
from ringfence.signing.roles import RoleSigner
from ringfence.testing.clock import START, FakeClock
from ringfence.testing.signing import LOG, folder, statement


def test_a_role_signs_as_itself_and_as_nobody_else(tmp_path):
    signer = in_process(folder(tmp_path / "home"), LOG, None, FakeClock())
    control, emergency = (RoleSigner(signer, role) for role in (KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY))
    made = statement(signer, KeyRole.CONTROL_PLANE, START)
    assert control.sign(made).verify(control.public_key) == made
    with pytest.raises(InternalError):
        emergency.sign(made)
    with pytest.raises(InternalError):
        control.sign(replace(made, issuance=replace(made.issuance, issuer=emergency.key)))
