"""`/imagine settings`: who may open the form, what it shows, and what it keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind, Scope, ScopeKind
from bot.domain.policy import Person
from bot.sandbox.webapi.block_kit import view_problems
from bot.service.limits import WorkspaceLimits
from bot.slack.identity import Identity
from bot.views import ids
from bot.views.limits_state import MOST_PEOPLE
from tests.fakes import CHANNEL, OWNER, STRANGER
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import BOT, Payload, interaction, trigger
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


async def save(app: SlackApp, form: Payload, **typed: str) -> Any:
    """Submit a form that stands open, with what is typed over what stands in it: by the names of
    limits, with the scope before, as in `workspace__user_images_per_day`."""
    names = {"workspace": WORKSPACE, "channel": GENERAL, "user": BOB}
    stands = {name: each["element"].get("initial_value") for name, each in fields_of(form).items()}
    for name, text in typed.items():
        scope, _, kind = name.partition("__")
        assert f"{names[scope]}/{kind}" in stands
        stands[f"{names[scope]}/{kind}"] = text
    values = {name: {ids.LIMIT_INPUT: {"value": text}} for name, text in stands.items()}
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": ids.LIMITS_FORM,
        "private_metadata": form["private_metadata"],
        "blocks": form["blocks"],
    }
    body = {"type": "view_submission", "team": {"id": "T1"}, "trigger_id": trigger()}
    who = {"user": {"id": OWNER, "team_id": "T1"}, "view": {**view, "state": {"values": values}}}
    return await app.send(interaction({**body, **who}))


ORG_ADMIN = {"enterprise_id": "E1", "is_admin": True, "teams": ["T1", "T2"]}
ORG_MEMBER = {"enterprise_id": "E1", "teams": ["T1", "T2"]}
IN_ONE = Identity("T1", "B1", BOT, enterprise_id="E1")
IN_ALL = Identity("T1", "B1", BOT, enterprise_id="E1", org_wide=True)


@pytest.mark.parametrize(("identity", "member", "may"), [
    (IN_ONE, {"team_id": "T2", "is_admin": True, "enterprise_user": {"teams": ["T2"]}}, False),
    (IN_ONE, {"team_id": "T2", "is_admin": True, "enterprise_user": ORG_MEMBER}, True),
    (IN_ONE, {"team_id": "T1", "is_admin": False, "enterprise_user": ORG_ADMIN}, False),
    (IN_ONE, {"team_id": "T1", "is_admin": True, "is_restricted": True}, False),
    (IN_ONE, {"team_id": "T1", "is_admin": True, "deleted": True}, False),
    (IN_ALL, {"team_id": "T1", "is_admin": True, "enterprise_user": ORG_MEMBER}, False),
    (IN_ALL, {"team_id": "T2", "enterprise_user": ORG_ADMIN}, True),
])  # fmt: skip
async def test_admins_are_those_of_where_the_bot_is_installed(
    make_app: MakeApp, identity: Identity, member: Payload, may: bool
) -> None:
    app = make_app(identity=identity, users={OWNER: member})
    await app.command("settings", enterprise_id="E1")
    assert bool(app.of("views.open")) is may


@pytest.mark.parametrize("asked", ["settings", "SETTINGS", " Settings\n", "\tsettings "])
@pytest.mark.parametrize("channel", ["C1", "G1", "D1"])
async def test_the_form_opens_wherever_it_is_asked_for(
    make_app: MakeApp, asked: str, channel: str
) -> None:
    app = make_app(admins=ADMIN)
    await app.command(asked, channel_id=channel)
    fields = fields_of(form_of(app))
    assert (f"channel:{channel}/{CHANNEL_BUDGET}" in fields) is (channel != "D1")


async def opened(app: SlackApp, channel: str = CHANNEL) -> Payload:
    await app.command("settings", channel_id=channel)
    return form_of(app)


async def choose(
    app: SlackApp, form: Payload, user: str = STRANGER, typed: dict[str, str] | None = None
) -> Payload:
    """Choose a person in the open form, with what is typed over what stands in it, by block id;
    answers what it shows then."""
    stands = {name: each["element"].get("initial_value") for name, each in fields_of(form).items()}
    values = {
        name: {ids.LIMIT_INPUT: {"type": "plain_text_input", "value": text or None}}
        for name, text in (stands | (typed or {})).items()
    }
    view = {"id": "V1", "hash": "h", "type": "modal", "state": {"values": values}}
    action = {"type": "users_select", "action_id": ids.LIMITS_PERSON, "selected_user": user}
    body = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": OWNER, "team_id": "T1"},
        "container": {"type": "view", "view_id": "V1"},
        "view": {**view, "private_metadata": form["private_metadata"]},
        "trigger_id": trigger(),
        "actions": [action | {"block_id": ids.LIMITS_PERSON}],
    }
    await app.send(interaction(body))
    return form_of(app, "views.update")


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


async def test_what_is_saved_counts_and_is_told_and_recorded(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN, operator=OPERATOR)
    typed = {f"workspace__{IMAGES}": "25", f"channel__{CHANNEL_BUDGET}": "$10"}
    await save(app, await opened(app), **typed)
    kept = app.limit_settings.kept["T1"]
    assert {field: limit.value for field, limit in kept.items()} == {
        (WORKSPACE, IMAGES): 25,
        (GENERAL, CHANNEL_BUDGET): 10_000_000,
    }
    assert kept[WORKSPACE, IMAGES].by == OWNER
    (said,) = app.whispers()
    assert "25 images" in said
    assert "$10.00" in said
    await save(app, await opened(app), **{f"workspace__{IMAGES}": ""})
    assert list(app.limit_settings.kept["T1"]) == [(GENERAL, CHANNEL_BUDGET)]
    now = "Now: 100 images, from the settings of whoever runs this bot"
    assert f"no value of its own any more. {now}" in app.whispers()[-1]
    assert [(event.person, event.facts) for event in app.limit_settings.events] == [
        (OWNER, {"setting": IMAGES, "channel": "", "before": None, "after": 25}),
        (
            OWNER,
            {"setting": CHANNEL_BUDGET, "channel": CHANNEL, "before": None, "after": 10_000_000},
        ),
        (OWNER, {"setting": IMAGES, "channel": "", "before": 25, "after": None}),
    ]


async def test_a_field_that_nobody_touched_keeps_what_another_admin_set(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN)
    app.limit_settings.kept["T1"] = {(WORKSPACE, IMAGES): ChosenLimit(100, OWNER, 1.0)}
    form = await opened(app)
    other = ChosenLimit(5, STRANGER, 2.0), ChosenLimit(7_000_000, STRANGER, 2.0)
    theirs = {(WORKSPACE, IMAGES): other[0], (GENERAL, CHANNEL_BUDGET): other[1]}
    app.limit_settings.kept["T1"] = dict(theirs)
    chosen = await choose(app, form)  # the clients keep what stands in the fields
    for shown in (form, {**form, "private_metadata": chosen["private_metadata"]}):
        await save(app, shown, **{f"workspace__{BUDGET}": "3"})
        assert app.limit_settings.kept["T1"].items() > theirs.items()


async def test_what_is_no_number_is_told_below_its_field_and_nothing_is_kept(
    make_app: MakeApp,
) -> None:
    app = make_app(admins=ADMIN)
    typed = {f"workspace__{IMAGES}": "many", f"workspace__{BUDGET}": "5"}
    response = await save(app, await opened(app), **typed)
    assert list(json.loads(response.body)["errors"]) == [f"workspace/{IMAGES}"]
    assert app.limit_settings.kept == {}


async def test_who_is_no_admin_any_more_is_told_in_the_form_and_saves_nothing(
    make_app: MakeApp,
) -> None:
    form = await opened(make_app(admins=ADMIN))
    app = make_app(users={OWNER: {"team_id": "T1"}})
    response = await save(app, form, **{f"workspace__{IMAGES}": "5"})
    (told,) = json.loads(response.body)["errors"].items()
    assert told[0] == f"workspace/{IMAGES}"  # a block of the form: Slack shows no other
    assert "only admins" in told[1]
    assert app.limit_settings.kept == {}


@pytest.mark.parametrize(("channel", "methods"), [
    (CHANNEL, ["chat.postEphemeral"]),
    ("D1", ["chat.postMessage"]),
    ("C-where-the-bot-is-not", ["chat.postEphemeral", "chat.postMessage"]),
])  # fmt: skip
async def test_what_was_saved_is_told_wherever_the_form_was_opened(
    make_app: MakeApp, channel: str, methods: list[str]
) -> None:
    app = make_app(admins=ADMIN)
    if len(methods) == 2:
        app.fail["chat.postEphemeral"] = "channel_not_found"
    form = await opened(app, channel)
    response = await save(app, form, **{f"workspace__{IMAGES}": "5"})
    assert response.body == ""
    said = [call for call in app.calls if call.method.startswith("chat.")]
    assert [call.method for call in said] == methods
    assert "5 images" in said[-1].args["text"]
    assert said[-1].args["channel"] == (channel if methods == ["chat.postEphemeral"] else OWNER)


async def test_choosing_a_person_shows_their_own_limits(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN, operator=OPERATOR)
    app.limit_settings.kept["T1"] = {(BOB, IMAGES): ChosenLimit(3, OWNER, 1.0)}
    shown = await choose(app, await opened(app))
    hers = fields_of(shown)[f"user:{STRANGER}/{IMAGES}"]
    assert hers["element"]["initial_value"] == "3"
    assert hers["hint"]["text"] == "Now: 3 images, set here for this person."
    assert f"channel:{CHANNEL}/{CHANNEL_BUDGET}" in fields_of(shown)
    await save(app, shown, **{f"user__{IMAGES}": "", f"user__{BUDGET}": "1"})
    assert list(app.limit_settings.kept["T1"]) == [(BOB, BUDGET)]
    assert [event.about for event in app.limit_settings.events] == [STRANGER, STRANGER]


@pytest.mark.parametrize("code", ["not_found", "view_not_found"])
async def test_a_form_that_was_closed_meanwhile_is_no_failure(make_app: MakeApp, code: str) -> None:
    app = make_app(admins=ADMIN)
    app.fail["views.update"] = code
    await choose(app, await opened(app))
    assert "hash" not in app.of("views.update")[-1]  # a second choice right after counts, too
    assert app.of("chat.postMessage") == []


async def test_a_limit_for_a_person_of_another_organisation_counts(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN)
    await save(app, await choose(app, await opened(app)), **{f"user__{IMAGES}": "3"})
    limits = WorkspaceLimits(app.limit_settings, {}, lambda: 1.0)
    guest = Person("T9", STRANGER)
    assert (await limits.limits_of("T1", CHANNEL, guest.key_in("T1"))).user_images == 3
    assert (await limits.limits_of("T1", CHANNEL, STRANGER)).user_images == 3
    assert (await limits.limits_of("T1", CHANNEL, OWNER)).user_images is None


def texts_of(view: Payload) -> dict[str, str | None]:
    return {name: each["element"].get("initial_value") for name, each in fields_of(view).items()}


async def test_choosing_a_second_person_keeps_what_was_typed(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN)
    app.limit_settings.kept["T1"] = {(BOB, BUDGET): ChosenLimit(5_000_000, OWNER, 1.0)}
    typed = {f"workspace/{IMAGES}": "7", f"user:{STRANGER}/{BUDGET}": "", "nothing": "of ours"}
    shown = await choose(app, await opened(app))
    shown = await choose(app, shown, "U5", typed)
    texts = texts_of(shown)
    assert texts[f"workspace/{IMAGES}"] == "7"
    assert texts[f"user:{STRANGER}/{BUDGET}"] is None  # it was emptied
    shown = await choose(app, shown, "U6", {f"user:U5/{IMAGES}": "many"})
    assert texts_of(shown)[f"user:U5/{IMAGES}"] == "many"
    assert json.loads((await save(app, shown)).body)["errors"].keys() == {f"user:U5/{IMAGES}"}
    shown = await choose(app, shown, STRANGER, {f"user:U5/{IMAGES}": "3"})
    assert {name.partition("/")[0] for name in fields_of(shown)} == {
        "workspace",
        f"channel:{CHANNEL}",
        f"user:{STRANGER}",
        "user:U5",
    }
    await save(app, shown)
    kept = app.limit_settings.kept["T1"]
    five = Scope(ScopeKind.USER, "U5")
    assert {field: limit.value for field, limit in kept.items()} == {
        (WORKSPACE, IMAGES): 7,
        (five, IMAGES): 3,
    }


@pytest.mark.parametrize("again", [STRANGER, "U5", ""])
async def test_a_person_for_whom_nothing_was_typed_gives_their_place_to_the_next(
    make_app: MakeApp, again: str
) -> None:
    app = make_app(admins=ADMIN)
    app.limit_settings.kept["T1"] = {(BOB, BUDGET): ChosenLimit(12_500_000, OWNER, 1.0)}
    shown = await choose(app, await choose(app, await opened(app)), "U4")
    shown = await choose(app, shown, again)
    people = {name.partition("/")[0] for name in fields_of(shown) if name.startswith("user:")}
    assert people == ({f"user:{again}"} if again else set())


async def test_the_form_has_room_for_so_many_people_and_says_so(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN)
    shown = await opened(app)
    for number in range(MOST_PEOPLE + 3):
        last = {f"user:U{number - 1:010}/{IMAGES}": "5"} if number else {}
        shown = await choose(app, shown, f"U{number:010}", last)
        assert ("Save first" in str(shown["blocks"])) is (number >= MOST_PEOPLE - 1)
        assert len(shown["private_metadata"]) <= 3_000
    await save(app, shown)
    assert len(app.limit_settings.kept["T1"]) == MOST_PEOPLE


async def test_a_form_of_the_version_before_is_saved(make_app: MakeApp) -> None:
    app = make_app(admins=ADMIN)
    shown = await choose(app, await opened(app))
    metadata = json.dumps([CHANNEL, STRANGER, json.loads(shown["private_metadata"])[2]])
    await save(app, {**shown, "private_metadata": metadata}, **{f"user__{IMAGES}": "3"})
    assert list(app.limit_settings.kept["T1"]) == [(BOB, IMAGES)]
