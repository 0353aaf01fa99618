"""The books of a session: its holds, its lines of the ledger, and what it counts.

All three follow from the session alone, so a commit writes the difference between the session
before and after it, and no path can forget one or write it twice.

    hold      a call that may still be paid for: reserved when the attempt begins, one for each
              candidate; a call takes over the hold of its number
    line      a call that was paid for: measured, or estimated where its usage is not known
    counters  holds and lines together, by the day and month of the reservation

An attempt that ends gives back the holds of calls that were never made. A call that is open then
stays held, until its run tells how it ended or the sweep settles it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bot.domain.attempt import Attempt, Candidate, ImageRef
from bot.domain.costs import CallOutcome, CallState, PaidCall, Reservation
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage

WORKSPACE = "workspace"


def user_field(payer: str) -> str:
    """The field of a person's spending among the counters of a month."""
    return f"user:{payer}"


def channel_field(channel: str) -> str:
    return f"channel:{channel}"


class Count(NamedTuple):
    """A counter: images of a `day` (or else micro-dollars of a `month`), and its field there."""

    period: str
    name: str

    @property
    def of_images(self) -> bool:
        return len(self.period) > len("2026-11")


@dataclass(frozen=True)
class Entry:
    """One call in the books, whether held or paid; `id` is `session.attempt.candidate.call`.
    `alone`: it is held, and its candidate counts as an image for no other call."""

    id: str
    session_id: str
    channel: str
    reserved: Reservation
    model: str
    call: PaidCall
    alone: bool = False

    @property
    def micro(self) -> int:
        return self.reserved.each if self.call.state is not CallState.MEASURED else self.call.micro


@dataclass(frozen=True)
class Books:
    """Holds and lines by the ids of calls."""

    holds: dict[str, Entry] = field(default_factory=dict)
    lines: dict[str, Entry] = field(default_factory=dict)
    counts: Counter[Count] = field(default_factory=Counter)


class Changes(NamedTuple):
    """The writes of a commit into the books."""

    opened: list[Entry]
    closed: list[str]
    lines: list[Entry]
    counts: dict[Count, int]


def books_of(session: Session) -> Books:
    books = Books()
    generating = session.stage is Stage.GENERATING
    for attempt in session.attempts:
        is_latest = attempt.number == len(session.attempts)
        _add(books, session, attempt, waits=generating and is_latest)
    return books


def changes(before: Session | None, after: Session) -> Changes:
    """The difference between the books of the session before and after. Where an attempt is
    dropped, its open calls count as lost."""
    was = books_of(before) if before else Books()
    new = books_of(after)
    for attempt in before.attempts[len(after.attempts) :] if before else ():
        _add(new, after, _with_lost_calls(attempt), waits=False)
    counts = Counter(new.counts)
    counts.subtract(was.counts)
    return Changes(
        [entry for id_, entry in new.holds.items() if was.holds.get(id_) != entry],
        [id_ for id_ in was.holds if id_ not in new.holds],
        [entry for id_, entry in new.lines.items() if _is_news(was.lines.get(id_), entry)],
        {count: by for count, by in counts.items() if by},
    )


def changes_of_deletion(session: Session) -> Changes:
    """What is written where the session is deleted: its open calls count as lost."""
    return changes(session, replace(session, attempts=()))


def _is_news(line: Entry | None, entry: Entry) -> bool:
    """A line stays as it is written, also where a later call's answer names another model."""
    return line is None or line.call != entry.call


def _add(books: Books, session: Session, attempt: Attempt, *, waits: bool) -> None:
    """The attempt's calls, and the holds of its candidates without one where the session `waits`
    for them."""
    if attempt.reserved is None:
        return
    for candidate in attempt.candidates:
        calls = list(candidate.calls)
        if waits and not candidate.is_made and not (calls and calls[-1].state is CallState.OPEN):
            calls.append(PaidCall(candidate.paid_calls + 1))
        counted = [call for call in calls if call.state is not CallState.FREE]
        for call in counted:
            alone = len(counted) == 1 and call.state is CallState.OPEN
            entry = _entry(session, attempt, attempt.reserved, candidate, call)
            _count(books, replace(entry, alone=alone))
        if counted:
            books.counts[Count(attempt.reserved.day, attempt.reserved.payer)] += 1


def _count(books: Books, entry: Entry) -> None:
    held = entry.call.state is CallState.OPEN
    (books.holds if held else books.lines)[entry.id] = entry
    if entry.micro:
        for name in spending_fields(entry.reserved.payer, entry.channel):
            books.counts[Count(entry.reserved.month, name)] += entry.micro


def spending_fields(payer: str, channel: str) -> tuple[str, str, str]:
    """The counters of a month that a person's image in a channel counts for."""
    return user_field(payer), channel_field(channel), WORKSPACE


def _entry(
    session: Session,
    attempt: Attempt,
    reserved: Reservation,
    candidate: Candidate,
    call: PaidCall,
) -> Entry:
    id_ = f"{session.id}.{attempt.number}.{candidate.number}.{call.number}"
    model = candidate.model or reserved.model
    return Entry(id_, session.id, session.channel, reserved, model, call)


def _with_lost_calls(attempt: Attempt) -> Attempt:
    lost = CallOutcome(CallState.ESTIMATED)
    candidates = (
        replace(c, calls=tuple(call.ended(lost) for call in c.calls)) for c in attempt.candidates
    )
    return replace(attempt, candidates=tuple(candidates))


class Paid(NamedTuple):
    """The cost of paid images, in micro-dollars. It is `measured` where the usage of every call is
    known, and `known` where every model has a price."""

    micro: int
    measured: bool
    known: bool


def paid_for(attempt: Attempt, *candidates: Candidate) -> Paid | None:
    """The cost of these candidates of the attempt; None where nothing was paid, or it is in no
    books."""
    reserved = attempt.reserved
    calls = [
        call
        for candidate in candidates
        for call in candidate.calls
        if call.state in {CallState.MEASURED, CallState.ESTIMATED}
    ]
    if reserved is None or not calls:
        return None
    measured = [call for call in calls if call.state is CallState.MEASURED]
    estimated = len(calls) - len(measured)
    known = all(call.priced for call in measured) and (reserved.priced or not estimated)
    micro = sum(call.micro for call in measured) + estimated * reserved.each
    return Paid(micro, not estimated, known)


def reserved(session: Session, reservation: Reservation) -> Session:
    """The session with this reservation of its newest attempt."""
    return with_attempt(session, replace(session.latest, reserved=reservation))


def call_ended(session: Session, image: ImageRef, number: int, end: CallOutcome) -> Session:
    """Records how a candidate's call ended. Nothing changes where it is known, or the attempt is
    gone."""
    if image.attempt > len(session.attempts):
        return session
    attempt = session.attempt(image.attempt)
    candidate = attempt.candidate(image.candidate)
    calls = tuple(c.ended(end) if c.number == number else c for c in candidate.calls)
    return with_attempt(session, attempt.with_candidate(replace(candidate, calls=calls)))


def open_calls(session: Session) -> list[tuple[ImageRef, PaidCall]]:
    """The calls whose answers no job awaits: their attempts are over, or their images are made."""
    return [
        (ImageRef(attempt.number, candidate.number), call)
        for attempt in session.attempts
        for candidate in attempt.candidates
        for call in candidate.calls
        if call.state is CallState.OPEN and not _awaited(session, attempt, candidate)
    ]


def _awaited(session: Session, attempt: Attempt, candidate: Candidate) -> bool:
    is_latest = attempt.number == len(session.attempts)
    return session.stage is Stage.GENERATING and is_latest and not candidate.is_made
