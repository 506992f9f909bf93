"""The past of a control: whatever happened, it says at every moment what the board of that moment says."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.obligations import board, catalog, history
from ringfence.obligations.records import Records
from ringfence.testing.obligations import Story, breaking, made_for

CATALOG = catalog.load()
MADE = made_for(CATALOG, {})
RULES = CATALOG.by_control

events = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(MADE),
        "broken": st.booleans(),
        "waits": st.sampled_from([0, 60, 3600, 86_400, 86_400 * 40, 86_400 * 200]),
        "back": st.sampled_from([0, 0, 3600, 86_400]),
    }
)


def wrong(kind):
    """Return claims that break the first rule of a kind that can be broken."""
    rules = [rule for rule in CATALOG.requirements.values() if rule.evidence == kind.evidence]
    found = (claims for rule in rules for one in rule.conditions for claims in breaking(one, kind.claims))
    return next(found, kind.claims)


def told(happened):
    story = Story()
    for event in happened:
        kind = event["kind"]
        now = story.wait(timedelta(seconds=event["waits"]))
        story.add(
            kind.evidence,
            wrong(kind) if event["broken"] else kind.claims,
            subject=kind.subject,
            role=kind.role,
            strength=kind.strength,
            issued_at=now - timedelta(seconds=event["back"]),
        )
    story.wait(timedelta(days=1))
    return story


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_at_every_moment_it_says_what_the_board_says(data):
    control = data.draw(st.sampled_from(CATALOG.controls))
    asked = {rule.evidence for rule in RULES[control.id]}
    near = [kind for kind in MADE if kind.evidence in asked] or MADE
    event = events | st.builds(lambda one, kind: one | {"kind": kind}, events, st.sampled_from(near))
    story = told(data.draw(st.lists(event, min_size=1, max_size=12)))
    records = Records.of(story.tenant, story.statements)
    found = history.history(control, CATALOG, records, story.now)
    if found.looked == 0 or found.looked == history.MOST:
        return
    share = data.draw(st.floats(0, 1))
    moment = found.since + (story.now - found.since) * share
    shown = next(turn for turn in found.turns if turn.at <= moment).verdict
    whole = board.compute(CATALOG, records, moment).controls
    stood = next(one for one in whole if one.control.id == control.id).verdict
    assert (shown.state, shown.reason) == (stood.state, stood.reason)
