from collections import Counter

from ringfence.artifacts.checks.model import Row
from ringfence.artifacts.checks.sampling import MAX_TEXT, Numbers, Sample


def sampled(count, size, seed):
    sample = Sample(size, seed)
    for number in range(count):
        sample.see(Row("f", number, "", {"a": str(number)}))
    return [row.number for row in sample.rows()]


def test_a_small_stream_is_kept_whole_and_in_order():
    assert sampled(50, 100, 1) == list(range(50))


def test_the_same_seed_chooses_the_same_rows_and_another_others():
    assert sampled(2000, 100, 1) == sampled(2000, 100, 1) != sampled(2000, 100, 2)


def test_every_row_is_as_likely_as_any_other():
    counts = Counter(number // 100 for seed in range(200) for number in sampled(1000, 50, seed))
    assert len(counts) == 10
    assert all(850 < count < 1150 for count in counts.values())  # 1,000 expected; 30 is one deviation


def test_long_texts_are_cut():
    sample = Sample(1, 1)
    sample.see(Row("f", 1, "", {"a": "x" * 10_000, "b": 1}))
    (row,) = sample.rows()
    assert len(row.cells["a"]) == MAX_TEXT
    assert row.cells["b"] == 1


def test_normal_numbers_are_nearly_normal():
    numbers = Numbers(1)
    values = [numbers.normal() for _ in range(4000)]
    assert abs(sum(values) / 4000) < 0.06
    assert abs(sum(value * value for value in values) / 4000 - 1) < 0.08
    assert all(0 <= numbers.below(7) < 7 for _ in range(100))
