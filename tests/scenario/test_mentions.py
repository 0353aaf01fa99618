"""Talking to the bot: mentions in channels and threads, and direct messages."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.jobs import Job, JobKind
from bot.domain.options import Options
from bot.domain.policy import Policy
from bot.domain.prompt import MAX_PROMPT
from bot.domain.refusals import Reason
from bot.domain.session import Session
from bot.domain.sizes import parse_ratio
from bot.domain.stages import Stage
from bot.views import words
from bot.views.help_words import help_words
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
)
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import BOT, DIRECT, WORKSPACE, direct, mention, signed_event

DRAFT, FINAL = a_session(attempts=2), a_session(Stage.FINAL, final_ts="9.0")
FAILED = attempt_failed(generating(), 1, FailureKind.MODERATION, "w", "7.0", 1.0)


async def test_a_mention_in_a_channel_starts_a_session(make_app: MakeApp) -> None:
    app = make_app()
    response = await app.mention("a fox on the moon --ar 16:9")
    assert (response.status, response.body) == (200, "")
    session = app.only
    assert (session.team, session.user, session.channel) == ("T1", OWNER, CHANNEL)
    assert (session.task_input, session.thread_ts) == ("a fox on the moon", "")
    assert session.options == Options(size=parse_ratio("16:9"))
    assert app.queue.added == [Job(JobKind.ANNOUNCE, session.id, 1)]
    assert app.calls == []


async def test_a_mention_in_a_foreign_thread_starts_a_session_in_that_thread(
    make_app: MakeApp,
) -> None:
    app = make_app()
    await app.mention("a fox", thread_ts="4.4")
    assert (app.only.thread_ts, app.only.stage) == ("4.4", Stage.GENERATING)


async def test_a_direct_message_starts_a_session_without_a_mention(make_app: MakeApp) -> None:
    app = make_app()
    await app.event(direct("a fox"))
    assert (app.only.channel, app.only.task_input) == (DIRECT, "a fox")


async def test_a_prompt_is_kept_as_the_person_read_it(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("<@U7|bo> &amp; <#C2|general> at &lt;dawn&gt; <https://x.org|x.org> <!here>")
    assert app.only.task_input == "bo & #general at <dawn> x.org everyone here"


async def test_in_the_sessions_thread_a_mention_refines_the_newest_draft(
    make_app: MakeApp,
) -> None:
    app = make_app(DRAFT)
    await app.mention("make it night --n 2", thread_ts="1.0")
    latest = app.session.latest
    assert (latest.number, latest.change, latest.base) == (3, "make it night", ImageRef(2))
    assert (latest.prompt, latest.options.candidates) == (PROMPT, 2)
    assert app.queue.added == [Job(JobKind.ANNOUNCE, ID, 3)]
    assert app.calls == []


async def test_of_several_candidates_the_only_one_that_came_is_refined(make_app: MakeApp) -> None:
    attempt = an_attempt(posted=True, images=2)
    lost = replace(attempt.candidate(1), failure=FailureKind.MODERATION)
    app = make_app(replace(a_session(), attempts=(attempt.with_candidate(lost),)))
    await app.mention("make it night", thread_ts="1.0")
    assert app.session.latest.base == ImageRef(1, 2)


async def test_without_a_draft_the_words_are_another_prompt(make_app: MakeApp) -> None:
    app = make_app(replace(FAILED, options=Options(size="1024x1536")))
    await app.mention("a cat", thread_ts="1.0")
    latest = app.session.latest
    assert (latest.number, latest.prompt, latest.base) == (2, "a cat", None)
    assert latest.options == Options(size="1024x1536")


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        (FINAL, Reason.ALREADY_APPROVED),
    ],
    ids=["approved"],
)
async def test_words_at_the_wrong_time_are_answered_in_private(
    make_app: MakeApp, session: Session, reason: Reason
) -> None:
    app = make_app(session)
    response = await app.mention("make it night", thread_ts="1.0")
    assert (response.status, response.body) == (200, "")
    said = app.whispers(channel=CHANNEL, user=OWNER, thread_ts="1.0")
    assert said == [REFUSALS[reason]]
    assert app.store.sessions == {ID: session}
    assert app.queue.added == []


@pytest.mark.parametrize("text", ["approve", "cancel", "again", "2", "👍"])
async def test_in_another_persons_thread_one_is_told_who_decides(
    make_app: MakeApp, text: str
) -> None:
    session = generating(2)
    app = make_app(session)
    await app.mention(text, thread_ts="1.0", user=STRANGER)
    (said,) = app.whispers(user=STRANGER, thread_ts="1.0")
    assert f"only <@{OWNER}> can" in said
    assert app.store.sessions == {ID: session}


async def test_whom_the_workspace_lets_decide_may_say_it(make_app: MakeApp) -> None:
    app = make_app(DRAFT, policy=Policy(anyone=True))
    await app.mention("make it night", thread_ts="1.0", user=STRANGER)
    assert app.session.latest.change == "make it night"


async def test_the_newest_session_of_a_thread_is_the_one_talked_to(make_app: MakeApp) -> None:
    newer = replace(DRAFT, id="T1.U1.dddd", created_at=500.0)
    app = make_app(FINAL, newer)
    await app.mention("make it night", thread_ts="1.0")
    assert app.store.sessions["T1.U1.dddd"].latest.change == "make it night"
    assert app.session == FINAL


async def test_in_a_thread_of_two_people_each_directs_what_is_theirs(make_app: MakeApp) -> None:
    """A stranger who starts from a draft does not take its thread over."""
    his = replace(DRAFT, id="T1.U2.dddd", user=STRANGER, root_ts="3.3", created_at=500.0)
    app = make_app(DRAFT, his)
    await app.mention("make it night", thread_ts="1.0")
    await app.mention("make it day", thread_ts="1.0", user=STRANGER)
    assert app.session.latest.change == "make it night"
    assert app.store.sessions[his.id].latest.change == "make it day"


async def test_anybodys_thread_stays_open_for_everybody(make_app: MakeApp) -> None:
    """One in which a session was started; it does not hang on the session's own message."""
    approved = replace(FINAL, root_ts="3.3")
    app = make_app(approved)
    await app.mention("my own gnu", thread_ts="1.0", user=STRANGER)
    await app.mention("another fox", thread_ts="1.0")
    started = {s.user: s.task_input for s in app.store.sessions.values() if s != approved}
    assert started == {STRANGER: "my own gnu", OWNER: "another fox"}


