from dataclasses import replace

import pytest

from ringfence.attestation import judging_tpm, tpm_structures
from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import Activation, Binding, Claim, Family, Level
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import (
    AT,
    ENDORSEMENT_USE,
    QUOTED,
    SERVER_USE,
    Authority,
    SoftTpm,
    booted,
    event,
    expected,
    measured,
    values_of,
)

BINDING = Binding(b"n" * 32, b"key", Digest.of(b"workload"), "patients")
FILES = {"/usr/bin/a": b"a"}
ROOT = Authority.root("Maker of TPMs")


def vouched(tpm, **given):
    return ROOT.certify("EK", tpm.ek_key, **({"use": ENDORSEMENT_USE} | given))


class Machine:
    """A machine that was started, its evidence, and what is expected of it."""

    def __init__(self, events=None, software=False, **tpm):
        self.tpm = SoftTpm(**tpm)
        self.log = self.tpm.boots(booted() if events is None else events)
        self.files = measured(FILES, self.tpm)
        self.expected = expected(
            Family.TPM2, values_of(self.tpm, self.log, FILES), (ROOT.trusted(software=software),), frozenset(RIGHT)
        )
        self.evidence = self.tpm.evidence(BINDING, certificate=vouched(self.tpm), log=self.log, files=self.files)

    def judge(self, evidence=None, values=None, activation=Activation.PROVEN, binding=BINDING, at=AT):
        wanted = self.expected if values is None else replace(self.expected, values=values)
        return appraise(evidence or self.evidence, wanted, binding, at, activation=activation)


RIGHT = set(Claim) - {Claim.TCB, Claim.COLLATERAL}


def level(appraisal, claim):
    return appraisal.claims[claim].level


def test_a_machine_that_is_as_expected():
    done = Machine().judge()
    assert done.acceptable, done.claims
    assert not done.software_tpm
    assert done.device.startswith("tpm2:sha256:")
    assert done.measurements["pcr-0"] == Machine().tpm.pcrs[0].hex()
    assert any("place" in sentence or "stands" in sentence for sentence in done.not_shown)


def test_a_program_is_called_one_whatever_its_root_says():
    assert Machine(software=True).judge().software_tpm
    assert Machine(firmware=0x2019102300163636).judge().software_tpm
    machine = Machine()
    named = ROOT.certify("EK", machine.tpm.ek_key, extensions={"1.2.3": b"\x0c\x05swtpm"})
    assert machine.judge(replace(machine.evidence, ek_certificate=named)).software_tpm
    assert machine.judge(replace(machine.evidence, ek_certificate=None)).software_tpm
    ours = ROOT.certify("software TPM of n-00000001", machine.tpm.ek_key, use=ENDORSEMENT_USE)
    assert machine.judge(replace(machine.evidence, ek_certificate=ours)).software_tpm


@pytest.mark.parametrize("firmware", [0x2019102300163636, 0x2024012500120000, 0x2016051100162800])
def test_firmware_that_begins_with_a_day_is_a_program(firmware):
    assert Machine(firmware=firmware).judge().software_tpm


@pytest.mark.parametrize("firmware", [0x0007005500118200, 0x0001010212345678, 0x2024133100000000])
def test_other_firmware_is_what_its_root_says(firmware):
    assert not Machine(firmware=firmware).judge().software_tpm


@pytest.mark.parametrize(
    ("how", "shown"),
    [(Activation.NONE, Level.WARNING), (Activation.PROVEN, Level.AFFIRMING), (Activation.ENFORCED, Level.AFFIRMING)],
)
def test_identity_needs_a_credential(how, shown):
    done = Machine().judge(activation=how)
    assert level(done, Claim.IDENTITY) is shown
    assert done.acceptable == (shown is Level.AFFIRMING)


def test_the_quote_has_to_answer_this_challenge():
    other = Binding(b"o" * 32, b"key", BINDING.workload, "patients")
    elsewhere = Binding(b"n" * 32, b"another key", BINDING.workload, "patients")
    for bound in (other, elsewhere, None):
        done = Machine().judge(binding=bound)
        assert not done.acceptable
        assert level(done, Claim.FRESH) is not Level.AFFIRMING


def test_a_narrower_selection_is_refused():
    machine = Machine()
    for missing in sorted(QUOTED):
        narrow = machine.tpm.evidence(
            BINDING, certificate=vouched(machine.tpm), log=machine.log, selected=QUOTED - {missing}
        )
        done = machine.judge(narrow)
        assert level(done, Claim.SIGNATURE) is Level.CONTRAINDICATED, missing
        assert not done.acceptable


def test_values_beside_the_quote_count_only_where_it_covers_them():
    machine = Machine()
    for pcrs in (
        machine.evidence.pcrs | {15: bytes(32)},
        {number: value for number, value in machine.evidence.pcrs.items() if number != 14},
        machine.evidence.pcrs | {0: b"x" * 32},
    ):
        assert level(machine.judge(replace(machine.evidence, pcrs=pcrs)), Claim.SIGNATURE) is Level.CONTRAINDICATED


