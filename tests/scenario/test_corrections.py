"""Wrong options are told at once, and a button opens the form with what was right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.options import Options
from bot.sandbox.webapi.block_kit import block_problems, view_problems
from bot.views import ids
from tests.fakes import CHANNEL, OWNER, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import DIRECT, Payload, direct, home_click, interaction, picture
from tests.scenario.slack_app import SlackApp

DRAFT = a_session(attempts=2)
WRONG = "a fox --n 9 --styel --quality high"


def button_in(message: dict[str, Any]) -> Payload | None:
    blocks = message.get("blocks") or []
    assert block_problems(blocks) == []
    found = [e for b in blocks if b["type"] == "actions" for e in b["elements"]]
    return found[0] if found else None


async def answer_to(app: SlackApp, way: str) -> dict[str, Any]:
    if way == "command":
        answered: dict[str, Any] = json.loads((await app.command(WRONG)).body)
        return answered
    if way == "mention":
        await app.mention(WRONG)
    else:
        await app.event(direct(WRONG))
    return app.of("chat.postEphemeral")[0]


@pytest.mark.parametrize("way", ["command", "mention", "direct message"])
async def test_all_is_told_and_the_form_holds_what_was_right(make_app: MakeApp, way: str) -> None:
    app = make_app()
    answer = await answer_to(app, way)
    assert "`--n` must be 1 to 4, not `9`" in answer["text"]
    assert "There is no option `--styel`" in answer["text"]
    assert app.store.sessions == {}
    button = button_in(answer)
    assert button is not None
    await app.click(button["action_id"], button["value"])
    view = app.of("views.open")[0]["view"]
    assert view_problems(view) == []
    assert view["blocks"][0]["element"]["initial_value"] == "a fox"
    assert "initial_option" in json.dumps(view)
    assert app.only.options == Options(quality="high")
    metadata = view["private_metadata"]
    await app.submit(ids.PROMPT_FORM, metadata, "a fox", quality="high", count="3")
    assert (app.only.task_input, app.only.channel) == ("a fox", CHANNEL)
    assert app.only.latest.options == Options(quality="high", count=3)


async def test_the_persons_defaults_fill_the_form_too(make_app: MakeApp) -> None:
    app = make_app()
    app.store.defaults["T1", OWNER] = Options(count=2)
    button = button_in(await answer_to(app, "command"))
    assert button is not None
    await app.click(button["action_id"], button["value"])
    assert app.only.options == Options(quality="high", count=2)


@pytest.mark.parametrize("typed", ["x" * 2_500, "\U0001f98a" * 1_000, '"' * 1_100])
async def test_what_no_button_holds_is_repeated_alone(make_app: MakeApp, typed: str) -> None:
    app = make_app()
    answer = json.loads((await app.command(f"{typed} --n 9")).body)
    assert button_in(answer) is None
    assert answer["text"].endswith(f"{typed} --n 9```")


@pytest.mark.parametrize("typed", ["x" * 1_900, "“quoted” & <b>" * 100, "\U0001f98a" * 900])
async def test_what_a_button_holds_comes_into_the_form(make_app: MakeApp, typed: str) -> None:
    app = make_app()
    button = button_in(json.loads((await app.command(f"{typed} --n 9")).body))
    assert button is not None
    await app.click(button["action_id"], button["value"])
    view = app.of("views.open")[0]["view"]
    assert view["blocks"][0]["element"]["initial_value"] == typed


async def test_in_a_drafts_thread_or_with_a_picture_there_is_no_such_button(
    make_app: MakeApp,
) -> None:
    app = make_app(DRAFT)
    await app.mention("bluer --n 9", thread_ts="1.0")
    await app.mention("bluer --n 9", files=[picture()])
    assert [button_in(answer) for answer in app.of("chat.postEphemeral")] == [None, None]


@pytest.mark.parametrize(
    "value", ["", "{}x", "[]", '{"o": 3}', '{"o": {"size": "7"}}', '{"o": {"count": "99"}}']
)
async def test_a_value_that_is_not_ours_opens_nothing(make_app: MakeApp, value: str) -> None:
    app = make_app()
    await app.click(ids.OPEN_FORM, value)
    assert app.store.sessions == {}
    assert app.of("views.open") == []
    assert app.whispers()


async def test_home_begins_a_new_image_in_the_persons_messages(make_app: MakeApp) -> None:
    app = make_app()
    opened = {"type": "app_home_opened", "user": OWNER, "channel": DIRECT, "tab": "home"}
    await app.event(opened)
    view = app.of("views.publish")[-1]["view"]
    assert view_problems(view, kinds=("home",)) == []
    button = view["blocks"][0]["elements"][0]
    assert (button["action_id"], button["text"]["text"]) == (ids.OPEN_FORM, "🎨 New image")
    page = view["private_metadata"]
    await app.send(interaction(home_click(ids.OPEN_FORM, value=button["value"], page=page)))
    assert app.only.channel == DIRECT
    form = app.of("views.open")[0]["view"]
    await app.submit(ids.PROMPT_FORM, form["private_metadata"], "a fox")
    assert (app.only.task_input, app.only.channel) == ("a fox", DIRECT)


async def test_the_button_stays_when_the_tab_is_shown_again(make_app: MakeApp) -> None:
    app = make_app()
    opened = {"type": "app_home_opened", "user": OWNER, "channel": DIRECT, "tab": "home"}
    await app.event(opened)
    page = app.of("views.publish")[-1]["view"]["private_metadata"]
    await app.send(interaction(home_click(ids.KEEP_LAST, value="last", page=page)))
    again = app.of("views.publish")[-1]["view"]
    assert again["private_metadata"] == page
    assert again["blocks"][0]["elements"][0]["action_id"] == ids.OPEN_FORM
