"""Questions how far an image is are answered, and buy no image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.views.ids import BUTTON_LABELS, CANCEL
from tests.fakes import ID, STRANGER, a_session, an_attempt, generating, with_latest
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import DIRECT, direct, picture

ASKED = [
    *("is it ready?", "how long?", "can you hurry", "Any news??", "IS IT DONE YET :eyes:"),
    *("hey, how much longer please", "wie lange noch?", "c'est prêt ?", "¿cuánto falta?"),
    *("what's taking so long", "status", "好了吗？", "are you stuck?"),
]
WORKING = with_latest(generating(2), started_at=100.0)
FAILED = attempt_failed(generating(), 1, FailureKind.TIMED_OUT, "w", "7.0", 1.0)
BESIDE = attempt_failed(generating(2), 2, FailureKind.TIMED_OUT, "w", "7.0", 1.0)
SEVERAL = replace(a_session(), attempts=(an_attempt(posted=True, images=3),))


@pytest.mark.parametrize(
    ("session", "told"),
    [
        (a_session(attempts=2), "Attempt 2 is ready and waits"),
        (SEVERAL, "Attempt 1 is ready and waits"),
        (WORKING, "comes to this thread by itself"),
        (FAILED, "Failed"),
        (BESIDE, "Attempt 1 is ready and waits"),
        (a_session(Stage.FINAL, final_ts="9.0"), "Approved by"),
    ],
)
@pytest.mark.parametrize("said", ASKED)
async def test_in_a_thread_it_is_told_how_far_the_image_is(
    make_app: MakeApp, said: str, session: Session, told: str
) -> None:
    app = make_app(session)
    await app.mention(said, thread_ts="1.0")
    assert told in app.whispers()[0]
    assert "…" not in app.whispers()[0]
    assert app.store.sessions == {ID: session}
    assert app.queue.added == []


async def test_the_owner_can_cancel_there_and_a_colleague_cannot(make_app: MakeApp) -> None:
    app = make_app(WORKING)
    await app.mention("how long?", thread_ts="1.0")
    await app.mention("how long?", thread_ts="1.0", user=STRANGER)
    mine, theirs = app.of("chat.postEphemeral")
    assert BUTTON_LABELS[CANCEL] in str(mine["blocks"])
    assert BUTTON_LABELS[CANCEL] not in str(theirs["blocks"])
    assert app.store.sessions == {ID: WORKING}


@pytest.mark.parametrize("said", ASKED)
@pytest.mark.parametrize("way", ["mention", "direct", "thread of something else"])
async def test_elsewhere_what_is_in_progress_is_listed(
    make_app: MakeApp, said: str, way: str
) -> None:
    session = replace(WORKING, channel=DIRECT)
    app = make_app(session)
    if way == "mention":
        await app.mention(said)
    else:
        await app.event(direct(said, thread_ts="4.4" if way != "direct" else ""))
    assert "In progress: 1" in app.whispers()[0]
    assert app.store.sessions == {ID: session}


async def test_with_nothing_in_progress_that_is_said(make_app: MakeApp) -> None:
    app = make_app()
    await app.event(direct("is it ready?"))
    assert "nothing in progress" in app.whispers()[0]
    assert app.store.sessions == {}


async def test_after_the_command_and_with_a_picture_it_is_a_prompt(make_app: MakeApp) -> None:
    app = make_app()
    await app.command("status")
    await app.mention("hurry up", files=[picture()])
    assert [s.task_input for s in app.store.sessions.values()] == ["status", "hurry up"]
