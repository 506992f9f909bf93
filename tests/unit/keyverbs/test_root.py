import subprocess
from pathlib import Path

from ringfence.installation import open_home
from ringfence.kernel.actor import Role
from ringfence.storage import keyfile
from ringfence.storage.shares import split
from ringfence.testing.program import COMMAND, environment


def test_the_root_is_split_stated_and_removed_and_shares_enrol(say, signing_keys, home_now, tmp_path):
    folder = tmp_path / "shares"
    code, document, _ = say("key", "split-root", folder, "--threshold", 2, "--shares", 3, "--json")
    assert (code, len(document["files"])) == (0, 3)
    assert not open_home(home_now.path).root_path.exists()
    assert signing_keys()["root"]["kept"][-1] | {"since": ""} == {
        "since": "",
        "custody": "shares",
        "threshold": 2,
        "shares": 3,
    }
    first, second, third = document["files"]
    assert say("key", "join-root", "--share", first, "--share", third)[0] == 0
    assert say("user", "add", "Ada", "--role", "engineer")[0] == 2
    given = ["--root-share", second, "--root-share", third]
    assert say("user", "add", "Ada", "--role", "engineer", *given)[0] == 0
    code, _, err = say("user", "add", "Bea", "--role", "engineer", "--root-share", first)
    assert code == 3
    assert "1 were given" in err


def test_shares_on_paper_are_printed_once_and_written_nowhere(say, home_now):
    code, document, _ = say("key", "split-root", "-", "--json")
    assert (code, len(document["shares"])) == (0, 3)
    words = document["shares"][0].split("words ")[1][:60].encode()
    files = [path for path in home_now.path.rglob("*") if path.is_file()]
    assert not [path for path in files if words in path.read_bytes()]


def test_a_splitting_that_fails_leaves_the_root_key(say, home_now, tmp_path):
    folder = tmp_path / "shares"
    folder.mkdir()
    (folder / "root-share-2.txt").write_text("in the way")
    assert say("key", "split-root", folder)[0] != 0
    assert sorted(path.name for path in folder.iterdir()) == ["root-share-2.txt"]
    assert keyfile.load(open_home(home_now.path).root_path, None).secret("root")
    assert say("key", "split-root", "-", "--threshold", "1")[0] == 2
    assert open_home(home_now.path).root_path.exists()


def test_a_root_that_could_not_be_shown_in_shares_stays(home_now):
    command = [*COMMAND, "key", "split-root", "-"]
    with Path("/dev/full").open("w") as nowhere:
        done = subprocess.run(command, env=environment(home_now.environment(Role.OWNER)), stdout=nowhere, check=False)
    assert done.returncode != 0
    assert keyfile.load(open_home(home_now.path).root_path, None).secret("root")


def test_a_root_of_another_home_is_not_split(say, tmp_path):
    keyfile.create(tmp_path / "other.json", {"root": bytes(32)}, None)
    assert say("key", "split-root", tmp_path / "shares", "--root-key", tmp_path / "other.json")[0] != 0
    assert list((tmp_path / "shares").iterdir()) == []
    assert (tmp_path / "other.json").exists()


def test_shares_of_another_home_are_found_out(say, tmp_path):
    paths = []
    for number, share in enumerate(split(bytes(32), threshold=2, shares=2)):
        paths.append(tmp_path / str(number))
        paths[-1].write_text(share.to_text())
        paths[-1].chmod(0o600)
    code, _, err = say("key", "join-root", "--share", paths[0], "--share", paths[1])
    assert code == 1
    assert "of another home" in err
    paths[0].chmod(0o644)
    assert say("key", "join-root", "--share", paths[0], "--share", paths[1])[0] == 2
