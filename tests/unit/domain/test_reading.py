"""The record of who is reading a person's picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Attempt, ImageRef, Source
from bot.domain.begin import edit, try_again
from bot.domain.errors import FailureKind, GenerationError, ReadElsewhere
from bot.domain.options import NO_OPTIONS
from bot.domain.reading import reading_begun, reading_ended, reading_stopped
from bot.domain.session import Session
from bot.domain.stages import Stage
from tests.fakes import a_session

BROUGHT = Attempt(1, "night", change="night", base=ImageRef(0))
STOPS = Source("F1", readers=("one", "two"))
FRESH = replace(a_session(Stage.GENERATING), source=Source("F1"))


def readers(session: Session) -> tuple[str, ...]:
    assert session.source is not None
    return session.source.readers


def test_two_that_never_ended_are_enough() -> None:
    twice = reading_begun(reading_begun(FRESH, "one", ()), "two", {"one"})
    assert readers(twice) == ("one", "two")
    with pytest.raises(GenerationError) as refused:
        reading_begun(twice, "three", {"one", "two"})
    assert refused.value.kind is FailureKind.SOURCE_STOPS_WORKERS


def test_the_same_run_counts_once() -> None:
    assert readers(reading_begun(reading_begun(FRESH, "one", ()), "one", ())) == ("one",)


def test_one_that_was_told_to_stop_lost_nobody() -> None:
    for n in range(9):
        stopped = reading_stopped(reading_begun(FRESH, f"run {n}", ()), f"run {n}")
        assert stopped == FRESH
    lost = reading_begun(FRESH, "lost", ())
    assert readers(reading_stopped(reading_begun(lost, "told", {"lost"}), "told")) == ("lost",)


def test_a_picture_that_was_read_is_no_danger() -> None:
    lost = reading_begun(FRESH, "lost", ())
    assert reading_ended(reading_begun(lost, "read", {"lost"})) == FRESH


def test_a_session_without_a_picture_stays_as_it_is() -> None:
    session = a_session(Stage.GENERATING)
    assert reading_begun(session, "x", ()) == reading_ended(session) == session
    assert reading_stopped(session, "x") == session


def test_edit_prompt_starts_without_a_picture_that_stops_workers() -> None:
    failed = replace(a_session(Stage.INITIAL_INPUT), attempts=(BROUGHT,))
    for source, base in ((Source("F1"), ImageRef(0)), (STOPS, None)):
        session = replace(failed, source=source)
        edited = edit(session, 1, "a fox", NO_OPTIONS, 1.0).latest
        assert (edited.prompt, edited.base) == ("a fox", base)
        assert edited.change == ("a fox" if base else "")


def test_try_again_means_the_same_picture() -> None:
    session = replace(a_session(Stage.INITIAL_INPUT), attempts=(BROUGHT,), source=STOPS)
    assert try_again(session, 1, 1.0).latest.base == ImageRef(0)


def test_a_picture_that_is_being_read_is_read_by_nobody_else() -> None:
    with pytest.raises(ReadElsewhere):
        reading_begun(reading_begun(FRESH, "one", ()), "two", ())
