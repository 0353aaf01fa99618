"""The buttons: who may, what it does, what is said where it does nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from bot.domain.attempt import Source
from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.jobs import Job, JobKind
from bot.domain.options import Options
from bot.domain.policy import Policy
from bot.domain.refusals import Reason
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.sandbox import PATIENCE
from bot.sandbox.webapi.block_kit import view_problems
from bot.views import ids, words
from bot.views.blocks import numbered
from bot.views.refusal_words import REFUSALS
from tests.fakes import (
    CHANNEL,
    ID,
    OWNER,
    PROMPT,
    STRANGER,
    a_session,
    an_attempt,
    generating,
    with_latest,
)
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import click, interaction, signed, submission
from tests.scenario.slack_app import SlackApp

DRAFT, FINAL = a_session(attempts=2), a_session(Stage.FINAL, final_ts="9.0")
FAILED = attempt_failed(generating(), 1, FailureKind.MODERATION, "w", "7.0", 1.0)
WORKING = generating(3)
SEVERAL = replace(a_session(), attempts=(an_attempt(posted=True, images=3),))
BUTTONS: dict[str, tuple[Session, int]] = {
    ids.APPROVE: (DRAFT, 2),
    ids.REGENERATE: (DRAFT, 2),
    ids.TRY_AGAIN: (FAILED, 1),
    ids.EDIT_PROMPT: (FAILED, 1),
    ids.REFINE: (DRAFT, 2),
    ids.USE_THIS: (DRAFT, 1),
    ids.CANCEL: (WORKING, 3),
}
FOR_ANYBODY = [ids.START_OVER, ids.EDIT_IMAGE]


def value(number: int) -> str:
    return f"{ID}#{number}"


def said(app: SlackApp, **where: object) -> list[str]:
    return app.whispers(channel=CHANNEL, **where)


async def test_approve_settles_the_session_and_queues_its_publication(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    response = await app.click(ids.APPROVE, value(2))
    assert (response.status, response.body) == (200, "")
    assert (app.session.stage, app.session.final_result) == (Stage.FINAL, 2)
    assert app.session.approved_by == OWNER
    assert app.queue.added == [Job(JobKind.PUBLISH, ID, 2)]
    assert app.calls == []


async def test_regenerate_begins_another_attempt_with_the_same_prompt(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.click(ids.REGENERATE, value(2))
    assert (app.session.stage, app.session.latest.number) == (Stage.GENERATING, 3)
    assert app.session.latest.prompt == PROMPT
    assert app.queue.added == [Job(JobKind.ANNOUNCE, ID, 3)]


async def test_a_click_that_comes_again_after_a_cancel_starts_nothing(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    pressed = click(ids.REGENERATE, value(2))
    pressed["actions"][0]["action_ts"] = "5.5"
    await app.send(interaction(pressed))
    await app.click(ids.CANCEL, value(3))

    await app.send(interaction(pressed))
    assert (app.session.stage, len(app.session.attempts)) == (Stage.USER_FEEDBACK, 3)
    pressed["actions"][0]["action_ts"] = "6.6"
    await app.send(interaction(pressed))
    assert (app.session.stage, len(app.session.attempts)) == (Stage.GENERATING, 4)


async def test_try_again_clears_the_error_and_asks_once_more(make_app: MakeApp) -> None:
    app = make_app(FAILED)
    assert app.session.error_message
    await app.click(ids.TRY_AGAIN, value(1))
    assert (app.session.stage, app.session.error_message) == (Stage.GENERATING, "")
    assert app.queue.added == [Job(JobKind.ANNOUNCE, ID, 2)]


async def test_approve_of_one_candidate_settles_on_that_one(make_app: MakeApp) -> None:
    app = make_app(SEVERAL)
    await app.click(numbered(ids.APPROVE, 3), f"{ID}#1.3")
    assert app.session.stage is Stage.FINAL
    assert (app.session.final_result, app.session.final_candidate) == (1, 3)


async def test_a_candidate_that_did_not_come_cannot_be_approved(make_app: MakeApp) -> None:
    app = make_app(SEVERAL)
    await app.click(numbered(ids.APPROVE, 4), f"{ID}#1.4")
    assert said(app) == [REFUSALS[Reason.MOVED_ON]]
    assert app.store.written == []


async def test_use_this_settles_on_an_image_of_an_earlier_draft(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.click(ids.USE_THIS, value(1))
    assert (app.session.stage, app.session.final_result) == (Stage.FINAL, 1)
    assert app.queue.added == [Job(JobKind.PUBLISH, ID, 1)]


async def test_cancel_stops_the_attempt_wherever_it_is(make_app: MakeApp) -> None:
    app = make_app(WORKING)
    await app.queue.add(Job(JobKind.GENERATE, ID, 3, candidate=1))
    await app.click(ids.CANCEL, value(3))
    assert app.session.stage is Stage.USER_FEEDBACK
    assert app.session.latest.failure is FailureKind.CANCELLED
    assert app.session.latest.cancelled_user == OWNER
    assert app.cancellations.sent == [ID]
    assert await app.queue.waiting() == []
    assert app.queue.added[-1] == Job(JobKind.SHOW_CANCELLED, ID, 3)
    assert app.calls == []


@pytest.mark.parametrize(
    ("session", "number", "reason"),
    [
        (WORKING, 2, Reason.MOVED_ON),
        (DRAFT, 2, Reason.NOTHING_TO_CANCEL),
        (FINAL, 1, Reason.NOTHING_TO_CANCEL),
        (FAILED, 1, Reason.NOTHING_TO_CANCEL),
        (None, 1, Reason.EXPIRED),
    ],
    ids=["another attempt", "draft", "approved", "failed", "expired"],
)
async def test_a_cancel_that_comes_too_late_stops_nothing(
    make_app: MakeApp, session: Session | None, number: int, reason: Reason
) -> None:
    app = make_app(*([session] if session else []))
    await app.click(ids.CANCEL, value(number))
    assert said(app) == [REFUSALS[reason]]
    assert app.store.written == []
    assert app.cancellations.sent == []


@pytest.mark.parametrize(
    ("session", "number", "reason"),
    [
        (WORKING, 1, Reason.STILL_WORKING),
        (FINAL, 1, Reason.ALREADY_APPROVED),
        (DRAFT, 0, Reason.MOVED_ON),
        (DRAFT, 77, Reason.MOVED_ON),
        (None, 1, Reason.EXPIRED),
    ],
    ids=["working", "approved", "no attempt", "no such attempt", "expired"],
)
@pytest.mark.parametrize("button", [ids.USE_THIS, ids.REFINE])
async def test_an_image_that_is_not_up_for_decision_stays_as_it_is(
    make_app: MakeApp, button: str, session: Session | None, number: int, reason: Reason
) -> None:
    app = make_app(*([session] if session else []))
    await app.click(button, value(number))
    assert said(app) == [REFUSALS[reason]]
    assert app.store.written == []
    assert app.of("views.open") == []


async def test_refine_opens_a_form_about_the_image_it_stands_below(make_app: MakeApp) -> None:
    app = make_app(SEVERAL)
    await app.click(numbered(ids.REFINE, 2), f"{ID}#1.2")
    (opened,) = app.of("views.open")
    assert view_problems(opened["view"]) == []
    assert opened["view"]["callback_id"] == ids.REFINE_FORM
    assert opened["view"]["private_metadata"] == f"{ID}#1.2"
    assert app.session == SEVERAL


async def test_edit_prompt_opens_a_form_with_the_prompt_and_the_options(make_app: MakeApp) -> None:
    session = with_latest(FAILED, options=Options(size="1024x1536", count=3))
    app = make_app(session)
    await app.click(ids.EDIT_PROMPT, value(1))
    (opened,) = app.of("views.open")
    assert view_problems(opened["view"]) == []
    assert opened["view"]["callback_id"] == ids.EDIT_FORM
    assert opened["view"]["private_metadata"] == value(1)
    shown = [block.get("element", {}) for block in opened["view"]["blocks"]]
    assert PROMPT in [element.get("initial_value") for element in shown]
    chosen = [e["initial_option"]["value"] for e in shown if "initial_option" in e]
    assert {"1024x1536", "3"} <= set(chosen)
    assert app.session == session


async def test_start_over_opens_a_form_with_the_approved_prompt_and_clears_nothing_yet(
    make_app: MakeApp,
) -> None:
    """Of the image that was approved, which need not be the newest attempt's."""
    later = an_attempt(2, posted=True, prompt="a dog", options=Options(count=4))
    first = an_attempt(posted=True, options=Options(size="1024x1536"))
    settled = replace(FINAL, attempts=(first, later), task_input="a dog", options=later.options)
    app = make_app(settled)
    await app.click(ids.START_OVER, value(1))
    (opened,) = app.of("views.open")
    assert opened["view"]["callback_id"] == ids.PROMPT_FORM
    assert opened["view"]["blocks"][0]["element"]["initial_value"] == PROMPT
    assert app.session == settled
    (new,) = [s for s in app.store.sessions.values() if s.id != ID]
    assert (new.restart_of, new.channel, new.stage) == (ID, CHANNEL, Stage.INITIAL_INPUT)
    assert new.options == Options(size="1024x1536")
    assert opened["view"]["private_metadata"] == f"{new.id}#0"


