from ringfence.compute.providers import processes
from ringfence.compute.providers.processes import Process
from ringfence.compute.providers.records import Record, Records
from ringfence.testing.compute import spec

NODE = spec().node


def test_what_was_written_is_read(tmp_path):
    records = Records(tmp_path / "nodes")
    record = Record(
        NODE, "namespace", 70000, "ssh-ed25519 AAAA", "10.0.0.2", (Process(1, 2), Process(3, 4)), started=True
    )
    records.begin(record)
    assert records.read(NODE) == record
    assert records.all("namespace") == [record]
    assert records.all("vm") == []
    assert records.folder(NODE).stat().st_mode & 0o777 == 0o700
    records.remove(NODE)
    records.remove(NODE)
    assert (records.folders(), records.read(NODE)) == ([], None)


def test_a_spoilt_record_is_none_and_its_folder_is_seen(tmp_path):
    records = Records(tmp_path)
    records.begin(Record(NODE, "namespace"))
    for text in (
        "",
        "{",
        "[]",
        "{}",
        '{"processes": 1}',
        '{"processes": [], "node": "n", "node_class": "x", "new": 1}',
    ):
        (records.folder(NODE) / "node.json").write_text(text)
        assert records.read(NODE) is None
    assert records.folders() == [NODE]


def test_a_node_is_alive_when_all_of_it_is():
    me = processes.find(1) or Process(1, 0)
    record = Record(NODE, "namespace", processes=(me,), started=True)
    assert record.alive
    assert not record.with_process(Process(me.pid, me.started + 1)).alive
    assert not Record(NODE, "namespace", processes=(me,)).alive
    assert not Record(NODE, "namespace", started=True).alive
    assert record.first is None
    assert record.with_process(me).first == me