def test_another_bank_does_not_count():
    machine = Machine()
    quote = machine.tpm.attest(BINDING.digest, bank=tpm_structures.SHA384)
    forged = replace(machine.evidence, quote=quote, signature=machine.tpm.sign(quote))
    assert "another bank" in machine.judge(forged).claims[Claim.SIGNATURE].reason


@pytest.mark.parametrize("attributes", [0x00040072, 0x00070072, 0x00050062])
def test_a_key_that_may_sign_anything_is_refused(attributes):
    done = Machine(attributes=attributes).judge()
    assert level(done, Claim.SIGNATURE) is Level.CONTRAINDICATED
    assert not done.acceptable


def test_a_quote_names_its_signer_below_the_hierarchies_of_its_tpm():
    machine = Machine()
    quote = machine.evidence.quote.replace(machine.evidence.quote[8:42], b"\x00\x0b" + b"x" * 32)
    forged = replace(machine.evidence, quote=quote, signature=machine.tpm.sign(quote))
    assert "another signer" in machine.judge(forged).claims[Claim.SIGNATURE].reason


def test_a_list_that_begins_with_another_boot_is_refused():
    machine = Machine()
    machine.tpm.pcrs[10] = bytes(32)
    other = SoftTpm()
    listed = measured(FILES, other)  # of a machine whose PCR 0 to 9 are zero
    machine.tpm.pcrs[10] = other.pcrs[10]
    found = machine.tpm.evidence(BINDING, certificate=vouched(machine.tpm), log=machine.log, files=listed)
    assert "boot_aggregate" in machine.judge(found).claims[Claim.RUNTIME].reason


def test_keys_of_another_tpm_are_refused():
    machine, other = Machine(), Machine(seed=8)
    for evidence, claim in (
        (replace(machine.evidence, ak=other.evidence.ak), Claim.SIGNATURE),
        (replace(machine.evidence, signature=other.tpm.sign(machine.evidence.quote)), Claim.SIGNATURE),
        (replace(machine.evidence, ek=other.evidence.ek), Claim.CHAIN),
        (replace(machine.evidence, ek_certificate=other.evidence.ek_certificate), Claim.CHAIN),
        (replace(machine.evidence, ek=machine.evidence.ak), Claim.IDENTITY),
    ):
        done = machine.judge(evidence)
        assert level(done, claim) is Level.CONTRAINDICATED
        assert not done.acceptable


@pytest.mark.parametrize("given", [{"use": SERVER_USE}, {"is_ca": True}, {"days": -1}])
def test_certificates_for_something_else_are_refused(given):
    machine = Machine()
    evidence = replace(machine.evidence, ek_certificate=vouched(machine.tpm, **given))
    assert level(machine.judge(evidence), Claim.CHAIN) is Level.CONTRAINDICATED


def test_a_root_of_another_key_is_none():
    machine = Machine()
    twin = Authority.root("Maker of TPMs", seed=55)
    wrong = replace(machine.expected, roots=(twin.trusted(software=False),))
    done = appraise(machine.evidence, wrong, BINDING, AT, activation=Activation.PROVEN)
    assert level(done, Claim.CHAIN) is Level.CONTRAINDICATED
    assert done.software_tpm


@pytest.mark.parametrize("changed", [{"kernel": b"k"}, {"initrd": b"i"}, {"line": b"l"}])
def test_another_kernel_initrd_or_command_line_is_refused(changed):
    right, wrong = Machine(), Machine(booted(**changed))
    done = right.judge(wrong.evidence)
    assert level(done, Claim.BOOT) is Level.CONTRAINDICATED
    assert not done.acceptable


def test_other_firmware_is_refused():
    wrong = Machine([event(0, 8, b"firmware 2"), *booted()[1:]])
    assert "PCR 0" in Machine().judge(wrong.evidence).claims[Claim.BOOT].reason


def test_a_log_of_another_boot_is_refused():
    machine = Machine()
    for log in (Machine(booted(kernel=b"k")).log, Machine([]).log):
        done = machine.judge(replace(machine.evidence, event_log=log))
        assert level(done, Claim.BOOT) is Level.CONTRAINDICATED
        assert level(done, Claim.DEBUG) is Level.CONTRAINDICATED


def test_without_a_log_or_reference_values_a_boot_is_not_shown():
    machine = Machine()
    assert not machine.judge(replace(machine.evidence, event_log=None)).acceptable
    values = machine.expected.values
    assert level(machine.judge(values=replace(values, golden={}, events={})), Claim.BOOT) is Level.NONE
    partial = machine.judge(values=replace(values, events={}))
    assert level(partial, Claim.BOOT) is Level.WARNING
    assert "PCR 4" in partial.claims[Claim.BOOT].reason
    bare = machine.judge(replace(machine.evidence, event_log=None), replace(values, events={}))
    assert level(bare, Claim.DEBUG) is Level.NONE
    assert not bare.acceptable


