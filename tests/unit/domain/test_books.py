"""What the books of a session hold, and what a commit writes into them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.books import (
    Books,
    Count,
    Paid,
    books_of,
    call_ended,
    changes,
    changes_of_deletion,
    open_calls,
    paid_for,
    reserved,
)
from bot.domain.costs import CallOutcome, CallState, Cost, PaidCall, Reservation
from bot.domain.failures import FailureKind
from bot.domain.session import Session
from bot.domain.stages import Stage
from tests.fakes import CHANNEL, ID, OWNER, a_candidate, a_session, an_attempt, with_latest

DAY, MONTH = "2026-11-28", "2026-11"
HELD = Reservation(OWNER, DAY, MONTH, 20_000, priced=True)
OPEN, MEASURED, ESTIMATED, FREE = CallState
COST = CallOutcome(MEASURED, cost=Cost(13_000, "v", known=True))
SPENT = (f"user:{OWNER}", f"channel:{CHANNEL}", "workspace")


def waiting(*states: CallState, images: int = 1) -> Session:
    """A session whose images are being made; the first took so many calls."""
    session = with_latest(a_session(Stage.GENERATING), reserved=HELD)
    attempt = an_attempt(images=images, reserved=HELD)
    calls = tuple(
        PaidCall(number, "run", state, 13_000 if state is MEASURED else 0, priced=True)
        for number, state in enumerate(states, 1)
    )
    first = replace(attempt.candidate(1), paid_calls=len(calls), calls=calls)
    return replace(session, attempts=(attempt.with_candidate(first),))


def reviewed(*states: CallState) -> Session:
    """The session after its image was made."""
    calls = waiting(*states).latest.candidate(1).calls
    return with_latest(a_session(), reserved=HELD, candidates=(a_candidate(calls=calls),))


def counts(images: int, micro: int) -> Counter[Count]:
    money = {Count(MONTH, name): micro for name in SPENT if micro}
    return Counter({Count(DAY, OWNER): images, **money}) if images else Counter()


def test_without_a_reservation_there_are_no_books() -> None:
    assert books_of(with_latest(reviewed(MEASURED), reserved=None)) == Books()


def test_each_image_that_waits_is_held() -> None:
    books = books_of(waiting(images=3))
    assert [*books.holds] == [f"{ID}.1.{number}.1" for number in (1, 2, 3)]
    assert all(entry.alone and entry.micro == 20_000 for entry in books.holds.values())
    assert books.lines == {}
    assert books.counts == counts(3, 60_000)


@pytest.mark.parametrize(
    ("states", "holds", "lines", "micro"),
    [
        ([], 1, 0, 20_000),
        ([OPEN], 1, 0, 20_000),
        ([FREE], 1, 0, 20_000),
        ([ESTIMATED], 1, 1, 40_000),
        ([MEASURED], 1, 1, 33_000),
        ([FREE, OPEN], 1, 0, 20_000),
        ([ESTIMATED, OPEN], 1, 1, 40_000),
    ],
)
def test_while_an_image_waits_its_next_call_is_held(
    states: list[CallState], holds: int, lines: int, micro: int
) -> None:
    books = books_of(waiting(*states))
    assert (len(books.holds), len(books.lines)) == (holds, lines)
    assert books.counts == counts(1, micro)
    assert [entry.alone for entry in books.holds.values()] == [not lines]


@pytest.mark.parametrize(
    ("states", "holds", "lines", "images", "micro"),
    [
        ([], 0, 0, 0, 0),
        ([FREE], 0, 0, 0, 0),
        ([OPEN], 1, 0, 1, 20_000),
        ([MEASURED], 0, 1, 1, 13_000),
        ([ESTIMATED], 0, 1, 1, 20_000),
        ([ESTIMATED, FREE, MEASURED], 0, 2, 1, 33_000),
    ],
)
def test_of_an_attempt_that_is_over_the_calls_alone_are_in_the_books(
    states: list[CallState], holds: int, lines: int, images: int, micro: int
) -> None:
    books = books_of(reviewed(*states))
    assert (len(books.holds), len(books.lines)) == (holds, lines)
    assert books.counts == counts(images, micro)


def test_a_call_without_a_price_counts_as_an_image_and_no_money() -> None:
    unpriced = with_latest(reviewed(ESTIMATED), reserved=replace(HELD, each=0, priced=False))
    assert books_of(unpriced).counts == counts(1, 0)


def test_a_new_session_writes_its_holds_and_counts() -> None:
    new = waiting(images=2)
    opened, closed, lines, by = changes(None, new)
    assert [entry.id for entry in opened] == [f"{ID}.1.1.1", f"{ID}.1.2.1"]
    assert (closed, lines) == ([], [])
    assert by == counts(2, 40_000)


def test_what_stays_is_not_written_again() -> None:
    session = waiting(ESTIMATED, OPEN)
    assert not any(changes(session, session))
    assert not any(changes(session, replace(session, updated_at=999.0)))


def test_a_measured_call_takes_the_place_of_its_hold() -> None:
    opened, closed, lines, by = changes(waiting(OPEN), reviewed(MEASURED))
    assert (opened, closed) == ([], [f"{ID}.1.1.1"])
    assert [(line.id, line.micro) for line in lines] == [(f"{ID}.1.1.1", 13_000)]
    assert by == {Count(MONTH, name): -7_000 for name in SPENT}


def test_an_attempt_that_ends_without_a_call_gives_back_its_image_too() -> None:
    cancelled = replace(waiting(), stage=Stage.INITIAL_INPUT)
    opened, closed, lines, by = changes(waiting(), cancelled)
    assert (opened, closed, lines) == ([], [f"{ID}.1.1.1"], [])
    assert by == {Count(DAY, OWNER): -1, **{Count(MONTH, name): -20_000 for name in SPENT}}


def test_an_open_call_of_an_attempt_that_is_dropped_counts_as_lost() -> None:
    dropped = replace(waiting(OPEN), attempts=(), stage=Stage.INITIAL_INPUT)
    _, closed, lines, by = changes(waiting(OPEN), dropped)
    assert closed == [f"{ID}.1.1.1"]
    assert [(line.call.state, line.micro) for line in lines] == [(ESTIMATED, 20_000)]
    assert by == {}


def test_the_open_call_of_a_session_that_is_deleted_counts_as_lost() -> None:
    deleted = changes_of_deletion(waiting(OPEN))
    assert [entry.call.state for entry in deleted.lines] == [ESTIMATED]
    assert (deleted.closed, deleted.counts) == ([f"{ID}.1.1.1"], {})


def test_a_deleted_session_that_called_nothing_gives_back_what_it_held() -> None:
    deleted = changes_of_deletion(waiting())
    assert (deleted.opened, deleted.lines) == ([], [])
    assert Counter(deleted.counts) == Counter({c: -by for c, by in counts(1, 20_000).items()})


def test_the_newest_attempt_reserves() -> None:
    session = a_session(attempts=2)
    both = reserved(session, HELD).attempts
    assert [attempt.reserved for attempt in both] == [None, HELD]


def test_a_line_stays_where_a_later_answer_names_another_model() -> None:
    before = reviewed(ESTIMATED, MEASURED)
    renamed = replace(before.latest.candidate(1), model="another")
    after = with_latest(before, candidates=(renamed,))
    assert changes(before, after).lines == []


@pytest.mark.parametrize(
    ("states", "paid"),
    [
        ([], None),
        ([OPEN], None),
        ([FREE], None),
        ([MEASURED], Paid(13_000, measured=True, known=True)),
        ([ESTIMATED], Paid(20_000, measured=False, known=True)),
        ([FREE, ESTIMATED, MEASURED], Paid(33_000, measured=False, known=True)),
    ],
)
def test_the_cost_of_an_image(states: list[CallState], paid: Paid | None) -> None:
    attempt = reviewed(*states).latest
    assert paid_for(attempt, *attempt.candidates) == paid
    assert paid_for(replace(attempt, reserved=None), *attempt.candidates) is None


@pytest.mark.parametrize(("state", "known"), [(MEASURED, True), (ESTIMATED, False)])
def test_a_reservation_without_a_price_matters_where_a_call_is_estimated(
    state: CallState, known: bool
) -> None:
    attempt = replace(reviewed(state).latest, reserved=replace(HELD, priced=False))
    paid = paid_for(attempt, *attempt.candidates)
    assert paid is not None
    assert paid.known is known


def test_a_call_ends_once_and_an_estimate_gives_way_to_a_measurement() -> None:
    lost = call_ended(waiting(OPEN), ImageRef(1), 1, CallOutcome(ESTIMATED))
    assert lost.latest.candidate(1).calls[0].state is ESTIMATED
    measured = call_ended(lost, ImageRef(1), 1, COST)
    assert measured.latest.candidate(1).calls[0].micro == 13_000
    assert call_ended(measured, ImageRef(1), 1, CallOutcome(FREE)) == measured


@pytest.mark.parametrize(("image", "number"), [(ImageRef(2), 1), (ImageRef(1), 2)])
def test_the_end_of_a_call_that_the_session_does_not_have_changes_nothing(
    image: ImageRef, number: int
) -> None:
    assert call_ended(waiting(OPEN), image, number, COST) == waiting(OPEN)


@pytest.mark.parametrize(
    ("session", "numbers"),
    [
        (waiting(OPEN), []),
        (replace(waiting(OPEN), stage=Stage.INITIAL_INPUT), [1]),
        (reviewed(ESTIMATED, OPEN), [2]),
        (reviewed(MEASURED), []),
    ],
)
def test_open_calls_are_those_that_no_job_awaits(session: Session, numbers: list[int]) -> None:
    assert [(image, call.number) for image, call in open_calls(session)] == [
        (ImageRef(1), number) for number in numbers
    ]


def test_a_candidate_that_is_made_awaits_nothing_while_others_are() -> None:
    session = waiting(OPEN, images=2)
    failed = replace(session.latest.candidate(1), failure=FailureKind.TIMED_OUT)
    session = replace(session, attempts=(session.latest.with_candidate(failed),))
    assert [image for image, _ in open_calls(session)] == [ImageRef(1)]
    assert sorted(books_of(session).holds) == [f"{ID}.1.1.1", f"{ID}.1.2.1"]


def test_a_counter_of_images_is_told_by_its_day() -> None:
    assert Count(DAY, OWNER).of_images
    assert not Count(MONTH, "workspace").of_images
