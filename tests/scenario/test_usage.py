"""`usage`: one's own for everybody, the workspace's for admins; and what forms tell of the cost."""

from __future__ import annotations

import json

import pytest

from bot.domain.ledger import LedgerLine
from bot.domain.limit_settings import LimitKind
from bot.domain.stages import Stage
from bot.ports import Spent
from bot.sandbox.webapi.block_kit import view_problems
from bot.views import ids
from tests.fakes import ID, OWNER, STRANGER, FakePrices, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.slack_app import SlackApp

TODAY = "1970-01-01"
ADMIN = frozenset({OWNER})
OPERATOR = {LimitKind.USER_IMAGES_PER_DAY: 100, LimitKind.USER_BUDGET_PER_MONTH: 10_000_000}
LINE = LedgerLine(
    id="1",
    at=1.0,
    team="T1",
    user=STRANGER,
    channel="C7",
    day=TODAY,
    month="1970-01",
    model="m",
    size="1024x1024",
    quality="low",
    state="measured",
    micro=1_500_000,
    priced=True,
    prices="v",
    tokens={"image_out": 100},
)
CASES = ["usage", " Usage ", "USAGE"]


@pytest.fixture
def app(make_app: MakeApp) -> SlackApp:
    app = make_app(admins=ADMIN, operator=OPERATOR, prices=FakePrices())
    app.spending.now = Spent(12, 6_900_000, 0, 0)
    app.spending.images = {TODAY: 12}
    app.ledger.kept = [LINE, LINE._replace(id="2", team="T2", user="U99")]
    return app


@pytest.mark.parametrize("typed", CASES)
async def test_one_sees_ones_own_in_private(app: SlackApp, typed: str) -> None:
    answer = json.loads((await app.command(typed, user_id=STRANGER)).body)
    assert answer["response_type"] == "ephemeral"
    assert "1 January: 12 images" in answer["text"]
    assert "$3.10 of $10 left in January" in answer["text"]
    assert app.of("respond") == []
    assert app.store.sessions == {}


@pytest.mark.parametrize(
    ("channel", "place"), [("C1", "channel"), ("D1", "conversation"), ("G1", "channel")]
)
async def test_the_budget_of_the_place_is_told_wherever_it_counts(
    make_app: MakeApp, channel: str, place: str
) -> None:
    operator = {LimitKind.CHANNEL_BUDGET_PER_MONTH: 10_000_000}
    app = make_app(operator=operator, prices=FakePrices())
    app.spending.now = Spent(0, 0, 6_900_000, 0)
    told = json.loads((await app.command("usage", channel_id=channel)).body)["text"]
    assert f"$3.10 of $10 left for this {place} in January" in told


async def test_an_admin_sees_the_workspace_too(app: SlackApp) -> None:
    own = json.loads((await app.command("usage")).body)["text"]
    (told,) = app.of("respond")
    assert "Your images" in own
    assert told["response_type"] == "ephemeral"
    assert f"<@{STRANGER}>: $1.50, 1 call" in told["text"]
    assert "<#C7>: $1.50" in told["text"]
    assert "U99" not in told["text"]


async def test_a_mention_asks_too(app: SlackApp) -> None:
    await app.mention("<@UBOT> usage")
    own, workspace = app.whispers()
    assert "Your images" in own
    assert "The workspace in January" in workspace
    await app.mention("<@UBOT> usage csv", ts="77.7")
    assert f"person,{STRANGER},1,0,0,100,1.500000" in app.whispers()[-1]
    assert app.store.sessions == {}


async def test_the_csv_is_for_admins(app: SlackApp) -> None:
    await app.command("usage  csv")
    (told,) = app.of("respond")
    assert "by,name,calls,estimated,unpriced,tokens,dollars" in told["text"]
    answer = json.loads((await app.command("usage csv", user_id=STRANGER)).body)
    assert "for its admins" in answer["text"]


@pytest.mark.parametrize("typed", ["usage of a fork", "usage --n 2", "my usage", "usage csv file"])
async def test_more_words_are_a_prompt(app: SlackApp, typed: str) -> None:
    await app.command(typed)
    assert "usage" in app.only.task_input


async def test_who_cannot_be_looked_up_sees_their_own(make_app: MakeApp) -> None:
    app = make_app(prices=FakePrices())
    app.fail["users.info"] = "internal_error"
    assert "Your images" in json.loads((await app.command("usage")).body)["text"]
    assert app.of("respond") == []


async def test_while_the_store_is_away_one_is_told(app: SlackApp) -> None:
    app.spending.away = True
    assert "ask again" in json.loads((await app.command("usage")).body)["text"]


def line_of(app: SlackApp) -> str:
    view = app.of("views.open")[-1]["view"]
    assert view_problems(view) == []
    last = view["blocks"][-1]
    return str(last["elements"][0]["text"]) if last["type"] == "context" else ""


LEFT = "$3.10 of $10 left in January"


async def test_forms_tell_what_an_image_costs_and_what_is_left(app: SlackApp) -> None:
    await app.command("")
    assert line_of(app) == f"≈ $0.013 · {LEFT}"
    await app.command("--n 3")
    assert line_of(app) == f"≈ $0.039 for 3 images · {LEFT}"


@pytest.mark.parametrize(
    ("button", "stage", "cost"),
    [
        (ids.REFINE, Stage.USER_FEEDBACK, "≈ $0.013"),
        (ids.EDIT_PROMPT, Stage.USER_FEEDBACK, "≈ $0.013"),
        (ids.START_OVER, Stage.FINAL, "≈ $0.013"),
        (ids.EDIT_IMAGE, Stage.FINAL, "≈ $0.013 at most"),  # its shape makes the size
    ],
)
async def test_the_forms_of_buttons_do_too(
    make_app: MakeApp, button: str, stage: Stage, cost: str
) -> None:
    app = make_app(a_session(stage), operator=OPERATOR, prices=FakePrices())
    await app.click(button, f"{ID}#1")
    assert line_of(app) == f"{cost} · $10 of $10 left in January"


async def test_without_a_price_no_line_and_nothing_is_read(make_app: MakeApp) -> None:
    app = make_app(operator=OPERATOR, prices=FakePrices(known=False))
    app.spending.away = True
    await app.command("")
    assert line_of(app) == ""


async def test_where_the_store_does_not_tell_the_form_opens_all_the_same(app: SlackApp) -> None:
    app.spending.away = True
    await app.command("")
    assert line_of(app) == "≈ $0.013"


async def test_the_home_tab_has_a_bar(app: SlackApp) -> None:
    opened = {"type": "app_home_opened", "tab": "home", "user": OWNER, "channel": "D1"}
    await app.event(opened)
    view = app.of("views.publish")[-1]["view"]
    assert "▓▓░░░░░░░░ 12 of 100 images" in json.dumps(view, ensure_ascii=False)