@pytest.mark.parametrize("user", [OWNER, STRANGER])
@pytest.mark.parametrize("button", FOR_ANYBODY)
async def test_anybody_begins_a_session_of_their_own_from_an_approved_image_again_and_again(
    make_app: MakeApp, button: str, user: str
) -> None:
    app = make_app(FINAL, scopes=frozenset({"files:read"}))
    for times in (1, 2):
        await app.click(button, value(1), user=user)
        assert len(app.of("views.open")) == times
        opened = app.of("views.open")[-1]["view"]
        assert view_problems(opened) == []
        form = submission(opened["callback_id"], opened["private_metadata"], "at night", user)
        form["view"]["id"] = f"V{times}"
        await app.send(interaction(form))
    assert said(app) == []
    assert app.store.sessions[ID] == FINAL
    begun = [s for s in app.store.sessions.values() if s.id != ID]
    assert len(begun) == 2
    for session in begun:
        assert (session.user, session.stage) == (user, Stage.GENERATING)
        assert (session.task_input, session.channel, session.thread_ts) == ("at night", CHANNEL, "")
        file_id = FINAL.attempt(1).candidate(1).file_id
        assert session.source == (Source(file_id, "image/png") if "edit" in button else None)


@pytest.mark.parametrize("source", [None, Source("F7", "image/png")])
async def test_the_form_of_start_over_says_whether_a_picture_comes_along(
    make_app: MakeApp, source: Source | None
) -> None:
    app = make_app(replace(FINAL, source=source))
    await app.click(ids.START_OVER, value(1), user=STRANGER)
    (opened,) = app.of("views.open")
    assert view_problems(opened["view"]) == []
    assert ("comes along" in str(opened["view"]["blocks"])) is (source is not None)
    (new,) = [s for s in app.store.sessions.values() if s.id != ID]
    assert new.source == source


