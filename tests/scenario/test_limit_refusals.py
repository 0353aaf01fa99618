"""What a person is told whose request is more than a limit leaves, and what they can do then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.costs import Reservation
from bot.domain.errors import StoreUnavailable
from bot.domain.limits import LimitReached, Quota, RefusedAttempt, Standing
from bot.domain.questions import Question
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import BeginRequest
from bot.sandbox.webapi.block_kit import block_problems
from bot.views import ids
from tests.fakes import ID, OWNER, STRANGER, FakePrices, a_session, generating, with_latest
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import BOT, direct, interaction
from tests.scenario.payloads import click as click_of
from tests.scenario.slack_app import SlackApp
from tests.scenario.test_attempt_gateway import ROUTES, Route
from tests.scenario.test_thread_words import elements


class TwoLeft:
    """A limit that leaves two images, or as many in low quality as are asked for. While it is
    `open` it leaves all."""

    def __init__(self) -> None:
        self.open = False

    async def check(self, request: BeginRequest) -> None:
        session, attempt = request.session, request.attempt
        asked, text = len(attempt.candidates), attempt.change or attempt.prompt
        if attempt.options.get("quality") == "low" or self.open:
            return
        standing = Standing(Quota.USER, 98, 100, 1764374400.0)
        fitting = min(2, asked - 1)
        raise LimitReached(standing, asked, fitting, text, asked, RefusedAttempt(session, attempt))


class NoneLeft:
    async def check(self, request: BeginRequest) -> None:
        standing = Standing(Quota.USER_IMAGES, 100, 100, 1764374400.0)
        wanted = RefusedAttempt(request.session, request.attempt)
        raise LimitReached(standing, 4, 0, request.attempt.prompt, wanted=wanted)


async def unavailable(question: Question) -> bool:
    raise StoreUnavailable("away")


def labelled(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["text"]["text"]: each for each in elements(blocks)}


def offered(app: SlackApp) -> dict[str, Any]:
    """The buttons of the last private message, by their labels."""
    return labelled(app.of("chat.postEphemeral")[-1]["blocks"])


async def press(app: SlackApp, button: dict[str, Any], **changes: Any) -> None:
    payload = click_of(button["action_id"], button["value"], **changes)
    payload["container"]["is_ephemeral"] = True
    await app.send(interaction(payload))


@pytest.mark.parametrize("way", ["mention", "direct"])
async def test_what_was_typed_comes_back_whole_with_what_is_left(
    make_app: MakeApp, way: str
) -> None:
    app = make_app(rules=(rule := TwoLeft(),))
    typed = "a fox --n 4 --quality high"
    await app.event(direct(typed)) if way == "direct" else await app.mention(typed)
    assert app.store.sessions == {}
    (told,) = app.whispers()
    assert f"```{typed}```" in told
    rule.open = True
    await press(app, offered(app)["Make 2 images instead"])
    assert app.only.task_input == "a fox"
    assert (len(app.only.latest.candidates), app.only.options.get("quality")) == (2, "high")


async def test_a_new_session_begins_in_the_thread_that_was_meant(make_app: MakeApp) -> None:
    app = make_app(rules=(rule := TwoLeft(),))
    await app.mention(f"<@{BOT}> a fox --n 4", thread_ts="4.4")
    assert "```a fox --n 4```" in app.whispers()[0]
    rule.open = True
    await press(app, offered(app)["Make 2 images instead"])
    assert (app.only.thread_ts, app.only.task_input) == ("4.4", "a fox")


async def test_a_change_said_in_a_thread_comes_back_whole(make_app: MakeApp) -> None:
    app = make_app(a_session(), rules=(TwoLeft(),))
    await app.mention(f"<@{BOT}> make it darker --n 4", thread_ts="1.0")
    assert "```make it darker --n 4```" in app.whispers()[0]
    assert "Make 2 images instead" in offered(app)


async def test_where_the_bot_is_no_member_the_buttons_below_a_form_come_as_a_direct_message(
    make_app: MakeApp,
) -> None:
    route = ROUTES["prompt form"]
    app = make_app(*filter(None, [route.before]), rules=(rule := TwoLeft(),))
    app.fail["chat.postEphemeral"] = "user_not_in_channel"
    await route.send(app)
    (told,) = app.of("chat.postMessage")
    assert told["channel"] == OWNER
    rule.open = True
    await press(app, labelled(told["blocks"])["Make 2 images instead"])
    assert len(app.only.latest.candidates) == 2


async def test_a_click_where_the_bot_is_no_member_any_more_is_answered_with_the_buttons(
    make_app: MakeApp,
) -> None:
    app = make_app(a_session(), rules=(TwoLeft(),))
    app.fail["chat.postEphemeral"] = "not_in_channel"
    await ROUTES["regenerate"].send(app)
    (told,) = app.of("respond")
    assert "low quality" in str(labelled(told["blocks"]))


async def sent(make_app: MakeApp, route: Route, *rules: TwoLeft) -> tuple[SlackApp, str]:
    """The app after the route's request, and its answer."""
    there = [route.before] if route.before else []
    app = make_app(*there, rules=rules, scopes=frozenset({"files:read"}))
    if route.question is not None:
        await app.store.keep_question(route.question)
    return app, (await route.send(app)).body


