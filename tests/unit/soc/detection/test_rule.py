"""Rule sets: names, and who stays silent."""

from ringfence.soc.detection.rule import About, Correlation, Kind, LogSource, Rule, RuleSet


def test_what_only_serves_is_silent() -> None:
    rules = tuple(
        Rule(About(name, "", "low"), "", LogSource(), lambda _f, _r: True, None) for name in ("a", "b", "alone")
    )
    first = Correlation(About("c", "", "low"), Kind.TEMPORAL, ("a", "b"), (), 1, 2, finding=True)
    second = Correlation(About("d", "", "low"), Kind.TEMPORAL_ORDERED, ("c", "b"), (), 1, 2)
    given = RuleSet(rules, (first, second))
    assert given.names() == {"a", "b", "alone", "c", "d"}
    assert given.silent() == {"a", "b"}
