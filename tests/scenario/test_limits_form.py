"""`/imagine settings`: who may open the form, what it shows, and what it keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind, Scope, ScopeKind
from bot.sandbox.webapi.block_kit import view_problems
from bot.views import ids
from bot.views.limits_form import LimitsFormState
from tests.fakes import CHANNEL, OWNER, STRANGER
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import Payload, interaction, trigger
from tests.scenario.slack_app import SlackApp

IMAGES, BUDGET = LimitKind.USER_IMAGES_PER_DAY, LimitKind.USER_BUDGET_PER_MONTH
GENERAL, BOB = Scope(ScopeKind.CHANNEL, CHANNEL), Scope(ScopeKind.USER, STRANGER)
CHANNEL_BUDGET = LimitKind.CHANNEL_BUDGET_PER_MONTH
ADMIN = frozenset({OWNER})
OPERATOR = {IMAGES: 100}


def form_of(app: SlackApp, method: str = "views.open") -> Payload:
    view: Payload = app.of(method)[-1]["view"]
    assert view_problems(view) == []
    return view


def fields_of(view: Payload) -> dict[str, Payload]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


async def save(app: SlackApp, state: LimitsFormState, **typed: str) -> Any:
    """`typed` by the names of limits, with the scope before: `workspace__user_images_per_day`."""
    names = {"workspace": WORKSPACE, "channel": GENERAL, "user": BOB}
    values = {}
    for name, text in typed.items():
        scope, _, kind = name.partition("__")
        values[f"{names[scope]}/{kind}"] = {ids.LIMIT_INPUT: {"value": text}}
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": ids.LIMITS_FORM,
        "private_metadata": str(state),
    }
    body = {"type": "view_submission", "team": {"id": "T1"}, "trigger_id": trigger()}
    who = {"user": {"id": OWNER, "team_id": "T1"}, "view": {**view, "state": {"values": values}}}
    return await app.send(interaction({**body, **who}))


async def test_an_admin_sees_each_limit_and_where_it_comes_from(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN, operator=OPERATOR)
    kept = {(WORKSPACE, BUDGET): ChosenLimit(12_500_000, OWNER, 1.0)}
    app.limit_settings.kept["T1"] = kept
    await app.command("settings")
    fields = fields_of(form_of(app))
    assert len(fields) == 5
    images = fields[f"workspace/{IMAGES}"]
    assert images["hint"]["text"].startswith("Now: 100 images, from the settings of")
    assert "initial_value" not in images["element"]
    budget = fields[f"workspace/{BUDGET}"]
    assert budget["hint"]["text"] == "Now: $12.50, set here for the workspace."
    assert budget["element"]["initial_value"] == "12.5"
    assert fields[f"channel:{CHANNEL}/{CHANNEL_BUDGET}"]["hint"]["text"].startswith("Now: no limit")
    assert app.store.sessions == {}


async def test_in_a_direct_message_there_is_no_channel(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN)
    await app.command(" Settings ", channel_id="D1")
    assert all(name.startswith("workspace/") for name in fields_of(form_of(app)))


@pytest.mark.parametrize("typed", ["settings for a play", "settings --n 2", "my settings"])
async def test_more_words_are_a_prompt(make_app: MakeApp, typed: str) -> None:
    app = make_app(admins=ADMIN)
    await app.command(typed)
    assert app.only.task_input.startswith(("settings", "my settings"))


async def test_who_is_no_admin_is_told_who_can(make_app: MakeApp) -> None:
    app = make_app(admins=frozenset({STRANGER}), users={OWNER: {"team_id": "T1"}})
    answer = json.loads((await app.command("settings")).body)["text"]
    assert "only admins can change limits" in answer
    assert app.of("views.open") == []


@pytest.mark.parametrize("mark", ["is_admin", "is_owner", "is_primary_owner"])
async def test_the_workspaces_admins_and_owners_may(make_app: MakeApp, mark: str) -> None:
    app = make_app(users={OWNER: {"team_id": "T1", mark: True}})
    await app.command("settings")
    assert app.of("views.open")


async def test_what_is_saved_counts_and_is_told(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN, operator=OPERATOR)
    state = LimitsFormState(CHANNEL)
    typed = {f"workspace__{IMAGES}": "25", f"channel__{CHANNEL_BUDGET}": "$10"}
    await save(app, state, **typed)
    kept = app.limit_settings.kept["T1"]
    assert {field: limit.value for field, limit in kept.items()} == {
        (WORKSPACE, IMAGES): 25,
        (GENERAL, CHANNEL_BUDGET): 10_000_000,
    }
    assert kept[WORKSPACE, IMAGES].by == OWNER
    (said,) = app.whispers()
    assert "25 images" in said
    assert "$10.00" in said
    await save(app, state, **{f"channel__{CHANNEL_BUDGET}": "10.00"})
    assert list(app.limit_settings.kept["T1"]) == [(GENERAL, CHANNEL_BUDGET)]
    assert "no value of its own any more" in app.whispers()[-1]


async def test_what_is_no_number_is_told_below_its_field_and_nothing_is_kept(
    make_app: MakeApp,
) -> None:
    app = make_app(admins=ADMIN)
    typed = {f"workspace__{IMAGES}": "many", f"workspace__{BUDGET}": "5"}
    response = await save(app, LimitsFormState(), **typed)
    assert list(json.loads(response.body)["errors"]) == [f"workspace/{IMAGES}"]
    assert app.limit_settings.kept == {}


async def test_who_is_no_admin_any_more_saves_nothing(make_app: MakeApp) -> None:
    app = make_app(users={OWNER: {"team_id": "T1"}})
    await save(app, LimitsFormState(), **{f"workspace__{IMAGES}": "5"})
    assert app.limit_settings.kept == {}


async def test_choosing_a_person_shows_their_own_limits(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN, operator=OPERATOR)
    app.limit_settings.kept["T1"] = {(BOB, IMAGES): ChosenLimit(3, OWNER, 1.0)}
    view = {"id": "V1", "hash": "h", "type": "modal", "state": {"values": {}}}
    action = {"type": "users_select", "action_id": ids.LIMITS_PERSON, "selected_user": STRANGER}
    body = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": OWNER, "team_id": "T1"},
        "container": {"type": "view", "view_id": "V1"},
        "view": {**view, "private_metadata": str(LimitsFormState(CHANNEL))},
        "trigger_id": trigger(),
        "actions": [action | {"block_id": ids.LIMITS_PERSON}],
    }
    await app.send(interaction(body))
    shown = form_of(app, "views.update")
    hers = fields_of(shown)[f"user:{STRANGER}/{IMAGES}"]
    assert hers["element"]["initial_value"] == "3"
    assert hers["hint"]["text"] == "Now: 3 images, set here for this person."
    state = LimitsFormState.of(shown["private_metadata"])
    assert state == (CHANNEL, STRANGER)
    await save(app, state, **{f"user__{BUDGET}": "1"})
    assert list(app.limit_settings.kept["T1"]) == [(BOB, BUDGET)]
