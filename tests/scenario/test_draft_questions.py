"""Words outside a thread that read like a change, while a draft waits there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.discard import discard
from bot.domain.session import Session
from bot.domain.slack_refusals import ConversationKind
from bot.views import ids
from tests.fakes import ID, OWNER, STRANGER, a_session, an_attempt, generating
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import DIRECT, direct, mention, picture
from tests.scenario.slack_app import SlackApp
from tests.scenario.test_thread_words import nothing_begun, offered, press

NEW = ids.BUTTON_LABELS[ids.WORDS_ONLY]
WITH_THIS = ids.BUTTON_LABELS[ids.REFINE_WITH]
DRAFT = replace(a_session(attempts=2), channel=DIRECT)
CHANGES = [
    *("make it night", "add a boat", "more contrast", "MAKE IT BLUE!!", "please remove the hat"),
    *("darker", "now with a hat", "mach es blau", "hazlo azul", "ok, but make her smile"),
    *("can you change the background?", "without people", "make it night --quality high"),
]


def others(app: SlackApp, session: Session = DRAFT) -> list[Session]:
    return [each for each in app.store.sessions.values() if each.id != session.id]


@pytest.mark.parametrize("said", CHANGES)
async def test_in_a_direct_message_one_is_asked_first(make_app: MakeApp, said: str) -> None:
    app = make_app(DRAFT)
    event = direct(said)
    for _ in "ab":
        await app.event(event)
    assert nothing_begun(app, DRAFT)
    (asked,) = app.whispers()
    assert "Is this about your draft" in asked
    assert [label for label, _ in offered(app)] == [WITH_THIS, NEW]


async def test_it_is_about_the_draft(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    said = direct("make it night --quality high")
    await app.event(said)
    for _ in "ab":
        await press(app, WITH_THIS)
    latest = app.session.latest
    assert (latest.number, latest.base, latest.change) == (3, ImageRef(2), "make it night")
    await app.event(said)
    assert others(app) == []
    assert len(app.whispers()) == 1


async def test_it_is_a_new_image(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    said = direct("make it night")
    await app.event(said)
    for _ in "ab":
        await press(app, NEW)
    await app.event(said)
    (new,) = others(app)
    assert (new.task_input, new.source, new.place) == (
        "make it night",
        None,
        ConversationKind.DIRECT,
    )
    assert app.session == DRAFT


async def test_in_a_channel_it_is_the_same(make_app: MakeApp) -> None:
    session = a_session()
    app = make_app(session)
    await app.event(mention("make it night"))
    assert nothing_begun(app, session)
    assert [label for label, _ in offered(app)] == [WITH_THIS, NEW]
    await app.event(mention("make it night", user=STRANGER, ts="9.1"))
    assert len(others(app, session)) == 1


async def test_each_of_several_images_is_offered(make_app: MakeApp) -> None:
    several = replace(DRAFT, attempts=(an_attempt(posted=True, images=3),))
    app = make_app(several)
    await app.event(direct("make it night"))
    assert [value.rpartition("#")[2] for _, value in offered(app)] == ["1", "1.2", "1.3", "0"]
    await app.event(direct("make number 2 blue", ts="9.1"))
    assert [value.rpartition("#")[2] for _, value in offered(app)] == ["1.2", "0"]


async def test_of_several_drafts_the_newest_is_asked_about(make_app: MakeApp) -> None:
    older = replace(DRAFT, id="T1.U1.dddd", updated_at=1.0)
    app = make_app(older, DRAFT)
    await app.event(direct("make it night"))
    assert "another of your drafts" in app.whispers()[0]
    assert offered(app)[0] == (WITH_THIS, offered(app)[0][1])


@pytest.mark.parametrize(
    "session",
    [
        None,
        replace(generating(), channel=DIRECT),
        replace(DRAFT, channel="C9"),
        discard(DRAFT, 2, OWNER, "w", 1.0, ""),
    ],
    ids=["nothing", "while it is made", "elsewhere", "discarded"],
)
async def test_where_no_draft_waits_it_is_a_prompt(
    make_app: MakeApp, session: Session | None
) -> None:
    app = make_app(*filter(None, [session]))
    await app.event(direct("make it night"))
    assert "make it night" in [s.task_input for s in app.store.sessions.values()]


@pytest.mark.parametrize("said", ["a fox", "a dog in a hat", "draw a lighthouse", "night sky"])
async def test_a_prompt_starts_a_new_image(make_app: MakeApp, said: str) -> None:
    app = make_app(DRAFT)
    await app.event(direct(said))
    assert [s.task_input for s in others(app)] == [said]


async def test_a_picture_that_comes_along_is_what_is_changed(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.event(direct("make it night", subtype="file_share", files=[picture()]))
    assert len(others(app)) == 1


@pytest.mark.parametrize("said", ["again", "approve", "no", "refine", "start over"])
async def test_a_button_outside_the_thread_says_which_session_is_meant(
    make_app: MakeApp, said: str
) -> None:
    app = make_app(DRAFT)
    await app.event(direct(said))
    assert app.whispers()[0].startswith(f"“{DRAFT.task_input}”\n")
    await app.event(direct(said, thread_ts="1.0", ts="9.1"))
    assert "“" not in app.whispers()[1]
    assert app.store.sessions == {ID: DRAFT}