async def test_words_that_come_again_after_a_newer_session_began_count_once(
    make_app: MakeApp,
) -> None:
    """A message that is edited comes again, with its old time."""
    app = make_app(replace(DRAFT, root_ts="3.3"))
    said = mention("make it night", thread_ts="1.0")
    await app.send(said)
    newer = replace(DRAFT, id="T1.U1.dddd", root_ts="5.5", created_at=500.0)
    app.store.sessions[newer.id] = newer
    await app.send(said)
    assert app.store.sessions[newer.id] == newer
    assert app.session.latest.number == 2


@pytest.mark.parametrize(
    ("session", "thread_ts"),
    [(None, ""), (None, "4.4"), (DRAFT, "1.0"), (FAILED, "1.0")],
    ids=["channel", "foreign thread", "refining", "another prompt"],
)
async def test_an_event_that_is_delivered_again_counts_once(
    make_app: MakeApp, session: Session | None, thread_ts: str
) -> None:
    app = make_app(*([session] if session else []))
    said = mention("a night at sea", thread_ts=thread_ts)
    first = await asyncio.gather(*(app.bolt.async_dispatch(signed_event(said)) for _ in "ab"))
    again = await app.event(said)
    assert [(r.status, r.body) for r in (*first, again)] == [(200, "")] * 3
    assert len(app.store.sessions) == 1
    assert len(app.store.written) == 1
    assert len(app.queue.added) == 1
    assert app.calls == []