@pytest.mark.parametrize("button", FOR_ANYBODY)
async def test_an_image_of_another_workspace_has_expired(make_app: MakeApp, button: str) -> None:
    app = make_app(replace(FINAL, team="T9"), scopes=frozenset({"files:read"}))
    await app.click(button, value(1))
    assert said(app) == [REFUSALS[Reason.EXPIRED]]
    assert app.of("views.open") == []


@pytest.mark.parametrize("button", list(BUTTONS))
async def test_a_stranger_is_told_in_private_who_decides(make_app: MakeApp, button: str) -> None:
    session, number = BUTTONS[button]
    app = make_app(session)
    response = await app.click(button, value(number), user=STRANGER)
    assert (response.status, response.body) == (200, "")
    (text,) = said(app, user=STRANGER, thread_ts="1.0")
    assert f"only <@{OWNER}> can" in text
    assert app.store.sessions == {ID: session}
    assert app.queue.added == []
    assert app.of("views.open") == []


@pytest.mark.parametrize("button", list(BUTTONS))
async def test_somebody_whom_the_workspace_lets_decide_decides(
    make_app: MakeApp, button: str
) -> None:
    session, number = BUTTONS[button]
    app = make_app(session, policy=Policy(anyone=True))
    await app.click(button, value(number), user=STRANGER)
    assert said(app) == []
    assert app.queue.added or app.of("views.open")


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("button", [ids.APPROVE, ids.USE_THIS, ids.REFINE])
async def test_every_candidate_has_a_button_that_is_listened_to(
    make_app: MakeApp, button: str, number: int
) -> None:
    app = make_app(replace(SEVERAL, attempts=(an_attempt(posted=True, images=4),)))
    response = await app.click(numbered(button, number), f"{ID}#1.{number}")
    assert response.status == 200
    assert said(app) == []
    assert app.session.final_candidate == number or app.of("views.open")


@pytest.mark.parametrize("button", [ids.APPROVE, ids.REGENERATE, ids.TRY_AGAIN, ids.EDIT_PROMPT])
@pytest.mark.parametrize(
    ("session", "number", "reason"),
    [
        (DRAFT, 1, Reason.MOVED_ON),
        (DRAFT, 0, Reason.MOVED_ON),
        (DRAFT, 77, Reason.MOVED_ON),
        (generating(3), 2, Reason.STILL_WORKING),
        (FINAL, 1, Reason.ALREADY_APPROVED),
        (None, 1, Reason.EXPIRED),
    ],
    ids=["older draft", "no attempt", "no such attempt", "working", "approved", "expired"],
)
async def test_a_click_that_comes_too_late_changes_nothing_and_is_told_why(
    make_app: MakeApp, button: str, session: Session | None, number: int, reason: Reason
) -> None:
    app = make_app(*([session] if session else []))
    response = await app.click(button, value(number))
    assert response.status == 200
    assert said(app, user=OWNER) == [REFUSALS[reason]]
    assert app.store.written == []
    assert app.queue.added == []
    assert app.of("views.open") == []


