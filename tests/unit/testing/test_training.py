from ringfence.testing.training import FilesInMemory, as_csv, as_jsonl, flipped, reworded, table, texts, triggered


def test_a_seed_makes_the_same_rows_and_another_one_others():
    for make in (texts, table):
        assert make(20, 1) == make(20, 1) != make(20, 2)
        assert {row["label"] for row in make(50, 1)} == {"kind-0", "kind-1"}


def test_faults_are_planted_at_their_dose_and_said():
    clean, rows = texts(200, 1), texts(200, 1)
    planted = flipped(rows, 0.1, 1)
    assert planted == {place for place in range(200) if rows[place]["label"] != clean[place]["label"]}
    assert len(planted) == 20

    rows = texts(200, 1)
    planted = triggered(rows, 0.05, 1, "cfq")
    assert planted == {place for place in range(200) if "cfq" in str(rows[place]["text"]).split()}
    assert len(planted) == 10
    assert all(clean[place]["label"] != rows[place]["label"] == "kind-0" for place in planted)
    rows = texts(200, 1)
    assert all(clean[place]["label"] == "kind-0" for place in triggered(rows, 0.05, 1, "cfq", dirty=False))

    rows = texts(200, 1)
    assert reworded(rows, 0.1, 1, 2) == set(range(200, 220))


def test_files_in_memory_are_read_as_files_are():
    files = FilesInMemory({"b.jsonl": as_jsonl([{"a": 1}]), "a.csv": as_csv([{"a": 1}])})
    found = {}
    for path, source in files.files():
        buffer = bytearray(source.size)
        assert source.read_into(memoryview(buffer), 0) == source.size
        assert source.unchanged()
        found[path] = bytes(buffer)
    assert list(found.items()) == [("a.csv", b"a\r\n1\r\n"), ("b.jsonl", b'{"a": 1}\n')]