async def test_two_messages_are_two_sessions(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("a fox")
    await app.mention("a fox")
    assert len(app.store.sessions) == 2


async def test_nothing_is_acked_before_it_is_kept(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that was acked is not delivered again."""
    app = make_app()
    gate, create = asyncio.Event(), app.store.create

    async def slowly(session: Session, **options: Any) -> Session:
        await gate.wait()
        return await create(session, **options)

    monkeypatch.setattr(app.store, "create", slowly)
    dispatched = asyncio.create_task(app.bolt.async_dispatch(signed_event(mention("a fox"))))
    done, _ = await asyncio.wait({dispatched}, timeout=0.2)
    assert not done
    gate.set()
    assert (await dispatched).status == 200
    assert len(app.store.sessions) == 1
    await app.tasks.drain(5)


@pytest.mark.parametrize(
    "event",
    [
        mention("a fox", bot_id="B2"),
        mention("a fox", subtype="bot_message"),
        mention("a fox", user=BOT),
        direct("a fox", bot_id="B2"),
        direct("a fox", user=BOT),
        direct("a fox", subtype="message_changed", message={"user": OWNER}),
        direct("a fox", subtype="message_deleted", previous_message={"user": OWNER}),
        direct("a fox", subtype="channel_join"),
        direct("a fox", channel_type="channel"),
        {key: value for key, value in direct("a fox").items() if key != "user"},
    ],
)
async def test_what_no_person_said_to_it_is_acked_and_left(
    make_app: MakeApp, event: dict[str, Any]
) -> None:
    app = make_app()
    response = await app.event(event)
    assert (response.status, response.body) == (200, "")
    assert app.store.sessions == {}
    assert app.calls == []


@pytest.mark.parametrize("text", ["", "   ", f"<@{BOT}>"])
async def test_a_mention_alone_is_told_what_to_say(make_app: MakeApp, text: str) -> None:
    app = make_app()
    await app.mention(text)
    assert app.whispers(channel=CHANNEL, user=OWNER) == [REFUSALS[Reason.EMPTY_MENTION]]
    assert app.store.sessions == {}


async def test_options_alone_start_nothing(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("--n 3")
    assert app.whispers() == [REFUSALS[Reason.EMPTY_PROMPT]]
    assert app.store.sessions == {}


@pytest.mark.parametrize("thread_ts", ["", "1.0"])
async def test_an_option_that_cannot_be_is_named_and_the_words_repeated(
    make_app: MakeApp, thread_ts: str
) -> None:
    app = make_app(DRAFT)
    await app.mention("a &lt;fox&gt; --n 9", thread_ts=thread_ts)
    (said,) = app.whispers()
    assert "--n" in said
    assert "a &lt;fox&gt; --n 9" in said
    assert "/imagine a" not in said  # it was not typed behind the command
    assert app.store.sessions == {ID: DRAFT}


async def test_help_is_told_in_private(make_app: MakeApp) -> None:
    app = make_app()
    app.store.away = True
    await app.mention("Help")
    assert app.whispers() == [help_words()]


async def test_list_is_told_in_private(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.event(direct("list"))
    (said,) = app.whispers(channel=DIRECT, user=OWNER)
    assert PROMPT in said
    assert f"{WORKSPACE}archives/{CHANNEL}/p10" in said


async def test_cancel_in_a_thread_stops_what_that_thread_waits_for(make_app: MakeApp) -> None:
    elsewhere = replace(generating(), id="T1.U1.dddd", thread_ts="8.0", created_at=999.0)
    app = make_app(generating(2), elsewhere)
    await app.mention("cancel", thread_ts="1.0")
    assert app.session.latest.cancelled
    assert app.store.sessions["T1.U1.dddd"] == elsewhere
    assert app.cancellations.sent == [ID]
    (said,) = app.whispers(thread_ts="1.0")
    assert PROMPT in said
    assert app.of("chat.postMessage") == []  # nothing is posted after


@pytest.mark.parametrize("thread_ts", ["", "4.4"])
async def test_cancel_elsewhere_stops_the_newest(make_app: MakeApp, thread_ts: str) -> None:
    app = make_app(generating())
    await app.mention("cancel", thread_ts=thread_ts)
    assert app.session.latest.cancelled
    assert len(app.whispers()) == 1


async def test_nothing_to_cancel_is_said(make_app: MakeApp) -> None:
    app = make_app(a_session(Stage.FINAL))
    await app.mention("cancel", thread_ts="1.0")
    assert app.whispers() == [REFUSALS[Reason.NOTHING_TO_CANCEL]]


async def test_where_no_private_word_can_be_said_it_comes_as_a_direct_message(
    make_app: MakeApp,
) -> None:
    app = make_app(FINAL)
    app.fail["chat.postEphemeral"] = "user_not_in_channel"
    await app.mention("make it night", thread_ts="1.0")
    (told,) = app.of("chat.postMessage")
    assert told["channel"] == OWNER
    assert told["text"] == REFUSALS[Reason.ALREADY_APPROVED]
    assert "thread_ts" not in told


async def test_in_a_direct_channel_it_is_a_reply(make_app: MakeApp) -> None:
    app = make_app()
    app.fail["chat.postEphemeral"] = "channel_not_found"
    await app.event(direct("help", ts="6.6"))
    (told,) = app.of("chat.postMessage")
    assert (told["channel"], told["thread_ts"], told["text"]) == (DIRECT, "6.6", help_words())


async def test_nobody_to_tell_is_no_reason_to_break(make_app: MakeApp) -> None:
    app = make_app(FINAL)
    app.fail = {"chat.postEphemeral": "fatal_error", "chat.postMessage": "fatal_error"}
    assert (await app.mention("make it night", thread_ts="1.0")).status == 200


async def test_while_the_store_is_away_the_person_is_told_and_nothing_starts_later(
    make_app: MakeApp,
) -> None:
    app = make_app()
    app.store.away = True
    response = await app.bolt.async_dispatch(signed_event(mention("a fox")))
    assert (response.status, response.body) == (200, "")
    app.store.away = False
    await app.tasks.drain(10)
    assert app.whispers() == [words.STORE_AWAY]
    assert app.store.sessions == {}
    assert app.queue.added == []


async def test_while_the_queue_is_away_the_session_is_kept_for_the_sweeper(
    make_app: MakeApp,
) -> None:
    app = make_app()
    app.queue.away = True
    assert (await app.mention("a fox")).status == 200
    assert app.only.id in app.store.touched
    assert app.calls == []


async def test_a_listener_that_breaks_still_acks_and_says_nothing_of_why(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()

    async def broken(*_: object) -> None:
        raise RuntimeError("xoxb-secret a fox")

    monkeypatch.setattr(app.store, "create", broken)
    response = await app.mention("a fox")
    assert (response.status, response.body) == (200, "")
    assert app.whispers() == [words.SOMETHING_BROKE]
    for hidden in ("xoxb-secret", "a fox", "Traceback"):
        assert hidden not in caplog.text


async def test_an_event_that_is_not_what_it_should_be_is_acked(make_app: MakeApp) -> None:
    app = make_app()
    event = mention("a fox")
    del event["channel"]
    assert (await app.event(event)).status == 200
    assert app.store.sessions == {}


@pytest.mark.parametrize("length", [40_001, 1_000_000])
@pytest.mark.parametrize("piece", [" ", "\t", "-", '"', "<@U7>", "&lt;", "a"])
async def test_a_message_too_long_to_be_read_is_refused_with_the_limit(
    make_app: MakeApp, piece: str, length: int
) -> None:
    app = make_app()
    await app.event(direct((piece * length)[:length]))
    assert app.store.sessions == {}
    (call,) = app.calls
    assert call.args["text"] == REFUSALS[Reason.PROMPT_TOO_LONG]
    assert f"{MAX_PROMPT:,}" in call.args["text"]


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\u00a0", f"<@{BOT}> "])
async def test_forty_thousand_blanks_are_no_prompt(make_app: MakeApp, blank: str) -> None:
    app = make_app()
    await app.event(direct((blank * 40_000)[:40_000].rpartition("<")[0] or blank * 40_000))
    assert app.store.sessions == {}
    assert [call.args["text"] for call in app.calls] == [REFUSALS[Reason.EMPTY_MENTION]]


async def test_a_prompt_of_the_longest_length_may_have_a_mention_and_options(
    make_app: MakeApp,
) -> None:
    app = make_app()
    await app.mention("x" * MAX_PROMPT + " --n 2")
    assert (len(app.only.task_input), app.only.options.candidates) == (MAX_PROMPT, 2)


async def test_half_a_character_starts_nothing_that_breaks(make_app: MakeApp) -> None:
    app = make_app()
    await app.event(direct("a \ud83d fox --n 9\udd8a"))
    assert "`--n` must be 1 to 4, not `9" in app.calls[0].args["text"]


@pytest.mark.parametrize("said", ["list!", "LIST.", "*list*", ":clipboard: list"])
async def test_a_list_is_asked_for_with_any_punctuation(make_app: MakeApp, said: str) -> None:
    app = make_app(a_session())
    await app.event(direct(said))
    assert len(app.store.sessions) == 1
    assert "waiting for review" in app.whispers()[0].lower()


@pytest.mark.parametrize("said", ["cancel!", "Cancel.", "“cancel”"])
async def test_cancel_with_any_punctuation_is_no_change(make_app: MakeApp, said: str) -> None:
    app = make_app(generating())
    await app.mention(said, thread_ts="1.0")
    assert app.session.latest.cancelled


async def test_a_long_message_that_begins_like_a_command_is_a_prompt(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("cancel" + "!" * 300)
    assert len(app.store.sessions) == 1


@pytest.mark.parametrize("said", ["settings", " Settings "])
async def test_settings_are_no_prompt_and_it_is_said_where_they_are(
    make_app: MakeApp, said: str
) -> None:
    app = make_app()
    await app.mention(f"<@{BOT}>{said}")
    assert "`/imagine settings` opens for admins" in app.whispers()[-1]
    assert app.store.sessions == {}
