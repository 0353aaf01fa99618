"""What one person is told in private of each kind of refusal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import Attempt
from bot.domain.limits import LimitReached, Quota, RefusedAttempt, Standing
from bot.domain.options import Options
from bot.domain.prompt import OptionsRefused, parse_flags
from bot.domain.refusals import Reason, Refusal
from bot.domain.transitions import AlreadyApproved
from bot.domain.waiting import TooManyWaiting
from bot.slack.responder_base import Responder
from bot.views.blocks import Block, Message
from bot.views.refusal_words import refusal_words
from tests.fakes import OWNER, a_session, generating
from tests.unit.views.samples import buttons


class RecordingResponder(Responder):
    """Keeps what is told."""

    def __init__(self) -> None:
        super().__init__(cast(AsyncArgs, SimpleNamespace()))
        object.__setattr__(self, "told", [])

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        cast(Any, self).told.append(Message(words, blocks or []))

    async def correct(self, refusal: OptionsRefused, **how: bool) -> None:
        await self._correct(refusal, command=False, **how)

    @property
    def only(self) -> Message:
        (message,) = cast(Any, self).told
        return cast(Message, message)


def options_refused(text: str) -> OptionsRefused:
    with pytest.raises(OptionsRefused) as refused:
        parse_flags(text)
    return refused.value


def labels(message: Message) -> list[str]:
    beside = [
        block["accessory"]["text"]["text"] for block in message.blocks if "accessory" in block
    ]
    return beside + [label for label, _ in buttons(message).values()]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (TooManyWaiting(4, (generating(),), OWNER), ["🛑 Cancel"]),
        (TooManyWaiting(4, (), OWNER), []),
        (AlreadyApproved(a_session(), "bigger"), ["🪄 Edit this image", "🔄 Start over"]),
        (Refusal(Reason.EMPTY_PROMPT), []),
    ],
)
async def test_a_refusal_comes_with_what_can_be_done(refusal: Refusal, expected: list[str]) -> None:
    responder = RecordingResponder()
    await responder.refuse(refusal)
    assert labels(responder.only) == expected
    assert responder.only.text


async def test_a_limit_comes_with_what_still_fits() -> None:
    standing = Standing(Quota.USER_IMAGES, 8, 10, 1e9)
    wanted = RefusedAttempt(a_session(), Attempt(2, "a fox", Options(count=4)))
    responder = RecordingResponder()
    await responder.refuse(LimitReached(standing, 4, 2, "a fox", wanted=wanted))
    assert labels(responder.only) == ["Make 2 images instead"]


async def test_wrong_options_come_with_a_form_where_there_is_room_for_it() -> None:
    refusal, responder = options_refused("a fox --quality superb"), RecordingResponder()
    await responder.correct(refusal)
    assert labels(responder.only) == ["📝 Open the form"]


@pytest.mark.parametrize(
    ("text", "with_form"), [("a fox --n 99", False), ("x" * 3_000 + " --n 99", True)]
)
async def test_else_they_come_in_words(text: str, with_form: bool) -> None:
    refusal, responder = options_refused(text), RecordingResponder()
    await responder.correct(refusal, with_form=with_form)
    assert responder.only == Message(refusal_words(refusal, command=False), [])
