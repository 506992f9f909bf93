"""The page of clocks says what the data says."""

from ringfence.incidents import catalog


def test_every_stage_stands_on_the_page_with_its_provision_and_source(root, check):
    page = (root / "docs" / "reference" / "clocks.md").read_text(encoding="utf-8")
    rows = [
        f"| {stage.title} (`{stage.id}`) | {stage.ref} | {stage.period or 'no fixed period'} "
        f"| {stage.counted_from} | {stage.source} |"
        for regime in catalog.load().regimes.values()
        for stage in regime.stages
    ]
    check([row for row in rows if row not in page])
    assert page.count("\n| ") == len(rows) + len(catalog.load().regimes)
    assert catalog.load().status_date in page