def wanted(session: Session, number: int) -> tuple[str, str, ImageRef | None, int]:
    attempt: Attempt = session.attempt(number)
    return attempt.prompt, attempt.change, attempt.base, len(attempt.candidates)


@pytest.mark.parametrize("name", ROUTES)
async def test_every_way_to_an_attempt_offers_what_fits_and_begins_that(
    make_app: MakeApp, name: str
) -> None:
    route = ROUTES[name]
    there, answer = await sent(make_app, route, TwoLeft())
    meant, _ = await sent(make_app, route)
    buttons = offered(there) if name != "command" else labelled(json.loads(answer)["blocks"])
    for _ in range(2):  # pressed twice, it begins one
        await press(there, buttons["Make it in low quality instead"])
    (session,) = there.store.sessions.values()
    (other,) = meant.store.sessions.values()
    assert len(session.attempts) == route.number
    assert wanted(session, route.number) == wanted(other, route.number)
    assert session.latest.options.get("quality") == "low"
    assert (session.source, session.thread_ts) == (other.source, other.thread_ts)
    assert (session.asked_ts, session.channel) == (other.asked_ts, other.channel)


@pytest.mark.parametrize(
    ("person", "told"),
    [
        ({"tz": "Asia/Kathmandu"}, "2025-11-29 at 05:45, your time."),
        ({"tz": "America/St_Johns"}, "2025-11-28 at 20:30, your time."),
        *(
            ({"tz": name}, "2025-11-29 at 00:00 UTC.")
            for name in (None, "", "Mars/Base", 7, "../x")
        ),
        ({}, "2025-11-29 at 00:00 UTC."),
    ],
)
async def test_a_form_tells_when_it_begins_anew_where_the_person_lives(
    make_app: MakeApp, person: dict[str, Any], told: str
) -> None:
    route = ROUTES["prompt form"]
    app = make_app(*filter(None, [route.before]), rules=(TwoLeft(),), users={OWNER: person})
    (words,) = json.loads((await route.send(app)).body)["errors"].values()
    assert told in words


@pytest.mark.parametrize("error", ["internal_error", "missing_scope", "user_not_found"])
async def test_where_slack_does_not_tell_the_time_zone_a_form_tells_utc(
    make_app: MakeApp, error: str
) -> None:
    route = ROUTES["edit form"]
    users = {OWNER: {"tz": "Asia/Kathmandu"}}
    app = make_app(*filter(None, [route.before]), rules=(TwoLeft(),), users=users)
    app.fail["users.info"] = error
    (words,) = json.loads((await route.send(app)).body)["errors"].values()
    assert "2025-11-29 at 00:00 UTC." in words


async def test_without_the_scope_nobody_is_looked_up_for_a_form(make_app: MakeApp) -> None:
    route = ROUTES["edit form"]
    scopes = frozenset({"commands"})
    app = make_app(*filter(None, [route.before]), rules=(TwoLeft(),), scopes=scopes)
    await route.send(app)
    assert app.of("users.info") == []


LONG = [
    "a fox and a hen " * 240,
    "🦊" * 1_900,
    '"' * 3_900,
    "é & ü\n" * 600,
    "```a [fox]```" * 280,
]


@pytest.mark.parametrize("prompt", LONG)
@pytest.mark.parametrize("way", ["command", "mention", "direct"])
async def test_a_prompt_that_no_button_holds_is_kept_for_it(
    make_app: MakeApp, prompt: str, way: str
) -> None:
    app = make_app(rules=(rule := TwoLeft(),))
    typed = f"{prompt} --n 4 --quality high"
    match way:
        case "command":
            blocks = json.loads((await app.command(typed)).body)["blocks"]
        case "mention":
            await app.mention(typed)
        case "direct":
            await app.event(direct(typed))
    if way != "command":
        blocks = app.of("chat.postEphemeral")[-1]["blocks"]
    assert block_problems(blocks) == []
    shown = "".join(block["text"]["text"] for block in blocks if block["type"] == "section")
    assert prompt.strip() in shown
    assert app.store.sessions == {}
    rule.open = True
    for _ in range(2):  # pressed twice, it begins one
        await press(app, labelled(blocks)["Make 2 images instead"])
    assert app.only.task_input == prompt.strip()
    assert (len(app.only.latest.candidates), app.only.options.get("quality")) == (2, "high")


