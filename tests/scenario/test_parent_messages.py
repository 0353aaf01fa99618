"""What is said below the message that started a session, and below somebody's picture."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.domain.attempt import Source
from bot.domain.options import Options
from bot.domain.policy import Policy
from bot.domain.refusals import Reason
from bot.domain.stages import Stage
from bot.slack import message_lookup
from bot.views import words
from bot.views.ids import USE_PICTURE, WORDS_ONLY
from bot.views.questions import FROM_PICTURE, FROM_WORDS
from bot.views.refusal_words import REFUSALS
from bot.views.suggestions import kept_words
from tests.fakes import CHANNEL, ID, OWNER, STRANGER, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import (
    DIRECT,
    direct,
    interaction,
    mention,
    picture,
    signed,
    signed_event,
)
from tests.scenario.payloads import click as click_of
from tests.scenario.slack_app import SlackApp

NIGHT = "make it night"
ASKED = replace(a_session(attempts=2), asked_ts="0.5", root_ts="1.0", thread_ts="1.0")
PHOTO = {"user": "U9", "text": "", "files": [picture("FP")]}
PHOTO_SOURCE = Source("FP", "image/png", 2_000)


def with_root(app: SlackApp, root: dict[str, Any], ts: str = "4.4") -> SlackApp:
    app.messages[ts] = {"ts": ts, **root}
    return app


def question_of(app: SlackApp) -> dict[str, Any]:
    (asked,) = app.of("chat.postEphemeral")
    return asked


def values_of(question: dict[str, Any]) -> dict[str, str]:
    """The value of each button."""
    (row,) = (block for block in question["blocks"] if block["type"] == "actions")
    return {element["action_id"]: element["value"] for element in row["elements"]}


# below the message that started a session


async def test_a_session_knows_the_message_that_started_it(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("a fox", ts="3.3")
    assert (app.only.asked_ts, app.only.thread_ts) == ("3.3", "")
    await app.mention("a fox", ts="3.4", thread_ts="2.2")
    assert sorted(s.asked_ts for s in app.store.sessions.values()) == ["", "3.3"]


async def test_below_it_words_refine_the_sessions_draft_and_say_where_it_comes(
    make_app: MakeApp,
) -> None:
    app = make_app(ASKED)
    await app.mention(f"{NIGHT} --n 2", thread_ts="0.5")
    assert (app.session.latest.number, app.session.latest.change) == (3, NIGHT)
    assert len(app.store.sessions) == 1
    (told,) = app.whispers(thread_ts="0.5")
    assert "/p10|" in told


async def test_in_a_direct_channel_as_well(make_app: MakeApp) -> None:
    app = make_app(replace(ASKED, channel=DIRECT))
    await app.event(direct(NIGHT, thread_ts="0.5"))
    assert app.session.latest.change == NIGHT


async def test_the_whole_way_from_the_mention(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("a fox", ts="3.3")
    await app.mention(NIGHT, thread_ts="3.3")
    assert app.whispers() == [kept_words(app.only, suggested=False)]
    await app.mention("cancel", thread_ts="3.3")
    assert app.only.latest.cancelled


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        (replace(a_session(Stage.FINAL, final_ts="9.0"), asked_ts="0.5"), Reason.ALREADY_APPROVED),
    ],
)
async def test_at_the_wrong_time_nothing_new_is_started_below_it(
    make_app: MakeApp, session: Any, reason: Reason
) -> None:
    app = make_app(session)
    await app.mention(NIGHT, thread_ts="0.5")
    assert app.whispers() == [REFUSALS[reason]]
    assert app.store.sessions == {ID: session}


async def test_below_somebody_elses_mention_one_is_told_who_decides(make_app: MakeApp) -> None:
    app = make_app(ASKED)
    await app.mention(NIGHT, thread_ts="0.5", user=STRANGER)
    (said,) = app.whispers()
    assert f"Only <@{OWNER}> can" in said
    assert app.store.sessions == {ID: ASKED}


async def test_whom_the_workspace_lets_decide_may_say_it_there(make_app: MakeApp) -> None:
    app = make_app(ASKED, policy=Policy(anyone=True))
    await app.mention(NIGHT, thread_ts="0.5", user=STRANGER)
    assert app.session.latest.change == NIGHT


async def test_below_a_mention_with_a_picture_nobody_is_asked(make_app: MakeApp) -> None:
    app = with_root(make_app(replace(ASKED, source=PHOTO_SOURCE)), PHOTO, "0.5")
    await app.mention(NIGHT, thread_ts="0.5")
    assert app.session.latest.change == NIGHT
    assert app.lookups[-1].args.get("limit") != 1


# below a picture

ROOTS: dict[str, dict[str, Any]] = {
    "a photo": PHOTO,
    "a photo of one's own": {**PHOTO, "user": OWNER},
    "a draft or a final of the bot": {
        "bot_id": "B1",
        "blocks": [{"type": "image", "slack_file": {"id": "FP"}, "alt_text": "a"}],
    },
    "a forwarded photo": {"attachments": [{"is_share": True, "files": [picture("FP")]}]},
    "a photo among files": {"files": [picture("F5", mimetype="text/plain"), picture("FP")]},
}


@pytest.mark.parametrize("root", ROOTS)
async def test_below_a_picture_one_is_asked_before_anything_is_paid(
    make_app: MakeApp, root: str
) -> None:
    app = with_root(make_app(), ROOTS[root])
    await app.mention(f"{NIGHT} & --n 2", thread_ts="4.4")
    question = question_of(app)
    assert (question["channel"], question["user"], question["thread_ts"]) == (CHANNEL, OWNER, "4.4")
    assert list(values_of(question)) == [USE_PICTURE, WORDS_ONLY]
    assert NIGHT in question["text"]
    assert (app.store.sessions, app.queue.added) == ({}, [])


@pytest.mark.parametrize(
    ("action_id", "picture_used", "said"),
    [(USE_PICTURE, True, FROM_PICTURE), (WORDS_ONLY, False, FROM_WORDS)],
)
async def test_the_answer_starts_a_session_in_the_thread(
    make_app: MakeApp, action_id: str, picture_used: bool, said: str
) -> None:
    app = with_root(make_app(), PHOTO)
    await app.mention(f"{NIGHT} --n 2", thread_ts="4.4")
    value = values_of(question_of(app))[action_id]
    await app.click(action_id, value, thread_ts="4.4")
    session = app.only
    assert (session.thread_ts, session.channel, session.user) == ("4.4", CHANNEL, OWNER)
    assert (session.task_input, session.options) == (NIGHT, Options(count=2))
    assert session.source == (PHOTO_SOURCE if picture_used else None)
    assert len(app.queue.added) == 1
    (answered,) = app.of("respond")
    assert (answered["text"], answered["replace_original"]) == (said, True)


@pytest.mark.parametrize("first", [USE_PICTURE, WORDS_ONLY])
async def test_the_first_answer_counts_however_often_one_presses(
    make_app: MakeApp, first: str
) -> None:
    app = with_root(make_app(), PHOTO)
    await app.mention(NIGHT, thread_ts="4.4")
    values = values_of(question_of(app))
    other = WORDS_ONLY if first == USE_PICTURE else USE_PICTURE
    for action_id in (first, first, other, first):
        await app.click(action_id, values[action_id], thread_ts="4.4")
    assert (app.only.source is not None) is (first == USE_PICTURE)
    assert len(app.store.written) == 1
    assert len({call["text"] for call in app.of("respond")}) == 1


async def test_both_buttons_at_once_start_one_session(make_app: MakeApp) -> None:
    app = with_root(make_app(), PHOTO)
    await app.mention(NIGHT, thread_ts="4.4")
    values = values_of(question_of(app))
    forms = [urlencode(interaction(click_of(each, value))) for each, value in values.items()]
    await asyncio.gather(*(app.bolt.async_dispatch(signed(form)) for form in forms))
    await app.tasks.drain(5)
    assert len(app.store.sessions) == len(app.store.written) == 1


async def test_the_message_that_is_delivered_again_asks_once(make_app: MakeApp) -> None:
    app = with_root(make_app(), PHOTO)
    said = mention(NIGHT, thread_ts="4.4")
    await asyncio.gather(*(app.bolt.async_dispatch(signed_event(said)) for _ in "ab"))
    await app.event(said)
    value = values_of(question_of(app))[WORDS_ONLY]
    await app.click(WORDS_ONLY, value, thread_ts="4.4")
    await app.event(said)
    assert len(app.store.sessions) == len(app.store.written) == 1
    assert len(app.of("chat.postEphemeral")) == 1


async def test_after_a_restart_the_buttons_work(make_app: MakeApp) -> None:
    app = with_root(make_app(), PHOTO)
    await app.mention(NIGHT, thread_ts="4.4")
    value = values_of(question_of(app))[USE_PICTURE]
    anew = make_app()
    anew.store.questions = app.store.questions
    await anew.click(USE_PICTURE, value, thread_ts="4.4")
    assert anew.only.source == PHOTO_SOURCE


async def test_only_the_person_who_was_asked_may_answer(make_app: MakeApp) -> None:
    app = with_root(make_app(policy=Policy(anyone=True)), PHOTO)
    await app.mention(NIGHT, thread_ts="4.4")
    value = values_of(question_of(app))[USE_PICTURE]
    await app.click(USE_PICTURE, value, user=STRANGER)
    assert app.store.sessions == {}
    assert f"only <@{OWNER}> can" in app.of("chat.postEphemeral")[-1]["text"]


@pytest.mark.parametrize("value", ["T1.U1.aaaa#0", "T1.U1.aaaa#1", "", "x", "T2.U1.aaaa#0"])
@pytest.mark.parametrize("action_id", [USE_PICTURE, WORDS_ONLY])
async def test_an_expired_or_forged_question_is_answered_in_words(
    make_app: MakeApp, action_id: str, value: str
) -> None:
    app = make_app()
    await app.click(action_id, value)
    assert app.store.sessions == {}
    (said,) = app.whispers()
    assert said in (REFUSALS[Reason.QUESTION_EXPIRED], REFUSALS[Reason.EXPIRED])


@pytest.mark.parametrize(
    ("file", "scopes", "reason"),
    [
        (picture("FP", mimetype="image/tiff"), frozenset(), Reason.IMAGE_TYPE),
        ({"id": "FP", "mode": "tombstone"}, frozenset(), Reason.IMAGE_DELETED),
        (picture("FP", is_external=True), frozenset(), Reason.IMAGE_ELSEWHERE),
        (
            picture("FP"),
            frozenset({"channels:history", "chat:write"}),
            Reason.IMAGE_NOT_SHARED,
        ),
    ],
)
async def test_a_picture_that_will_not_do_is_said_and_never_guessed(
    make_app: MakeApp, file: dict[str, Any], scopes: frozenset[str], reason: Reason
) -> None:
    app = with_root(make_app(scopes=scopes), {"files": [file]})
    await app.mention(NIGHT, thread_ts="4.4")
    question = question_of(app)
    assert REFUSALS[reason] in question["text"]
    assert list(values_of(question)) == [WORDS_ONLY]
    value = values_of(question)[WORDS_ONLY]
    await app.click(USE_PICTURE, value)  # forged
    assert app.store.sessions == {}
    await app.click(WORDS_ONLY, value)
    assert (app.only.task_input, app.only.source) == (NIGHT, None)


async def test_words_that_cannot_be_a_prompt_are_refused_at_once(make_app: MakeApp) -> None:
    app = with_root(make_app(), PHOTO)
    await app.mention("a fox --n 9", thread_ts="4.4")
    (said,) = app.whispers()
    assert "`--n` must be 1 to 4" in said
    assert app.store.questions == {}


@pytest.mark.parametrize(
    "root",
    [
        {"text": "words alone"},
        {"files": [picture("F5", mimetype="application/pdf", filetype="pdf")]},
        {"text": "", "blocks": [{"type": "section"}]},
        {"attachments": [{"title": "a link", "image_url": "https://x.org/a.png"}]},
    ],
)
async def test_below_words_a_session_starts_at_once(
    make_app: MakeApp, root: dict[str, Any]
) -> None:
    app = with_root(make_app(), root)
    await app.mention(NIGHT, thread_ts="4.4")
    assert (app.only.task_input, app.only.thread_ts) == (NIGHT, "4.4")
    assert app.of("chat.postEphemeral") == []


async def test_a_draft_that_waits_in_the_thread_of_a_picture_is_what_is_meant(
    make_app: MakeApp,
) -> None:
    app = with_root(make_app(replace(a_session(), thread_ts="4.4", root_ts="5.5")), PHOTO)
    await app.mention(NIGHT, thread_ts="4.4")
    assert app.session.latest.change == NIGHT


async def test_a_picture_of_the_message_itself_is_what_is_meant(make_app: MakeApp) -> None:
    app = with_root(make_app(), PHOTO)
    await app.mention(NIGHT, thread_ts="4.4", files=[picture("FM")])
    assert app.only.source == Source("FM", "image/png", 2_000)


@pytest.mark.parametrize("error", ["fatal_error", "ratelimited", "internal_error"])
async def test_where_nobody_knows_nothing_is_started(make_app: MakeApp, error: str) -> None:
    app = make_app()
    app.fail["conversations.replies"] = error
    await app.event(direct(NIGHT, thread_ts="4.4"))
    assert app.store.sessions == {}
    assert app.whispers() == [REFUSALS[Reason.IMAGE_NOT_LOOKED_UP]]


async def test_a_slow_look_at_the_root_starts_nothing(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_lookup, "LOOK_WITHIN", 0.05)
    app = make_app()
    app.slow["conversations.replies"] = 1.0
    await app.event(direct(NIGHT, thread_ts="4.4"))
    assert app.store.sessions == {}
    assert app.whispers() == [REFUSALS[Reason.IMAGE_NOT_LOOKED_UP]]


async def test_two_slow_looks_together_keep_the_ack_in_time(make_app: MakeApp) -> None:
    """At the message itself and at the top of its thread, each just within its own time."""
    app = make_app()
    app.slow["conversations.replies"] = message_lookup.LOOK_WITHIN - 0.1
    before = time.monotonic()
    await app.mention(NIGHT, thread_ts="4.4")
    assert time.monotonic() - before < 2.9
    assert app.store.sessions == {}
    assert app.whispers() == [words.WORDS_LOST]


@pytest.mark.parametrize("error", ["missing_scope", "not_in_channel", "thread_not_found"])
async def test_where_the_root_is_not_shown_words_are_words(make_app: MakeApp, error: str) -> None:
    app = make_app()
    app.fail["conversations.replies"] = error
    await app.mention(NIGHT, thread_ts="4.4")
    assert (app.only.task_input, app.only.source) == (NIGHT, None)


async def test_while_the_store_is_away_nothing_is_asked(make_app: MakeApp) -> None:
    app = with_root(make_app(), PHOTO)
    app.store.away = True
    await app.mention(NIGHT, thread_ts="4.4")
    assert app.whispers() == [words.WORDS_LOST]


async def test_in_a_channel_without_private_words_the_question_comes_directly(
    make_app: MakeApp,
) -> None:
    app = with_root(make_app(), PHOTO)
    app.fail["chat.postEphemeral"] = "user_not_in_channel"
    await app.mention(NIGHT, thread_ts="4.4")
    (asked,) = app.of("chat.postMessage")
    assert asked["channel"] == OWNER
    await app.send(interaction(click_of(USE_PICTURE, values_of(asked)[USE_PICTURE], thread_ts="")))
    assert (app.only.source, app.only.thread_ts) == (PHOTO_SOURCE, "4.4")
