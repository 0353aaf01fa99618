"""The forms: what submitting them does, and errors that keep what was typed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt.response import BoltResponse

from bot.domain.attempt import ImageRef, Source
from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.jobs import Job, JobKind
from bot.domain.options import Options
from bot.domain.refusals import Reason
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.views import ids, words
from bot.views.refusal_words import REFUSALS
from bot.views.source_pictures import Picture, SourcePictures
from tests.fakes import CHANNEL, ID, OWNER, PROMPT, STRANGER, a_session, an_attempt, generating
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import interaction, signed, submission, trigger
from tests.scenario.slack_app import SlackApp

EMPTY = a_session(Stage.INITIAL_INPUT)
FAILED = attempt_failed(generating(), 1, FailureKind.MODERATION, "w", "7.0", 1.0)
FINAL = a_session(Stage.FINAL, final_ts="9.0")
DRAFT = a_session(attempts=2)
FORMS: dict[str, tuple[Session, str]] = {
    ids.PROMPT_FORM: (EMPTY, f"{ID}#0"),
    ids.EDIT_FORM: (FAILED, f"{ID}#1"),
    ids.REFINE_FORM: (DRAFT, f"{ID}#2"),
}
BROUGHT = SourcePictures(
    CHANNEL, "", "5.5", (Picture("F9", "image/png", 2_000, "a.png"),)
).to_metadata()


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
    assert app.session == FINAL
    assert app.queue.added == [Job(JobKind.ANNOUNCE, new, 1)]


async def test_a_form_that_starts_over_can_be_sent_again_after_an_outage(
    make_app: MakeApp,
) -> None:
    app = make_app(FINAL)
    new = await restarted(app)
    app.store.writes_until_away = 0
    first = await app.submit(ids.PROMPT_FORM, f"{new}#0", "a cat")
    assert errors(first) == {ids.PROMPT_BLOCK: words.FORM_LOST}
    assert app.session == FINAL
    app.store.writes_until_away = None
    second = await app.submit(ids.PROMPT_FORM, f"{new}#0", "a cat")
    assert second.body == ""
    assert app.store.sessions[new].stage is Stage.GENERATING
    assert app.queue.added == [Job(JobKind.ANNOUNCE, new, 1)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, Reason.EMPTY_PROMPT),
        ("  \n", Reason.EMPTY_PROMPT),
        ("\x00", Reason.EMPTY_PROMPT),
        ("x" * 32_001, Reason.PROMPT_TOO_LONG),
        (" " * 40_001, Reason.PROMPT_TOO_LONG),
        ("--n 1 " * 40_001, Reason.PROMPT_TOO_LONG),
    ],
)
@pytest.mark.parametrize("form", list(FORMS))
async def test_a_prompt_that_will_not_do_is_said_under_the_field(
    make_app: MakeApp, form: str, text: str | None, reason: Reason
) -> None:
    session, metadata = FORMS[form]
    app = make_app(session)
    response = await app.submit(form, metadata, text)
    if form == ids.REFINE_FORM and reason is Reason.EMPTY_PROMPT:
        reason = Reason.EMPTY_CHANGE
    assert errors(response) == {ids.PROMPT_BLOCK: REFUSALS[reason]}
    assert app.session == session
    assert app.queue.added == []


@pytest.mark.parametrize("form", [*FORMS, ids.IMAGE_FORM])
async def test_while_the_store_is_away_the_form_stays_open(make_app: MakeApp, form: str) -> None:
    session, metadata = FORMS.get(form, (DRAFT, BROUGHT))
    app = make_app(session)
    app.store.away = True
    response = await app.bolt.async_dispatch(
        signed(urlencode(interaction(submission(form, metadata, "a cat"))))
    )
    app.store.away = False
    await app.tasks.drain(10)
    assert app.store.sessions == {ID: session}
    assert errors(response) == {ids.PROMPT_BLOCK: words.FORM_LOST}


@pytest.mark.parametrize("form", list(FORMS))
async def test_a_stranger_submits_nothing(make_app: MakeApp, form: str) -> None:
    session, metadata = FORMS[form]
    app = make_app(session)
    response = await app.submit(form, metadata, "a cat", user=STRANGER)
    (text,) = errors(response).values()
    assert "only its owner can" in text
    assert "<@" not in text
    assert app.session == session


@pytest.mark.parametrize("metadata", ["", "nonsense", "T1.U1.beef#0", "T1.U1.{}#1"])
@pytest.mark.parametrize("form", [*FORMS, ids.IMAGE_FORM])
async def test_a_form_of_a_session_that_is_not_there_has_expired(
    make_app: MakeApp, form: str, metadata: str
) -> None:
    app = make_app(EMPTY)
    response = await app.submit(form, metadata, "a cat")
    (text,) = errors(response).values()
    assert "expired" in text
    assert app.store.written == []


@pytest.mark.parametrize("form", [*FORMS, ids.IMAGE_FORM])
async def test_one_form_delivered_twice_counts_once(make_app: MakeApp, form: str) -> None:
    session, metadata = FORMS.get(form, (DRAFT, BROUGHT))
    app = make_app(session)
    request = urlencode(interaction(submission(form, metadata, "a cat")))
    responses = await asyncio.gather(*(app.bolt.async_dispatch(signed(request)) for _ in range(2)))
    await app.send(interaction({"type": "view_submission"}))  # lets the two come to their end
    assert [r.status for r in responses] == [200, 200]
    assert len(app.store.written) == 1
    assert len(app.queue.added) == 1
    if form != ids.PROMPT_FORM:
        assert [r.body for r in responses] == ["", ""]


@pytest.mark.parametrize("form", [*FORMS, ids.IMAGE_FORM])
async def test_one_form_pressed_again_because_its_answer_was_lost_counts_once(
    make_app: MakeApp, form: str
) -> None:
    session, metadata = FORMS.get(form, (DRAFT, BROUGHT))
    app = make_app(session)
    pressed = submission(form, metadata, "a cat")
    await app.send(interaction(pressed))
    await app.send(interaction({**pressed, "trigger_id": trigger()}))
    assert len(app.store.written) == 1
    assert len({job.id for job in app.queue.added}) == 1


@pytest.mark.parametrize("form", list(FORMS))
async def test_a_listener_that_breaks_keeps_the_form_open(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    session, metadata = FORMS[form]
    app = make_app(session)

    async def broken(*_: object) -> None:
        raise RuntimeError("xoxb-secret")

    monkeypatch.setattr(app.store, "load", broken)
    response = await app.submit(form, metadata, "a cat")
    assert errors(response) == {ids.PROMPT_BLOCK: words.SOMETHING_BROKE}


async def test_the_selects_are_the_options_and_so_is_what_is_typed(make_app: MakeApp) -> None:
    app = make_app(EMPTY)
    app.store.defaults["T1", OWNER] = Options(background="opaque")  # the form showed it
    chosen = {"size": "1024x1536", "background": "default", "count": "2"}
    await app.submit(ids.PROMPT_FORM, f"{ID}#0", "a cat --quality high", **chosen)
    assert app.session.task_input == "a cat"
    assert app.session.options == Options(size="1024x1536", quality="high", count=2)
    assert not app.session.options.background  # it was chosen away


@pytest.mark.parametrize(
    ("typed", "selects", "field", "told"),
    [
        ("a cat --quality high", {"quality": "low"}, "quality", "asks for high"),
        ("a cat --ar 16:9", {"size": "1024x1024"}, "size", "asks for 1792×1008"),
        ("a cat --n 2", {"count": "4"}, "count", "asks for 2 images"),
        ("--transparent a cat", {"background": "opaque"}, "background", "asks for transparent"),
    ],
)
@pytest.mark.parametrize("form", [ids.PROMPT_FORM, ids.EDIT_FORM])
async def test_a_typed_option_and_a_select_that_disagree_are_told(
    make_app: MakeApp, form: str, typed: str, selects: dict[str, str], field: str, told: str
) -> None:
    before = EMPTY if form == ids.PROMPT_FORM else DRAFT
    app = make_app(before)
    response = await app.submit(form, f"{ID}#{len(before.attempts)}", typed, **selects)
    (said,) = json.loads(response.body)["errors"].items()
    assert said[0] == field
    assert told in said[1]
    assert app.session == before


async def test_another_prompt_comes_with_other_options(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.submit(ids.EDIT_FORM, f"{ID}#2", "a cat", count="3", size="1536x1024")
    latest = app.session.latest
    assert (latest.prompt, latest.base, latest.change) == ("a cat", None, "")
    assert latest.options == Options(size="1536x1024", count=3)
    assert len(latest.candidates) == 3


@pytest.mark.parametrize("form", [ids.PROMPT_FORM, ids.EDIT_FORM])
@pytest.mark.parametrize(
    ("text", "chosen", "field"),
    [
        ("a cat --n 9", {}, ids.PROMPT_BLOCK),
        ("a cat --stylize 1", {"count": "2"}, ids.PROMPT_BLOCK),
        ("a cat", {"count": "9"}, "count"),
        ("a cat", {"size": "enormous"}, "size"),
        ("a cat", {"quality": "best"}, "quality"),
        ("a cat", {"background": "pink"}, "background"),
    ],
)
async def test_an_option_that_cannot_be_is_said_under_the_field_it_came_from(
    make_app: MakeApp, form: str, text: str, chosen: dict[str, str], field: str
) -> None:
    session, metadata = FORMS[form]
    app = make_app(session)
    said = errors(await app.submit(form, metadata, text, **chosen))
    assert list(said) == [field]
    assert "--" in said[field]
    assert app.session == session


async def test_refining_edits_the_image_that_was_asked_about(make_app: MakeApp) -> None:
    app = make_app(replace(a_session(), attempts=(an_attempt(posted=True, images=3),)))
    response = await app.submit(ids.REFINE_FORM, f"{ID}#1.2", "friendlier <!here> --n 2")
    assert (response.status, response.body) == (200, "")
    latest = app.session.latest
    assert (latest.base, latest.change) == (ImageRef(1, 2), "friendlier <!here>")
    assert (latest.prompt, latest.options.candidates) == (PROMPT, 2)
    assert app.queue.added == [Job(JobKind.ANNOUNCE, ID, 2)]


async def test_an_earlier_draft_can_be_refined_too(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.submit(ids.REFINE_FORM, f"{ID}#1", "friendlier")
    assert app.session.latest.base == ImageRef(1)


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        (generating(3), Reason.STILL_WORKING),
        (FINAL, Reason.ALREADY_APPROVED),
        (FAILED, Reason.MOVED_ON),
    ],
    ids=["working", "approved", "no image"],
)
async def test_a_refinement_that_comes_too_late_is_said_under_the_field(
    make_app: MakeApp, session: Session, reason: Reason
) -> None:
    app = make_app(session)
    response = await app.submit(ids.REFINE_FORM, f"{ID}#1", "friendlier")
    plain = REFUSALS[reason].replace("`", "")
    assert errors(response) == {ids.PROMPT_BLOCK: plain}
    assert app.store.written == []


async def test_a_session_starts_from_a_picture_in_the_thread_of_its_message(
    make_app: MakeApp,
) -> None:
    app = make_app()
    response = await app.submit(ids.IMAGE_FORM, BROUGHT, "make it night", size="1536x1024")
    assert (response.status, response.body) == (200, "")
    session = app.only
    assert (session.channel, session.thread_ts, session.root_ts) == (CHANNEL, "5.5", "")
    assert session.source == Source("F9", "image/png", 2_000)
    assert (session.latest.change, session.latest.base) == ("make it night", ImageRef(0))
    assert session.options == Options(size="1536x1024")
    assert app.queue.added == [Job(JobKind.ANNOUNCE, session.id, 1)]


async def test_a_picture_from_a_thread_stays_in_that_thread(make_app: MakeApp) -> None:
    app = make_app()
    metadata = SourcePictures(CHANNEL, "4.4", "5.5", (Picture("F9"),)).to_metadata()
    await app.submit(ids.IMAGE_FORM, metadata, "make it night")
    assert app.only.thread_ts == "4.4"
    assert app.only.source == Source("F9")


async def test_of_several_pictures_the_chosen_one_is_taken(make_app: MakeApp) -> None:
    app = make_app()
    pictures = (Picture("F8", "image/png", 1), Picture("F9", "image/jpeg", 2))
    metadata = SourcePictures(CHANNEL, "", "5.5", pictures).to_metadata()
    await app.submit(ids.IMAGE_FORM, metadata, "make it night", picture="F9")
    assert app.only.source == Source("F9", "image/jpeg", 2)


@pytest.mark.parametrize(
    ("pictures", "chosen", "reason"),
    [
        ((Picture("F9", "image/tiff", 1),), "", Reason.IMAGE_TYPE),
        ((Picture("F9", "image/png", 10**9),), "", Reason.IMAGE_TOO_LARGE),
        ((Picture("F8", "image/png", 1), Picture("F9", "image/tiff", 1)), "F9", Reason.IMAGE_TYPE),
    ],
)
async def test_a_picture_that_will_not_do_starts_nothing(
    make_app: MakeApp, pictures: tuple[Picture, ...], chosen: str, reason: Reason
) -> None:
    app = make_app()
    metadata = SourcePictures(CHANNEL, "", "5.5", pictures).to_metadata()
    fields = {ids.PICTURE_BLOCK: chosen} if chosen else {}
    said = errors(await app.submit(ids.IMAGE_FORM, metadata, "make it night", **fields))
    field = ids.PICTURE_BLOCK if chosen else ids.PROMPT_BLOCK
    assert said == {field: REFUSALS[reason]}
    assert app.store.sessions == {}


async def test_a_picture_without_words_asks_for_them(make_app: MakeApp) -> None:
    app = make_app()
    response = await app.submit(ids.IMAGE_FORM, BROUGHT, "  ")
    assert errors(response) == {ids.PROMPT_BLOCK: REFUSALS[Reason.EMPTY_CHANGE]}
    assert app.store.sessions == {}


async def test_starting_over_begins_from_the_same_picture(make_app: MakeApp) -> None:
    source = Source("F9", "image/png", 2_000)
    first = an_attempt(posted=True, change=PROMPT, base=ImageRef(0))
    app = make_app(replace(FINAL, source=source, attempts=(first,)))
    new = await restarted(app)
    await app.submit(ids.PROMPT_FORM, f"{new}#0", "make it day")
    latest = app.store.sessions[new].latest
    assert app.store.sessions[new].source == source
    assert (latest.change, latest.base) == ("make it day", ImageRef(0))


async def test_half_a_character_in_a_refused_option_is_no_obstacle(make_app: MakeApp) -> None:
    """A client may cut an emoji in two."""
    app = make_app(a_session())
    response = await app.submit(ids.REFINE_FORM, f"{ID}#1", "night --n 9\ud83e")
    assert response.status == 200
    assert "9�" in errors(response)[ids.PROMPT_BLOCK]


async def test_a_form_without_fields_is_answered_at_once(make_app: MakeApp) -> None:
    """None of ours; Bolt would wait three seconds for the ack of what could not be answered."""
    app = make_app(a_session())
    form = submission(ids.REFINE_FORM, "nobody's", "night")
    form["view"]["state"] = {}
    response = await app.send(interaction(form))
    assert errors(response)
    assert app.session == a_session()