@pytest.mark.parametrize(("form", "before"), [(ids.PROMPT_FORM, 0), (ids.EDIT_FORM, 1)])
async def test_a_long_prompt_of_a_form_is_kept_too(
    make_app: MakeApp, form: str, before: int
) -> None:
    session = a_session(attempts=before) if before else a_session(Stage.INITIAL_INPUT)
    app = make_app(session, rules=(rule := TwoLeft(),))
    await app.submit(form, f"{ID}#{before}", LONG[0], count="4")
    fewer = offered(app)["Make 2 images instead"]
    rule.open = True
    await press(app, fewer)
    assert (app.session.latest.prompt, len(app.session.attempts)) == (LONG[0].strip(), before + 1)
    assert len(app.session.latest.candidates) == 2


async def test_a_long_change_is_kept_too(make_app: MakeApp) -> None:
    app = make_app(a_session(), rules=(rule := TwoLeft(),))
    change = "make it darker and darker " * 150
    await app.submit(ids.REFINE_FORM, f"{ID}#1", f"{change}--n 4")
    rule.open = True
    await press(app, offered(app)["Make 2 images instead"])
    assert (app.session.latest.change, len(app.session.latest.candidates)) == (change.strip(), 2)


async def test_words_that_were_kept_are_for_the_person_alone_and_not_for_ever(
    make_app: MakeApp,
) -> None:
    app = make_app(rules=(rule := TwoLeft(),))
    await app.mention(f"{LONG[0]} --n 4")
    (button, *_) = offered(app).values()
    rule.open = True
    await press(app, button, user=STRANGER)
    app.store.questions.clear()
    await press(app, button)
    assert app.store.sessions == {}


async def test_an_offer_without_words_begins_nothing(make_app: MakeApp) -> None:
    app = make_app()
    await press(app, {"action_id": ids.FEWER_IMAGES, "value": '{"c":"C1","o":{}}'})
    assert app.store.sessions == {}
    assert app.whispers() == ["Please say what the image should show."]


async def test_while_they_cannot_be_kept_the_words_are_told_alone(make_app: MakeApp) -> None:
    app = make_app(rules=(TwoLeft(),))
    app.store.keep_question = unavailable  # type: ignore[method-assign]
    await app.mention(f"{LONG[0]} --n 4")
    assert LONG[0].strip() in app.whispers()[0]
    assert "blocks" not in app.of("chat.postEphemeral")[-1]


async def test_nothing_is_kept_where_nothing_is_left_or_a_button_holds_it(
    make_app: MakeApp,
) -> None:
    app = make_app(rules=(TwoLeft(),))
    await app.mention("a fox --n 4")
    assert app.store.questions == {}
    app = make_app(rules=(NoneLeft(),))
    await app.mention(f"{LONG[0]} --n 4")
    assert app.store.questions == {}


async def test_an_offer_of_a_session_that_has_gone_on_begins_nothing(make_app: MakeApp) -> None:
    app = make_app(a_session(), rules=(rule := TwoLeft(),))
    await ROUTES["refine form"].send(app)
    fewer = offered(app)["Make it in low quality instead"]
    rule.open = True
    await ROUTES["regenerate"].send(app)
    await press(app, fewer)
    assert len(app.session.attempts) == 2


async def test_what_waits_can_be_cancelled_and_the_refusal_stays(make_app: MakeApp) -> None:
    held = Reservation(OWNER, "1970-01-01", "1970-01", 1_000)
    waiting = with_latest(generating(), reserved=held)
    app = make_app(waiting, rules=(TwoLeft(),), prices=FakePrices())
    await app.mention("a hen --n 4")
    blocks = app.of("chat.postEphemeral")[-1]["blocks"]
    (cancel,) = [b["accessory"] for b in blocks if "accessory" in b]
    assert cancel["action_id"] == ids.CANCEL_WAITING
    await press(app, cancel)
    assert app.session.latest.cancelled
    assert "Cancelled" in app.whispers()[-1]
    assert app.of("respond") == []
