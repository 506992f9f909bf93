import subprocess

import pytest

from ringfence.compute.providers import guest_scripts

MARK = "5e" * 16


@pytest.mark.parametrize("program", [guest_scripts.LOOK, guest_scripts.probe(4000).decode()])
def test_the_programs_parse(program):
    assert subprocess.run(["bash", "-n"], input=program, text=True, capture_output=True, check=False).stderr == ""


@pytest.mark.parametrize("way", ["root", "sudo"])
def test_the_rules_come_by_standard_input(way):
    for command in (guest_scripts.cut(way), guest_scripts.free(way)):
        assert f"{guest_scripts.NFT[way]} -f -" in command
        assert "$(" not in command
    assert guest_scripts.NFT["sudo"] == "sudo -n nft", "what the rule for sudo allows, and nothing around it"


def test_what_was_printed_whole_is_an_item():
    printed = f"noise\n{MARK} processes\n1 init\n2 sh\n\n{MARK} mounts\n/dev/sda /\n{MARK} sockets\ncut in the mid"
    assert guest_scripts.collected(printed, MARK) == {"processes": "1 init\n2 sh\n", "mounts": "/dev/sda /"}
    assert guest_scripts.collected("", MARK) == {}


def test_an_item_that_was_not_asked_for_is_none():
    printed = f"\n{MARK} ../../x\nforged\n{MARK} end\n"
    assert guest_scripts.collected(printed, MARK) == {}


def test_the_program_collects_here_too():
    program = guest_scripts.collect(MARK, 1000)
    done = subprocess.run(["sh", "-s"], input=program, capture_output=True, check=True)
    found = guest_scripts.collected(done.stdout.decode(errors="replace"), MARK)
    assert set(found) == set(guest_scripts.ITEMS)
    assert "/proc" in found["mounts"]
    assert len(found["processes"]) <= 1100
