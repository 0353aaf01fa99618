"""What a person is told whose request is more than a limit leaves."""

from __future__ import annotations

import pytest

from bot.domain.limits import LimitReached, Scope, Standing
from bot.ports import BeginRequest
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import BOT, direct, interaction
from tests.scenario.payloads import click as click_of
from tests.scenario.test_thread_words import elements


class TwoLeft:
    """A limit that leaves two images."""

    async def check(self, request: BeginRequest) -> None:
        asked = len(request.attempt.candidates)
        if asked > 2:
            standing = Standing(Scope.USER_IMAGES, 98, 100, 1764374400.0)
            raise LimitReached(standing, asked, 2, request.attempt.prompt)


@pytest.mark.parametrize("way", ["mention", "direct"])
async def test_what_was_typed_comes_back_whole_with_what_is_left(
    make_app: MakeApp, way: str
) -> None:
    app = make_app(rules=(TwoLeft(),))
    typed = "a fox --n 4 --quality high"
    await app.event(direct(typed)) if way == "direct" else await app.mention(typed)
    assert app.store.sessions == {}
    (told,) = app.whispers()
    assert f"```{typed}```" in told
    asked = app.of("chat.postEphemeral")[0]
    (button,) = elements(asked["blocks"])
    assert button["text"]["text"] == "Make 2 images instead"
    payload = click_of(button["action_id"], button["value"])
    payload["container"]["is_ephemeral"] = True
    await app.send(interaction(payload))
    assert app.only.task_input == "a fox"
    assert (len(app.only.latest.candidates), app.only.options.get("quality")) == (2, "high")


async def test_in_a_thread_there_is_no_button(make_app: MakeApp) -> None:
    app = make_app(rules=(TwoLeft(),))
    await app.mention(f"<@{BOT}> a fox --n 4", thread_ts="4.4")
    assert "```a fox --n 4```" in app.whispers()[0]
