"""The Home tab: published when it is opened and after each of its buttons."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.options import Options
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.sandbox.webapi.block_kit import view_problems
from bot.views import ids, words
from tests.fakes import ID, OWNER, PROMPT, STRANGER, a_session, an_attempt
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import DIRECT, Payload, home_click, interaction
from tests.scenario.slack_app import SlackApp

NEXT = f"{ids.HOME_PAGE}_working_next"


def opened(tab: str = "home", user: str = OWNER) -> Payload:
    return {"type": "app_home_opened", "user": user, "channel": DIRECT, "tab": tab}


def published(app: SlackApp) -> dict[str, Any]:
    """The view that the owner sees."""
    last = app.of("views.publish")[-1]
    assert last["user_id"] == OWNER
    view: dict[str, Any] = last["view"]
    assert view_problems(view, kinds=("home",)) == []
    return view


def many(count: int) -> list[Session]:
    """Half of them in progress, half approved; prompts count upwards, newest first."""
    kept = []
    for n in range(count):
        session = a_session(Stage.FINAL if n % 2 else Stage.USER_FEEDBACK)
        attempts = (an_attempt(posted=True, prompt=f"prompt {n}"),)
        kept.append(
            replace(
                session,
                id=f"T1.{OWNER}.{n:020x}",
                task_input=f"prompt {n}",
                attempts=attempts,
                updated_at=1e6 - n,
            )
        )
    return kept


async def test_opening_it_shows_what_a_person_has(make_app: MakeApp) -> None:
    app = make_app(a_session())
    response = await app.event(opened())
    assert (response.status, response.body) == (200, "")
    shown = json.dumps(published(app))
    assert PROMPT in shown
    assert "https://example.slack.com/archives/" in shown


async def test_everybody_sees_only_their_own(make_app: MakeApp) -> None:
    app = make_app(a_session(task_input="something private"))
    await app.event(opened(user=STRANGER))
    (call,) = app.of("views.publish")
    assert call["user_id"] == STRANGER
    assert "something private" not in json.dumps(call["view"])


async def test_another_tab_publishes_nothing(make_app: MakeApp) -> None:
    app = make_app(a_session())
    assert (await app.event(opened("messages"))).status == 200
    assert app.calls == []


async def test_a_page_is_turned_and_kept_by_the_other_buttons(make_app: MakeApp) -> None:
    app = make_app(*many(40))
    await app.event(opened())
    assert "prompt 0" in json.dumps(published(app))
    await app.send(interaction(home_click(NEXT, value="1.0")))
    view = published(app)
    assert '"prompt 10"' in json.dumps(view)
    page = view["private_metadata"]
    select = home_click(f"{ids.DEFAULT_OPTION}_count", selected="3", page=page)
    await app.send(interaction(select))
    assert '"prompt 10"' in json.dumps(published(app))


@pytest.mark.parametrize("value", ["99999.99999", "", "nonsense", "-1.0"])
async def test_a_page_that_is_not_there_is_one_that_is(make_app: MakeApp, value: str) -> None:
    app = make_app(*many(12))
    assert (await app.send(interaction(home_click(NEXT, value=value)))).status == 200
    assert "prompt" in json.dumps(published(app))


async def test_hundreds_take_as_many_round_trips_as_a_few(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = []
    for count in (4, 400):
        app = make_app(*many(count))
        reach = app.store._reach
        reached: list[int] = []

        async def counted(reached: list[int] = reached, reach: Any = reach) -> None:
            reached.append(1)
            await reach()

        monkeypatch.setattr(app.store, "_reach", counted)
        await app.event(opened())
        assert len(published(app)["blocks"]) <= 100
        trips.append(len(reached))
    assert trips[0] == trips[1] <= 4


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("size", "1024x1536", Options(size="1024x1536", quality="low")),
        ("quality", "high", Options(quality="high")),
        ("quality", "default", Options()),
        ("background", "transparent", Options(quality="low", background="transparent")),
        ("count", "3", Options(quality="low", count=3)),
    ],
)
async def test_a_select_changes_one_default_and_is_shown(
    make_app: MakeApp, name: str, value: str, kept: Options
) -> None:
    app = make_app()
    app.store.defaults["T1", OWNER] = Options(quality="low")
    response = await app.send(
        interaction(home_click(f"{ids.DEFAULT_OPTION}_{name}", selected=value))
    )
    assert (response.status, response.body) == (200, "")
    assert app.store.defaults["T1", OWNER] == kept
    assert len(app.of("views.publish")) == 1


@pytest.mark.parametrize(("name", "value"), [("count", "9"), ("size", "huge"), ("quality", "x")])
async def test_a_default_that_cannot_be_is_not_kept(
    make_app: MakeApp, name: str, value: str
) -> None:
    app = make_app()
    response = await app.send(
        interaction(home_click(f"{ids.DEFAULT_OPTION}_{name}", selected=value))
    )
    assert response.status == 200
    assert app.store.defaults == {}
    (told,) = app.of("chat.postMessage")
    assert told["channel"] == OWNER


async def test_the_options_used_last_become_the_defaults(make_app: MakeApp) -> None:
    """An approval of an older session, and a form that nobody submitted, are not uses."""
    newest = replace(
        a_session(),
        id="T1.U1.aaaa",
        options=Options("1024x1536", count=2),
        attempts=(an_attempt(posted=True, queued_at=900.0),),
    )
    older = a_session(Stage.FINAL, options=Options(count=4), updated_at=5_000.0)
    unsent = replace(
        a_session(Stage.INITIAL_INPUT), id="T1.U1.bbbb", options=Options(count=3), updated_at=9e9
    )
    app = make_app(newest, older, unsent)
    await app.send(interaction(home_click(ids.KEEP_LAST, value="last")))
    assert app.store.defaults == {("T1", OWNER): Options("1024x1536", count=2)}
    assert len(app.of("views.publish")) == 1


async def test_without_any_session_there_is_nothing_to_keep(make_app: MakeApp) -> None:
    app = make_app()
    assert (await app.send(interaction(home_click(ids.KEEP_LAST)))).status == 200
    assert app.store.defaults == {}


async def test_a_tab_with_a_deleted_image_is_shown_without_images(make_app: MakeApp) -> None:
    app = make_app(a_session(Stage.FINAL))
    app.fail["views.publish"] = "invalid_blocks"
    await app.event(opened())
    first, second = (json.dumps(call["view"]) for call in app.of("views.publish"))
    assert "slack_file" in first
    assert "slack_file" not in second


@pytest.mark.parametrize("error", ["fatal_error", "invalid_blocks"])
async def test_a_tab_that_slack_does_not_take_breaks_nothing(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, error: str
) -> None:
    app = make_app(a_session())
    app.fail["views.publish"] = error
    assert (await app.event(opened())).status == 200
    assert "Home tab" in caplog.text
    assert PROMPT not in caplog.text


async def test_while_the_store_is_away_opening_it_is_acked_and_a_button_answered(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(a_session())
    app.store.away = True
    assert (await app.event(opened())).status == 200
    assert app.calls == []
    assert "Home tab" in caplog.text
    for request in (home_click(NEXT, value="1.0"), home_click(ids.KEEP_LAST)):
        assert (await app.send(interaction(request))).status == 200
    told = app.of("chat.postMessage")
    assert [(call["channel"], call["text"]) for call in told] == [(OWNER, words.CLICK_LOST)] * 2
    app.store.away = False
    assert app.store.sessions == {ID: a_session()}
