import re

import pytest

from ringfence.frontends.multipart import Upload
from ringfence.kernel.actor import Role
from ringfence.testing.home import TENANT
from ringfence.workloads.console.data import _of

FILES = [("files", ("set/a.csv", b"x,y\n1,2\n")), ("files", ("set/deep/b.csv", b"1"))]


@pytest.fixture
def http(services, home):
    with home.http(services, role=Role.ENGINEER) as client:
        yield client


def test_what_was_dropped_is_written_below_one_folder(tmp_path):
    folder = _of(Upload({}, (("set/a.csv", b"1"), ("b", b"2"))))(tmp_path / "files")
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {"set/a.csv", "b"}


def test_what_was_dropped_waits_for_a_signature_and_stands_nowhere_before(http, services):
    answer = http.post("/data", data={"name": "claims"}, files=FILES)
    assert answer.status_code == 303, answer.text
    assert re.fullmatch(r"/sign/act-[0-9a-f]{32}", answer.headers["location"])
    shown = http.get(answer.headers["location"]).text
    assert "dataset.sealed" in shown
    assert "your signature is what is recorded" in shown
    assert services.artifacts.all(TENANT) == []
    page = http.get("/data").text
    assert "No dataset is sealed yet" in page
    assert answer.headers["location"] in page


def test_two_seals_at_once_are_refused(http):
    assert http.post("/data", data={"name": "claims"}, files=FILES).status_code == 303
    again = http.post("/data", data={"name": "others"}, files=FILES)
    assert (again.status_code, "runs already" in again.text) == (409, True)


@pytest.mark.parametrize("name", ["", "No Name", "../x"])
def test_a_name_that_is_none_seals_nothing(http, name):
    assert http.post("/data", data={"name": name}, files=FILES).status_code == 422


def test_what_is_neither_the_sample_nor_files_is_refused(http):
    assert http.post("/data", data={"sample": "another"}).status_code == 422
    assert http.post("/data", data={"name": "claims"}).status_code == 422


def test_no_files_at_all_seal_nothing(http, services):
    http.post("/data", data={"name": "claims"}, files=[("files", ("", b""))])
    assert services.artifacts.all(TENANT) == []


def test_a_reader_is_offered_nothing_to_seal(services, home):
    with home.http(services, role=Role.AUDITOR) as client:
        assert 'action="/data"' not in client.get("/data").text
        assert client.post("/data", data={"sample": "wdbc"}).status_code == 403


def test_who_has_no_passkey_is_told_how_to_seal_in_the_terminal(http):
    text = http.get("/data").text
    assert "ringfence dataset seal SRC NAME" in text
    assert "Seal the sample" not in text


def test_an_unknown_dataset_is_not_verified(http):
    assert http.post(f"/data/datasets/{'f' * 32}/verify").status_code == 404
