"""The app is uninstalled, its token revoked, a channel archived or deleted, the bot removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.failures import FailureKind
from bot.domain.jobs import due_jobs
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from tests.fakes import CHANNEL, OWNER, a_candidate, a_session, generating, with_latest
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import BOT, signed_event

UNPUBLISHED = a_session(Stage.FINAL)
LOST: list[tuple[dict[str, Any], FailureKind, str]] = [
    ({"type": "channel_archive"}, FailureKind.CHANNEL_ARCHIVED, "archived"),
    ({"type": "group_archive"}, FailureKind.CHANNEL_ARCHIVED, "archived"),
    ({"type": "channel_deleted"}, FailureKind.CHANNEL_DELETED, "deleted"),
    ({"type": "group_deleted"}, FailureKind.CHANNEL_DELETED, "deleted"),
    ({"type": "channel_left", "actor_id": "U9"}, FailureKind.NOT_IN_CHANNEL, "/invite @imagine"),
    ({"type": "group_left", "actor_id": "U9"}, FailureKind.NOT_IN_CHANNEL, "/invite @imagine"),
    (
        {"type": "member_left_channel", "user": BOT, "channel_type": "C"},
        FailureKind.NOT_IN_CHANNEL,
        "/invite @imagine",
    ),
]


@pytest.mark.parametrize(("inner", "kind", "says"), LOST, ids=[inner["type"] for inner, *_ in LOST])
async def test_what_waits_in_a_place_that_is_lost_is_given_up_in_words(
    make_app: MakeApp, inner: dict[str, Any], kind: FailureKind, says: str
) -> None:
    app = make_app(generating())
    assert (await app.event({**inner, "channel": CHANNEL})).status == 200
    assert (app.session.stage, app.session.latest.failure) == (Stage.INITIAL_INPUT, kind)
    assert due_jobs(app.session) == ()
    (told,) = app.of("chat.postMessage")
    assert told["channel"] == OWNER
    assert says in told["text"]
    assert says in app.session.error_message
    assert (await app.event({**inner, "channel": CHANNEL})).status == 200
    assert len(app.of("chat.postMessage")) == 1


@pytest.mark.parametrize(("inner", "kind", "says"), LOST, ids=[inner["type"] for inner, *_ in LOST])
async def test_an_approved_image_that_is_not_out_yet_is_given_up_too(
    make_app: MakeApp, inner: dict[str, Any], kind: FailureKind, says: str
) -> None:
    app = make_app(UNPUBLISHED)
    await app.event({**inner, "channel": CHANNEL})
    assert app.session.publication is Publication.REFUSED
    assert due_jobs(app.session) == ()
    (told,) = app.of("chat.postMessage")
    assert told["text"].startswith("Your image is approved, but ")


async def test_an_image_that_is_made_is_said_to_be_there(make_app: MakeApp) -> None:
    made = with_latest(generating(), candidates=(a_candidate(1, file_id=""),), delivery_candidate=1)
    app = make_app(made)
    await app.event({"type": "channel_archive", "channel": CHANNEL})
    (told,) = app.of("chat.postMessage")
    assert told["text"].startswith("The image was made, but ")
    assert app.session.latest.undelivered


OTHERS: dict[str, Session] = {
    "another channel": replace(generating(), channel="C2"),
    "another workspace": replace(generating(), team="T2"),
    "waits for its director": a_session(),
    "not submitted": a_session(Stage.INITIAL_INPUT),
}


@pytest.mark.parametrize("session", OTHERS.values(), ids=OTHERS.keys())
async def test_what_does_not_wait_there_goes_on(make_app: MakeApp, session: Session) -> None:
    app = make_app(session)
    await app.event({"type": "channel_archive", "channel": CHANNEL})
    assert app.session == session
    assert app.calls == []


async def test_a_crowd_is_told_of_once_for_each_and_not_without_end(make_app: MakeApp) -> None:
    crowd = [replace(generating(), id=f"T1.U1.{n}") for n in range(130)]
    app = make_app(*crowd, replace(generating(), id="T1.U2.x", user="U2"))
    await app.event({"type": "channel_archive", "channel": CHANNEL})
    assert not any(due_jobs(session) for session in app.store.sessions.values())
    told = [call["channel"] for call in app.of("chat.postMessage")]
    assert (told.count("U1"), told.count("U2")) == (5, 1)


@pytest.mark.parametrize(
    "inner",
    [
        {"type": "member_left_channel", "user": "U2", "channel": CHANNEL},
        {"type": "member_left_channel", "channel": CHANNEL},
        {"type": "member_left_channel", "user": {"id": BOT}, "channel": CHANNEL},
        {"type": "channel_archive"},
        {"type": "channel_archive", "channel": {"id": CHANNEL}},
        {"type": "channel_left", "channel": None},
        {"type": "tokens_revoked"},
        {"type": "tokens_revoked", "tokens": None},
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}},
        {"type": "tokens_revoked", "tokens": {"oauth": [BOT], "bot": []}},
        {"type": "tokens_revoked", "tokens": {"bot": ["U2"]}},
        {"type": "tokens_revoked", "tokens": {"bot": BOT}},
    ],
)
async def test_what_is_not_about_the_bot_changes_nothing(
    make_app: MakeApp, inner: dict[str, Any]
) -> None:
    app = make_app(generating())
    assert (await app.event(inner)).status == 200
    assert app.session == generating()
    assert app.app_blocked_store.kept is None
    assert app.calls == []


@pytest.mark.parametrize(
    "inner",
    [
        {"type": "app_uninstalled"},
        {"type": "tokens_revoked", "tokens": {"bot": [BOT]}},
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": ["U2", BOT]}},
    ],
)
async def test_workers_are_told_that_the_app_is_out(
    make_app: MakeApp, inner: dict[str, Any]
) -> None:
    app = make_app(generating())
    assert (await app.event(inner)).status == 200
    assert app.app_blocked_store.kept is not None
    assert app.app_blocked_store.kept.uninstalled
    assert app.session == generating()
    assert app.calls == []


@pytest.mark.parametrize("inner", [{"type": "app_uninstalled"}, LOST[0][0]])
async def test_what_is_not_stored_is_not_acked_and_comes_again(
    make_app: MakeApp, inner: dict[str, Any]
) -> None:
    app = make_app(generating())
    app.app_blocked_store.away = app.store.away = True
    told = {**inner, "channel": CHANNEL}
    assert (await app.dispatch(signed_event(told))).status != 200
    app.app_blocked_store.away = app.store.away = False
    assert (await app.dispatch(signed_event(told))).status == 200


async def test_a_notice_that_cannot_be_sent_loses_nothing(make_app: MakeApp) -> None:
    app = make_app(generating())
    app.fail["chat.postMessage"] = "user_disabled"
    assert (await app.event({"type": "channel_deleted", "channel": CHANNEL})).status == 200
    assert app.session.latest.failure is FailureKind.CHANNEL_DELETED
