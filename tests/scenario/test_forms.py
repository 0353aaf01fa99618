"""The forms: what submitting them does, and errors that keep what was typed."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt.response import BoltResponse

from bot.domain.errors import FailureKind, Reason
from bot.domain.session import attempt_failed
from bot.domain.stages import Stage
from bot.domain.work import Job, JobKind
from bot.views import ids, words
from tests.fakes import ID, OWNER, STRANGER, a_session, generating
from tests.scenario.conftest import MakeApp
from tests.scenario.slack_app import SlackApp, interaction, signed, submission

EMPTY = a_session(Stage.INITIAL_INPUT)
FAILED = attempt_failed(generating(), 1, FailureKind.MODERATION, "w", "7.0", 1.0)
FINAL = a_session(Stage.FINAL, final_ts="9.0")


def errors(response: BoltResponse) -> dict[str, Any]:
    """What the form shows under its field; it stays open, with what was typed."""
    body = json.loads(response.body)
    assert (response.status, body["response_action"]) == (200, "errors")
    found: dict[str, Any] = body["errors"]
    return found


async def restarted(app: SlackApp) -> str:
    """Press Start over; the id of the session that its form is for."""
    await app.click(ids.START_OVER, f"{ID}#1")
    (new,) = [session_id for session_id in app.store.sessions if session_id != ID]
    return new


async def test_the_form_of_a_new_session_starts_it_and_closes(make_app: MakeApp) -> None:
    app = make_app(EMPTY)
    response = await app.submit(ids.PROMPT_FORM, f"{ID}#0", "one\r\ntwo")
    assert (response.status, response.body) == (200, "")
    assert (app.session.stage, app.session.task_input) == (Stage.GENERATING, "one\ntwo")
    assert app.queue.added == [Job(JobKind.ANNOUNCE, ID, 1)]


async def test_the_form_that_edits_starts_another_attempt(make_app: MakeApp) -> None:
    app = make_app(FAILED)
    response = await app.submit(ids.EDIT_FORM, f"{ID}#1", "a cat")
    assert (response.status, response.body) == (200, "")
    assert (app.session.task_input, app.session.latest.number) == ("a cat", 2)
    assert app.session.error_message == ""
    assert app.queue.added == [Job(JobKind.ANNOUNCE, ID, 2)]


async def test_a_draft_can_be_given_another_prompt(make_app: MakeApp) -> None:
    app = make_app(a_session())
    await app.submit(ids.EDIT_FORM, f"{ID}#1", "a cat")
    assert (app.session.stage, app.session.latest.prompt) == (Stage.GENERATING, "a cat")


async def test_starting_over_clears_the_old_session_and_takes_its_button_away(
    make_app: MakeApp,
) -> None:
    app = make_app(FINAL)
    new = await restarted(app)
    response = await app.submit(ids.PROMPT_FORM, f"{new}#0", "a cat")
    assert (response.status, response.body) == (200, "")
    assert app.store.sessions[new].stage is Stage.GENERATING
    assert (app.session.task_input, app.session.attempts) == ("", ())
    (retired,) = app.publisher.of("retire_final")
    assert (retired.session.final_ts, retired.session.final_result) == ("9.0", 1)
    assert app.queue.added == [Job(JobKind.ANNOUNCE, new, 1)]


async def test_a_form_that_starts_over_can_be_sent_again_after_an_outage(
    make_app: MakeApp,
) -> None:
    app = make_app(FINAL)
    new = await restarted(app)
    app.store.writes_until_away = 1
    first = await app.submit(ids.PROMPT_FORM, f"{new}#0", "a cat")
    assert errors(first) == {ids.PROMPT_BLOCK: words.FORM_LOST}
    app.store.writes_until_away = None
    second = await app.submit(ids.PROMPT_FORM, f"{new}#0", "a cat")
    assert second.body == ""
    assert app.store.sessions[new].stage is Stage.GENERATING
    for retired in app.publisher.of("retire_final"):
        assert retired.session.final_result  # one that was cleared cannot be shown any more


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, Reason.EMPTY_PROMPT),
        ("  \n", Reason.EMPTY_PROMPT),
        ("\x00", Reason.EMPTY_PROMPT),
        ("x" * 32_001, Reason.PROMPT_TOO_LONG),
    ],
)
@pytest.mark.parametrize(("form", "number"), [(ids.PROMPT_FORM, 0), (ids.EDIT_FORM, 1)])
async def test_a_prompt_that_will_not_do_is_said_under_the_field(
    make_app: MakeApp, form: str, number: int, text: str | None, reason: Reason
) -> None:
    session = EMPTY if form == ids.PROMPT_FORM else FAILED
    app = make_app(session)
    response = await app.submit(form, f"{ID}#{number}", text)
    assert errors(response) == {ids.PROMPT_BLOCK: words.REFUSALS[reason]}
    assert app.session == session
    assert app.queue.added == []


@pytest.mark.parametrize(("form", "number"), [(ids.PROMPT_FORM, 0), (ids.EDIT_FORM, 1)])
async def test_while_the_store_is_away_the_form_stays_open(
    make_app: MakeApp, form: str, number: int
) -> None:
    app = make_app(FAILED)
    app.store.away = True
    async with asyncio.timeout(1):
        response = await app.submit(form, f"{ID}#{number}", "a cat")
    assert errors(response) == {ids.PROMPT_BLOCK: words.FORM_LOST}


@pytest.mark.parametrize(("form", "number"), [(ids.PROMPT_FORM, 0), (ids.EDIT_FORM, 1)])
async def test_a_stranger_submits_nothing(make_app: MakeApp, form: str, number: int) -> None:
    app = make_app(FAILED)
    response = await app.submit(form, f"{ID}#{number}", "a cat", user=STRANGER)
    (text,) = errors(response).values()
    assert "only its owner can" in text
    assert "<@" not in text
    assert app.session == FAILED


@pytest.mark.parametrize("metadata", ["", "nonsense", "T1.U1.beef#0", "T1.U1.{}#1"])
@pytest.mark.parametrize("form", [ids.PROMPT_FORM, ids.EDIT_FORM])
async def test_a_form_of_a_session_that_is_not_there_has_expired(
    make_app: MakeApp, form: str, metadata: str
) -> None:
    app = make_app(EMPTY)
    response = await app.submit(form, metadata, "a cat")
    (text,) = errors(response).values()
    assert "expired" in text
    assert app.store.written == []


async def test_one_form_delivered_twice_starts_one_session(make_app: MakeApp) -> None:
    app = make_app(EMPTY)
    request = urlencode(interaction(submission(ids.PROMPT_FORM, f"{ID}#0", "a cat", OWNER)))
    responses = await asyncio.gather(*(app.bolt.async_dispatch(signed(request)) for _ in range(2)))
    await app.command("help")
    assert [r.status for r in responses] == [200, 200]
    assert len(app.store.written) == 1
    assert len(app.queue.added) == 1


@pytest.mark.parametrize(("form", "number"), [(ids.PROMPT_FORM, 0), (ids.EDIT_FORM, 1)])
async def test_a_listener_that_breaks_keeps_the_form_open(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, form: str, number: int
) -> None:
    app = make_app(FAILED)

    async def broken(*_: object) -> None:
        raise RuntimeError("xoxb-secret")

    monkeypatch.setattr(app.store, "load", broken)
    response = await app.submit(form, f"{ID}#{number}", "a cat")
    assert errors(response) == {ids.PROMPT_BLOCK: words.SOMETHING_BROKE}
