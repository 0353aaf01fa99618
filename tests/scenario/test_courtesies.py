"""Thanks, greetings and cries for help are answered, and buy no image."""

from __future__ import annotations

import pytest

from bot.domain.courtesies import Courtesy
from bot.domain.refusals import Reason
from bot.views import words
from bot.views.help_words import help_words
from bot.views.refusal_words import REFUSALS
from tests.fakes import ID, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import BOT, direct, picture

SAID = [
    ("thanks!", Courtesy.THANKS),
    ("THANK YOU &lt;3", Courtesy.THANKS),
    (":raised_hands::skin-tone-4: cheers", Courtesy.THANKS),
    (f"thanks, <@{BOT}>!", Courtesy.THANKS),
    ("Vielen Dank.", Courtesy.THANKS),
    ("\u202ehi\u202c", Courtesy.GREETING),
    ("Good morning, :sunny:", Courtesy.GREETING),
    (f"hello <@{BOT}>, how are you?", Courtesy.GREETING),
    ("help!", Courtesy.HELP),
    ("HELP PLEASE", Courtesy.HELP),
    ("What can you do?", Courtesy.HELP),
]


@pytest.mark.parametrize("way", ["mention", "direct message", "thread"])
@pytest.mark.parametrize(("said", "courtesy"), SAID)
async def test_it_is_answered_in_private(
    make_app: MakeApp, said: str, courtesy: Courtesy, way: str
) -> None:
    draft = a_session(attempts=2)
    app = make_app(draft)
    app.store.away = True  # nothing is looked up
    if way == "direct message":
        await app.event(direct(said))
    else:
        await app.mention(said, thread_ts="1.0" if way == "thread" else "")
    assert app.whispers() == [words.COURTESIES[courtesy]]
    assert app.store.sessions == {ID: draft}
    assert app.queue.added == []


async def test_a_question_mark_alone_asks_for_help(make_app: MakeApp) -> None:
    """Behind a mention it is nothing that was said."""
    app = make_app()
    await app.event(direct("?!"))
    await app.mention("?")
    assert app.whispers() == [help_words(), REFUSALS[Reason.EMPTY_MENTION]]
    assert app.store.sessions == {}


async def test_help_is_the_same_as_for_the_command(make_app: MakeApp) -> None:
    assert words.COURTESIES[Courtesy.HELP] == help_words()


async def test_thanks_with_a_picture_buy_no_edit_of_it(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("thanks!", files=[picture()])
    assert app.store.sessions == {}
    assert len(app.whispers()) == 1


@pytest.mark.parametrize(
    "said", ["thanks a lot for the robot", "hello kitty", "help me draw a fox", "a thank you card"]
)
async def test_more_than_that_is_a_prompt(make_app: MakeApp, said: str) -> None:
    app = make_app()
    await app.mention(said)
    assert app.only.task_input == said


async def test_more_than_that_is_a_change(make_app: MakeApp) -> None:
    app = make_app(a_session())
    await app.mention("thanks, now make it night", thread_ts="1.0")
    assert app.session.latest.change == "thanks, now make it night"


@pytest.mark.parametrize("said", ["thanks", "hello", "hi there!"])
async def test_after_the_command_it_is_a_prompt_as_before(make_app: MakeApp, said: str) -> None:
    app = make_app()
    await app.command(said)
    assert app.only.task_input == said
