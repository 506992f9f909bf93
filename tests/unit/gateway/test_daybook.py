import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway import daybook, records
from ringfence.gateway.daybook import MAX_FRAME, Counts, Daybook, frame, frames_of, replay, state_frame
from ringfence.gateway.records import Because, Outcome
from ringfence.kernel.errors import InternalError, MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.testing import receipts
from ringfence.testing.clock import START

TENANTS = (Tenant("acme"), Tenant("other"))
ADMISSION = Daybook().admit(receipts.admitted(1))


def begun():
    return [state_frame({})], Daybook()


def written(acts, together=1):
    """Return a file and its book after acts: a positive number admits, a negative one ends, zero begins a new file.

    So many payloads stand in one frame.
    """
    frames, book = begun()
    payloads = []
    for act in acts:
        if act > 0:
            payloads.append(book.admit(receipts.admitted(act, tenant=TENANTS[act % 2])))
        elif act < 0:
            payloads.append(book.finish(receipts.finished(-act)))
        else:
            payloads = []
            book, frames = book.successor()
    groups = [payloads[at : at + together] for at in range(0, len(payloads), together)]
    return b"".join([*frames, *map(frames_of, groups)]), book


@st.composite
def sensible(draw):
    """Draw acts that can happen: nothing ends that is not open."""
    acts, free, running = [], list(range(1, 12)), []
    for _ in range(draw(st.integers(0, 25))):
        choices = [0] + ([free[0]] if free else []) + ([-draw(st.sampled_from(running))] if running else [])
        act = draw(st.sampled_from(choices))
        acts.append(act)
        if act > 0:
            running.append(free.pop(0))
        elif act < 0:
            running.remove(-act)
    return acts


@given(sensible(), st.integers(1, 5))
def test_a_file_adds_up_to_the_book_that_wrote_it(acts, together):
    data, book = written(acts, together)
    assert replay(data) == book
    assert daybook.extent(data) == len(data)


@given(sensible(), st.integers(1, 5), st.data())
def test_a_torn_end_is_left_out_and_nothing_before_it(acts, together, data):
    whole, _ = written(acts, together)
    cut = data.draw(st.integers(len(state_frame({})), len(whole)))
    garbage = data.draw(st.binary(max_size=80))
    try:
        end = daybook.extent(whole[:cut] + garbage)
        book = replay(whole[:cut] + garbage)
    except MalformedInput:
        assert cut < len(written(acts)[0])  # only where the state itself was cut, which is durable before the name
    else:
        assert replay(whole[:end]) == book


@given(sensible())
def test_across_files_every_number_is_given_once_and_every_end_is_in_one_segment(acts):
    numbers, ended, book = {tenant: [] for tenant in TENANTS}, [], Daybook()
    for act in [*acts, 0]:
        if act > 0:
            book.admit(receipts.admitted(act, tenant=TENANTS[act % 2]))
        elif act < 0:
            book.finish(receipts.finished(-act))
        else:
            for tenant, done, closing in book.closings():
                assert closing.records == len(done.leaves)
                ended += [records.parse(leaf).admitted.request for leaf in done.leaves]
                numbers[tenant].append((closing.number, closing.finished, closing.records))
            book, _ = book.successor()
    assert sorted(ended) == sorted(receipts.request(-act) for act in acts if act < 0)
    for given_numbers in numbers.values():
        assert [number for number, _, _ in given_numbers] == list(range(1, len(given_numbers) + 1))
        assert [finished for _, finished, _ in given_numbers] == [
            sum(count for _, _, count in given_numbers[: place + 1]) for place in range(len(given_numbers))
        ]


def test_a_group_is_there_whole_or_not_at_all_and_never_takes_more_room_than_frames_of_their_own():
    book = Daybook()
    payloads = [book.admit(receipts.admitted(number)) for number in (1, 2, 3)]
    for count in (1, 2, 3):
        group = frames_of(payloads[:count])
        assert len(group) <= sum(len(frame(payload)) for payload in payloads[:count])
        assert len(replay(state_frame({}) + group).open) == count
        assert replay(state_frame({}) + group[:-1]) == Daybook()


