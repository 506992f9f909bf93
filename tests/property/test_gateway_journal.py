"""The gateway's journal as a machine: wherever it dies, what was acknowledged is there, and once."""

import asyncio
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.gateway import records, segment
from ringfence.gateway.records import Because, Outcome
from ringfence.testing import receipts

TENANT = receipts.TENANT
LIFE = st.lists(st.sampled_from(["admit", "end", "group", "roll"]), max_size=12)
DEATHS = st.lists(st.tuples(LIFE, st.binary(max_size=200)), min_size=1, max_size=3)


class Model:
    """What was acknowledged, and what is open."""

    def __init__(self):
        self.next = 1
        self.open = []
        self.done = []

    def begin(self):
        self.open.append(self.next)
        self.next += 1
        return self.open[-1]


async def live(journal, model, acts):
    for act in acts:
        match act:
            case "admit":
                await journal.admit(receipts.admitted(model.begin()))
            case "end" if model.open:
                model.done.append(model.open.pop(0))
                await journal.finish(receipts.finished(model.done[-1]))
            case "group":
                numbers = [model.begin() for _ in range(3)]
                await receipts.answered(journal, numbers)
                model.done += numbers
                model.open = model.open[:-3]
            case "roll":
                journal._roll()  # the writing thread waits for work: nothing else rolls now


def die(journal, garbage):
    """Leave the journal as a killed process does: nothing closed, the lock gone, a torn frame at the end."""
    end = journal.file.end
    journal._closing.stop()
    os.close(journal.lock)
    with journal.file.path.open("r+b") as file:
        file.seek(end)
        file.write(garbage)


@settings(max_examples=25)
@given(DEATHS)
def test_what_was_acknowledged_is_in_one_segment_once(tmp_path_factory, deaths):
    folder, model, aborted = tmp_path_factory.mktemp("g") / "gateway", Model(), []

    async def lives():
        for acts, garbage in deaths:
            journal = receipts.opened(folder, most=16)
            await live(journal, model, acts[:12])
            die(journal, garbage)
            aborted.extend(model.open)
            model.open = []
        await asyncio.to_thread(receipts.opened(folder).close)

    asyncio.run(lives())
    files, found, before = receipts.closer(folder).files, [], None
    for number in range(1, (files.last(TENANT) if files.tenants() else 0) + 1):
        leaves = files.leaves(TENANT, number)
        before = segment.follows(before, segment.read(files.envelope(TENANT, number).statement))
        assert before.root.value == segment.root_of([segment.leaf_hash(leaf) for leaf in leaves])
        found += [records.parse(leaf) for leaf in leaves]
    by_outcome = {
        outcome: sorted(record.admitted.request for record in found if record.finished.outcome is outcome)
        for outcome in Outcome
    }
    assert by_outcome[Outcome.COMPLETE] == sorted(receipts.request(number) for number in model.done)
    assert by_outcome[Outcome.ABORTED] == sorted(receipts.request(number) for number in aborted)
    assert {r.finished.because for r in found} <= {Because.NONE, Because.GATEWAY_RESTARTED}
    assert sorted(record.number for record in found) == list(range(1, model.next))