def test_a_debugger_is_refused():
    done = Machine([*booted(), event(7, 0x80000007, b"UEFI Debug Mode")]).judge()
    assert level(done, Claim.DEBUG) is Level.CONTRAINDICATED
    assert not done.acceptable


def test_what_ran_has_to_be_in_the_allow_list():
    machine = Machine()
    values = machine.expected.values
    assert level(machine.judge(values=replace(values, ima={})), Claim.RUNTIME) is Level.WARNING
    assert (
        level(machine.judge(values=replace(values, ima={"/other": frozenset()})), Claim.RUNTIME)
        is Level.CONTRAINDICATED
    )
    assert level(machine.judge(replace(machine.evidence, ima=None)), Claim.RUNTIME) is Level.NONE
    assert not machine.judge(replace(machine.evidence, ima=b"")).acceptable


def test_firmware_of_the_tpm_has_a_least_version():
    machine = Machine(firmware=7)
    values = machine.expected.values
    assert level(machine.judge(values=replace(values, least_firmware=7)), Claim.TCB) is Level.AFFIRMING
    assert level(machine.judge(values=replace(values, least_firmware=8)), Claim.TCB) is Level.CONTRAINDICATED


def test_the_log_of_a_real_machine_is_judged():
    real = samples.machine()
    tpm = SoftTpm(pcrs=dict(real["pcrs"]) | {number: bytes(32) for number in range(16, 24)})
    evidence = tpm.evidence(BINDING, certificate=vouched(tpm), log=real["eventLog"], files=real["ima"])
    values = replace(values_of(tpm, real["eventLog"]), ima={"/none": frozenset({"sha256:" + "0" * 64})})
    wanted = expected(Family.TPM2, values, (ROOT.trusted(software=False),), frozenset(RIGHT))
    done = appraise(evidence, wanted, BINDING, AT, activation=Activation.PROVEN)
    assert done.acceptable, done.claims
    assert done.measurements["initrd"] == real["initrd"]


def test_what_a_credential_is_made_for():
    machine = Machine()
    endorsement, name = judging_tpm.endorsement(machine.evidence)
    assert (endorsement.name, name) == (tpm_structures.parse_public(machine.tpm.ek).name, machine.tpm.name)
    with pytest.raises(MalformedInput):
        judging_tpm.endorsement(replace(machine.evidence, ak=machine.evidence.ek))


def test_a_driver_that_was_added_to_the_firmware_is_refused():
    wrong = Machine([event(2, 0x80000004, b"driver"), *booted()])
    done = Machine().judge(wrong.evidence)
    assert "PCR 2" in done.claims[Claim.BOOT].reason
    assert level(done, Claim.BOOT) is Level.CONTRAINDICATED
    assert not done.acceptable


@pytest.mark.parametrize("missing", [2, 4, 8, 9])
def test_every_register_whose_events_are_explained_is_quoted(missing):
    machine = Machine()
    values = replace(machine.expected.values, pcrs=QUOTED - {missing})
    narrow = machine.tpm.evidence(
        BINDING, certificate=vouched(machine.tpm), log=machine.log, selected=QUOTED - {missing}
    )
    done = machine.judge(narrow, values)
    assert level(done, Claim.SIGNATURE) is Level.AFFIRMING
    assert f"[{missing}]" in done.claims[Claim.BOOT].reason


@pytest.mark.parametrize("missing", [None, 0, 2, 4, 8, 9])
def test_whole_values_stand_for_a_boot_where_none_is_missing(missing):
    machine = Machine()
    golden = {number: frozenset({machine.tpm.pcrs[number]}) for number in (0, 2, 4, 8, 9) if number != missing}
    done = machine.judge(values=replace(machine.expected.values, golden=golden, events={}))
    assert level(done, Claim.BOOT) is (Level.AFFIRMING if missing is None else Level.WARNING)
    if missing is not None:
        assert str(missing) in done.claims[Claim.BOOT].reason


def test_where_no_firmware_measured_nothing_is_said_of_debuggers():
    machine = Machine([item for item in booted() if item.pcr != 7])
    done = machine.judge()
    assert "never extended" in done.claims[Claim.DEBUG].reason
    assert not done.acceptable


def test_what_a_log_says_of_the_start_is_shown_only_where_it_is_that_of_the_quote():
    machine, other = Machine(), Machine(booted(kernel=b"k"))
    assert {"kernel", "initrd", "cmdline"} <= set(machine.judge().measurements)
    lies = machine.judge(replace(machine.evidence, event_log=other.log))
    assert not {"kernel", "initrd", "cmdline"} & set(lies.measurements)
    narrow = machine.tpm.evidence(BINDING, log=machine.log, selected=QUOTED - {4})
    assert {"kernel", "initrd", "cmdline"} & set(machine.judge(narrow).measurements) == {"initrd", "cmdline"}