def test_a_long_group_is_cut_into_frames_that_can_be_read_back():
    book = Daybook()
    payloads = [book.admit(receipts.admitted(number)) for number in range(1, 2401)]
    data = frames_of(payloads)
    assert len(data) > MAX_FRAME
    assert replay(state_frame({}) + data) == book


def test_admissions_are_numbered_per_tenant():
    book = Daybook()
    for number in (1, 2, 3, 4):
        book.admit(receipts.admitted(number, tenant=TENANTS[number % 2]))
    assert {tenant: counts.admitted for tenant, counts in book.counts.items()} == {"acme": 2, "other": 2}
    for number in (4, 3, 2, 1):
        book.finish(receipts.finished(number))
    found = [records.parse(leaf).number for leaf in book.ended[TENANTS[0]].leaves]
    assert found == [2, 1]


def test_what_was_open_at_a_crash_ends_as_aborted_and_says_why():
    book = Daybook()
    book.admit(receipts.admitted(1))
    book.admit(receipts.admitted(2))
    book.finish(receipts.finished(1))
    frames = book.abort_open(START)
    assert len(frames) == 1
    assert not book.open
    ((_, ended, closing),) = book.closings()
    last = records.parse(ended.leaves[-1]).finished
    assert (last.outcome, last.because, last.response_commitment) == (Outcome.ABORTED, Because.GATEWAY_RESTARTED, b"")
    assert (closing.admitted, closing.finished) == (2, 2)


def test_the_salt_of_a_record_stands_at_its_place():
    book = Daybook()
    for number in (1, 2, 3):
        book.admit(receipts.admitted(number))
    for number in (2, 3, 1):
        book.finish(receipts.finished(number))
    assert book.ended[TENANTS[0]].salts == [receipts.salt(2), receipts.salt(3), receipts.salt(1)]


def test_nothing_is_admitted_twice_or_ended_twice():
    book = Daybook()
    book.admit(receipts.admitted(1))
    with pytest.raises(InternalError, match="admitted twice"):
        book.admit(receipts.admitted(1))
    book.finish(receipts.finished(1))
    with pytest.raises(InternalError, match="ended twice"):
        book.finish(receipts.finished(1))
    assert book.counts[TENANTS[0]] == Counts(admitted=1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        daybook.frame(b"X"),
        daybook.frame(b'S{"acme":[1,2]}'),
        daybook.frame(b'S{"acme":[0,0,0]}'),
        daybook.frame(b'S{"acme":[1,1,2]}'),
        daybook.frame(b'S{"NO":[1,0,0]}'),
        daybook.frame(b"S[]"),
        state_frame({}) + daybook.frame(b"X"),
        state_frame({}) + daybook.frame(b"A" + bytes(32) + b"{}"),
        state_frame({}) + daybook.frame(b"F" + bytes(16) + records.finished_bytes(receipts.finished())),
        state_frame({}) + daybook.frame(b"F" + bytes(16) + b"[]"),
        state_frame({}) + daybook.frame(b"G" + bytes(4)),
        state_frame({}) + daybook.frame(b"G" + bytes(3)),
        state_frame({}) + daybook.frame(b"G\0\0\0\2X"),
        state_frame({}) + daybook.frame(b"G" + (len(ADMISSION) + 1).to_bytes(4, "big") + ADMISSION),
        state_frame({}) + daybook.frame(b"G\0\0\0\1G"),
        state_frame({}) + daybook.frame(b"G" + len(ADMISSION).to_bytes(4, "big") + ADMISSION + b"?"),
    ],
)
def test_whole_frames_that_do_not_belong_there_are_refused(data):
    with pytest.raises(MalformedInput, match=r"^a file: "):
        replay(data, source="a file")


def test_the_end_of_a_request_never_needs_more_than_is_kept_free_for_it():
    most = receipts.finished(
        events=records.MAX_COUNT, prompt_tokens=records.MAX_COUNT, completion_tokens=records.MAX_COUNT,
        because=Because.GATEWAY_RESTARTED, outcome=Outcome.REFUSED_UPSTREAM,
    )  # fmt: skip
    book = Daybook()
    assert len(book.admit(receipts.admitted(1))) <= daybook.MAX_ADMISSION
    assert len(book.finish(most)) <= daybook.MAX_FINISH
