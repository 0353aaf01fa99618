"""Whether a picture is meant: asked once, answered once, by one person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Source
from bot.domain.options import Options
from bot.domain.refusals import Reason
from tests.fakes import BYSTANDER
from tests.unit.service.services import Setup, in_thread, refused

ORIGIN, SOURCE = in_thread("4.4"), Source("F1", "image/png", 2_000)
ID = ORIGIN.session_id()


async def test_the_first_answer_counts() -> None:
    setup = Setup()
    asked = await setup.services.questions.ask(ORIGIN, "night --n 2", SOURCE)
    assert asked is not None
    assert (asked.id, setup.store.sessions) == (ID, {})
    first = await setup.services.questions.answer(ID, ORIGIN.person, use_picture=True)
    later = await setup.services.questions.answer(ID, ORIGIN.person, use_picture=False)
    assert first == later
    assert (first.id, first.source, first.options) == (ID, SOURCE, Options(count=2))
    assert (first.thread_ts, first.channel, first.asked_ts) == ("4.4", ORIGIN.channel, "")


async def test_a_message_asks_once() -> None:
    setup = Setup()
    assert await setup.services.questions.ask(ORIGIN, "night", SOURCE) is not None
    assert await setup.services.questions.ask(ORIGIN, "night", SOURCE) is None
    other = replace(ORIGIN, idempotency_key="T1|C1|8.8")
    assert await setup.services.questions.ask(other, "night", SOURCE) is not None


@pytest.mark.parametrize(
    ("text", "reason"), [("", Reason.EMPTY_PROMPT), ("--n 2", Reason.EMPTY_PROMPT)]
)
async def test_what_starts_no_image_asks_nothing(text: str, reason: Reason) -> None:
    setup = Setup()
    assert await refused(setup.services.questions.ask(ORIGIN, text, SOURCE)) is reason
    assert setup.store.questions == {}


async def test_nobody_else_answers() -> None:
    setup = Setup()
    await setup.services.questions.ask(ORIGIN, "night", SOURCE)
    answer = setup.services.questions.answer(ID, BYSTANDER, use_picture=False)
    assert await refused(answer) is Reason.NOT_ALLOWED
    assert setup.store.sessions == {}


@pytest.mark.parametrize("use_picture", [True, False])
async def test_what_was_never_asked_has_expired(use_picture: bool) -> None:
    answer = Setup().services.questions.answer(ID, ORIGIN.person, use_picture=use_picture)
    assert await refused(answer) is Reason.QUESTION_EXPIRED


async def test_a_picture_that_was_not_offered_cannot_be_chosen() -> None:
    setup = Setup()
    await setup.services.questions.ask(ORIGIN, "night", None)
    answer = setup.services.questions.answer(ID, ORIGIN.person, use_picture=True)
    assert await refused(answer) is Reason.QUESTION_EXPIRED
