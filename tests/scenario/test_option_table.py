"""An option is declared once: one more in the table is found wherever people meet options."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.option_table import OPTIONS
from bot.domain.options import Options
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.sandbox.webapi.block_kit import view_problems
from bot.views import ids
from tests.fakes import ID, OWNER, PROMPT, a_session, an_attempt
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import DIRECT, home_click, interaction, picture, shortcut
from tests.scenario.slack_app import SlackApp
from tests.support.pretend import NAME, PRETEND, pretended

pytestmark = pytest.mark.usefixtures("pretend_option")

MINE = pretended("low")
TAKES = "`auto`, `low` or `high`"
DRAFT = replace(a_session(), attempts=(an_attempt(posted=True, options=MINE),), options=MINE)
EMPTY = a_session(Stage.INITIAL_INPUT, options=MINE)
SELECT = f"{ids.DEFAULT_OPTION}_{NAME}"


def chosen_in(view: dict[str, Any]) -> tuple[str, str]:
    """The label of the option's field, and what is chosen there."""
    assert view_problems(view) == []
    field = next(block for block in view["blocks"] if block.get("block_id") == NAME)
    return field["label"]["text"], field["element"]["initial_option"]["text"]["text"]


def home_select(app: SlackApp) -> dict[str, Any]:
    view = app.of("views.publish")[-1]["view"]
    assert view_problems(view, kinds=("home",)) == []
    elements = [each for block in view["blocks"] for each in block.get("elements", [])]
    found: dict[str, Any] = next(each for each in elements if each.get("action_id") == SELECT)
    return found


@pytest.mark.parametrize("typed", ["--pretend low", "--make-believe=LOW", "—pretend “low”"])
async def test_it_can_be_typed(make_app: MakeApp, typed: str) -> None:
    app = make_app()
    await app.command(f"a fox {typed}")
    assert (app.only.task_input, app.only.options, app.only.latest.options) == ("a fox", MINE, MINE)


async def test_it_can_be_said_in_a_mention(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("a fox --pretend low")
    assert (app.only.task_input, app.only.latest.options) == ("a fox", MINE)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--pretend x", f"`--pretend` must be {TAKES}, not `x`."),
        ("--pretend", f"`--pretend` needs a value: {TAKES}."),
        ("--pretended x", "`--n` and `--pretend`; `/imagine help` explains them."),
    ],
)
async def test_what_it_does_not_take_is_refused_with_what_it_takes(
    make_app: MakeApp, typed: str, said: str
) -> None:
    app = make_app()
    answer = json.loads((await app.command(f"a fox {typed}")).body)["text"]
    assert said in answer
    assert answer.endswith(f"```/imagine a fox {typed}```")
    assert app.store.sessions == {}


async def test_a_table_for_a_model_limits_it_too(make_app: MakeApp) -> None:
    app = make_app(option_table=OPTIONS.limited_to(**{NAME: ("auto", "low")}))
    answer = json.loads((await app.command("a fox --pretend high")).body)["text"]
    assert "`--pretend` must be `auto` or `low`, not `high`." in answer
    app.store.defaults["T1", OWNER] = pretended("high", count=2)
    await app.command("a fox")
    assert app.only.options == Options(count=2)


async def test_the_form_of_a_new_session_has_it(make_app: MakeApp) -> None:
    app = make_app(EMPTY)
    await app.command("--pretend low")
    assert chosen_in(app.of("views.open")[0]["view"]) == ("Pretence", "A little")
    await app.submit(ids.PROMPT_FORM, f"{ID}#0", "a cat", **{NAME: "high"})
    assert app.session.latest.options == pretended("high")


async def test_the_form_that_edits_has_it(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.click(ids.EDIT_PROMPT, f"{ID}#1")
    assert chosen_in(app.of("views.open")[0]["view"]) == ("Pretence", "A little")
    await app.submit(ids.EDIT_FORM, f"{ID}#1", "a cat", **{NAME: "high"})
    assert app.session.latest.options == pretended("high")


async def test_the_form_of_a_picture_has_it(make_app: MakeApp) -> None:
    app = make_app()
    app.store.defaults["T1", OWNER] = MINE
    await app.send(interaction(shortcut({"files": [picture()]})))
    view = app.of("views.open")[0]["view"]
    assert chosen_in(view) == ("Pretence", "A little")
    await app.submit(ids.IMAGE_FORM, view["private_metadata"], "at night", **{NAME: "high"})
    assert app.only.latest.options == pretended("high")


@pytest.mark.parametrize("form", [ids.PROMPT_FORM, ids.EDIT_FORM])
async def test_an_invented_value_is_refused_below_its_select(make_app: MakeApp, form: str) -> None:
    before: Session = EMPTY if form == ids.PROMPT_FORM else DRAFT
    app = make_app(before)
    response = await app.submit(form, f"{ID}#{len(before.attempts)}", "a cat", **{NAME: "x"})
    assert json.loads(response.body)["errors"] == {
        NAME: f"--pretend must be {TAKES}, not x.".replace("`", "")
    }
    assert app.session == before


@pytest.mark.parametrize(("typed", "kept"), [("", "low"), (" --pretend high", "high")])
async def test_a_refined_image_keeps_it_or_takes_another(
    make_app: MakeApp, typed: str, kept: str
) -> None:
    app = make_app(DRAFT)
    await app.submit(ids.REFINE_FORM, f"{ID}#1", f"friendlier{typed}")
    latest = app.session.latest
    assert (latest.change, latest.options) == ("friendlier", pretended(kept))


async def test_home_sets_and_clears_it_as_a_default(make_app: MakeApp) -> None:
    app = make_app()
    await app.event({"type": "app_home_opened", "user": OWNER, "channel": DIRECT, "tab": "home"})
    labels = [each["text"]["text"] for each in home_select(app)["options"]]
    assert labels == [f"Pretence: {each}" for each in ("Default", *PRETEND.choices.values())]
    await app.send(interaction(home_click(SELECT, selected="low")))
    assert app.store.defaults["T1", OWNER] == MINE
    assert home_select(app)["initial_option"]["text"]["text"] == "Pretence: A little"
    await app.send(interaction(home_click(SELECT, selected="default")))
    assert app.store.defaults["T1", OWNER] == Options()


async def test_home_refuses_an_option_that_there_is_not(make_app: MakeApp) -> None:
    app = make_app()
    await app.send(interaction(home_click(f"{ids.DEFAULT_OPTION}_invented", selected="low")))
    assert "There is no option `--invented`." in app.of("chat.postMessage")[0]["text"]
    assert app.store.defaults == {}


async def test_the_help_explains_it(make_app: MakeApp) -> None:
    app = make_app()
    said = json.loads((await app.command("help")).body)["text"]
    assert "• `--pretend` takes `auto`, `low` or `high`, as in a play\n" in said


@pytest.mark.parametrize(("value", "words"), [("low", "low"), ("auto", "auto pretence")])
async def test_home_offers_to_keep_it(make_app: MakeApp, value: str, words: str) -> None:
    options = pretended(value, size="1280x720")
    app = make_app(replace(DRAFT, attempts=(an_attempt(posted=True),), options=options))
    await app.event({"type": "app_home_opened", "user": OWNER, "channel": DIRECT, "tab": "home"})
    shown = json.dumps(app.of("views.publish")[-1]["view"], ensure_ascii=False)
    assert f"Keep my last options: 1280×720 · {words}" in shown
    assert PROMPT in shown