@pytest.mark.parametrize("session", [DRAFT, None], ids=["not final", "expired"])
@pytest.mark.parametrize("button", FOR_ANYBODY)
async def test_start_over_that_comes_too_late_opens_no_form(
    make_app: MakeApp, session: Session | None, button: str
) -> None:
    app = make_app(*([session] if session else []), scopes=frozenset({"files:read"}))
    await app.click(button, value(1))
    assert len(said(app)) == 1
    assert app.of("views.open") == []
    assert app.store.written == []


@pytest.mark.parametrize("invented", ["", "1", "T1.U1#1", "*", "T1.U1.{x}#1", "x" * 2000])
@pytest.mark.parametrize("button", list(BUTTONS))
async def test_an_invented_value_has_expired(make_app: MakeApp, button: str, invented: str) -> None:
    app = make_app(DRAFT)
    response = await app.click(button, invented)
    assert response.status == 200
    assert said(app) == [REFUSALS[Reason.EXPIRED]]
    assert app.store.written == []


@pytest.mark.parametrize("button", [ids.APPROVE, ids.REGENERATE, ids.USE_THIS, ids.CANCEL])
async def test_a_double_click_counts_once(make_app: MakeApp, button: str) -> None:
    session, number = BUTTONS[button]
    app = make_app(session)
    pressed = interaction(click(button, value(number)))
    requests = [signed(urlencode(pressed)) for _ in range(2)]
    responses = await asyncio.gather(*(app.bolt.async_dispatch(r) for r in requests))
    await app.send(pressed)  # and one more, later
    assert [r.status for r in responses] == [200, 200]
    assert len(app.store.written) == 1
    assert len(app.queue.added) == 1
    assert len(said(app)) == 2


async def test_two_people_at_once_move_the_stage_once(make_app: MakeApp) -> None:
    app = make_app(DRAFT, policy=Policy(anyone=True))
    clicks = [
        click(ids.APPROVE, value(2), user=OWNER),
        click(ids.REGENERATE, value(2), user=STRANGER),
        click(ids.APPROVE, value(2), user="U3"),
    ]
    requests = [signed(urlencode(interaction(each))) for each in clicks]
    await asyncio.gather(*(app.bolt.async_dispatch(r) for r in requests))
    await app.command("help")
    assert len(app.store.written) == 1
    assert len(app.queue.added) == 1
    assert len(app.of("chat.postEphemeral")) == 2


@pytest.mark.parametrize("button", list(BUTTONS))
async def test_while_the_store_is_away_a_click_is_acked_and_its_loss_told(
    make_app: MakeApp, button: str
) -> None:
    session, number = BUTTONS[button]
    app = make_app(session)
    app.store.away = True
    async with asyncio.timeout(PATIENCE):
        response = await app.click(button, value(number))
    assert response.status == 200
    assert said(app) == [words.CLICK_LOST]
    app.store.away = False
    assert app.session == session


async def test_what_cannot_be_said_in_the_channel_is_said_on_the_response_url(
    make_app: MakeApp,
) -> None:
    app = make_app(DRAFT)
    app.fail["chat.postEphemeral"] = "user_not_in_channel"
    await app.click(ids.APPROVE, value(2), user=STRANGER)
    (answer,) = app.of("respond")
    assert "can decide" in answer["text"]
    assert (answer["response_type"], answer["replace_original"]) == ("ephemeral", False)


async def test_a_click_outside_a_thread_is_answered_outside_of_it(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.send(interaction(click(ids.APPROVE, value(2), user=STRANGER, thread_ts="")))
    (call,) = app.of("chat.postEphemeral")
    assert "thread_ts" not in call


@pytest.mark.parametrize("button", list(BUTTONS))
async def test_a_listener_that_breaks_still_acks_and_apologises(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    button: str,
) -> None:
    session, number = BUTTONS[button]
    app = make_app(session)

    async def broken(*_: object) -> None:
        raise RuntimeError("xoxb-secret")

    monkeypatch.setattr(app.store, "load", broken)
    response = await app.click(button, value(number))
    assert (response.status, response.body) == (200, "")
    assert said(app) == [words.SOMETHING_BROKE]
    assert "xoxb-secret" not in caplog.text


async def test_nobody_to_tell_is_no_reason_to_break(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    payload = click(ids.APPROVE, value(2), user=STRANGER)
    payload["container"] = {}
    payload["response_url"] = ""
    response = await app.send(interaction(payload))
    assert response.status == 200
