"""Discard: where it is offered, who may, and what is said while a session is discarded."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.discard import discard
from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.jobs import Job, JobKind
from bot.domain.policy import Policy
from bot.domain.refusals import Reason
from bot.domain.session import UNDO_FOR, Session
from bot.domain.stages import Discard, Publication, Stage
from bot.domain.transitions import discard_shown
from bot.views import ids
from bot.views.messages import draft_message, root_message
from bot.views.refusal_words import REFUSALS
from tests.fakes import CHANNEL, ID, OWNER, STRANGER, a_session, clock, generating
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import DIRECT, click, direct, interaction, signed
from tests.scenario.slack_app import SlackApp
from tests.scenario.test_thread_words import elements, offered, press

DRAFT = a_session(attempts=2)
FAILED = attempt_failed(generating(), 1, FailureKind.TIMED_OUT, "w", "7.0", 1.0)
NOW = clock()()


def gone(session: Session = DRAFT, *, ago: float = 0.0) -> Session:
    """The session, discarded so many seconds ago; its messages show that."""
    after = discard(session, len(session.attempts), OWNER, "w", NOW - ago, "a-click")
    return discard_shown(after, Discard.DISCARDED)


GONE = gone()
REFUSED = REFUSALS[Reason.DISCARDED]


async def at_once(app: SlackApp, *actions: str) -> None:
    """Clicks on the draft, by two people's hands or one's."""
    requests = [signed(urlencode(interaction(click(action, f"{ID}#2")))) for action in actions]
    await asyncio.gather(*(app.bolt.async_dispatch(request) for request in requests))
    await app.command("help")  # until all has come to its end


def answer_buttons(app: SlackApp) -> list[str]:
    """The labels of the message that took the place of the private one."""
    return [e["text"]["text"] for e in elements(app.of("respond")[-1].get("blocks") or [])]


@pytest.mark.parametrize("session", [DRAFT, FAILED])
@pytest.mark.parametrize("said", ["cancel", "cancel it", "stop", "never mind"])
async def test_cancel_in_a_drafts_thread_offers_discard(
    make_app: MakeApp, session: Session, said: str
) -> None:
    app = make_app(session)
    await app.mention(said, thread_ts="1.0")
    assert app.store.sessions == {ID: session}
    number = len(session.attempts)
    assert offered(app) == [("🗑️ Discard", f"{ID}#{number}")]
    await press(app, "🗑️ Discard")
    assert (app.session.discard, app.session.discarded_by) == (Discard.DISCARDED, OWNER)
    assert app.queue.added == [Job(JobKind.SHOW_DISCARD, ID, number, 1)]
    assert "Discarded by" in app.of("respond")[-1]["text"]
    assert answer_buttons(app) == ["↩️ Undo"]


@pytest.mark.parametrize("said", ["cancel", "discard", "delete it"])
async def test_in_a_direct_message_too(make_app: MakeApp, said: str) -> None:
    app = make_app(replace(DRAFT, channel=DIRECT))
    await app.event(direct(said))
    assert offered(app) == [("🗑️ Discard", f"{ID}#2")]


async def test_the_command_offers_discard_where_no_image_is_being_made(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    response = await app.command("cancel")
    assert app.store.sessions == {ID: DRAFT}
    (button,) = elements(json.loads(response.body)["blocks"])
    assert (button["text"]["text"], button["value"]) == ("🗑️ Discard", f"{ID}#2")


async def test_the_command_cancels_what_is_under_way_and_offers_nothing(make_app: MakeApp) -> None:
    app = make_app(generating(3))
    response = await app.command("cancel")
    assert "blocks" not in json.loads(response.body)
    assert (app.session.stage, app.session.discarded) == (Stage.USER_FEEDBACK, False)


@pytest.mark.parametrize(
    "session",
    [a_session(Stage.FINAL, final_ts="9.0", publication=Publication.SHOWN), None],
)
async def test_where_there_is_nothing_to_discard_the_command_says_so(
    make_app: MakeApp, session: Session | None
) -> None:
    app = make_app(*filter(None, [session]))
    response = await app.command("cancel")
    assert "nothing to cancel" in response.body
    assert "Discard" not in response.body


async def test_discard_while_an_image_is_made_stops_it(make_app: MakeApp) -> None:
    app = make_app(generating(3))
    await app.mention("discard", thread_ts="1.0")
    assert app.session.stage is Stage.GENERATING
    await press(app, "🗑️ Discard")
    assert (app.session.discarded, app.session.latest.cancelled) == (True, True)
    kinds = [job.kind for job in app.queue.added]
    assert kinds == [JobKind.SHOW_CANCELLED, JobKind.SHOW_DISCARD]
    assert app.cancellations.sent == [ID]


async def test_an_old_offer_does_not_discard_what_came_after_it(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.click(ids.DISCARD, f"{ID}#1")
    assert app.whispers() == [REFUSALS[Reason.MOVED_ON]]
    assert app.store.sessions == {ID: DRAFT}


async def test_two_clicks_at_once_discard_once(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await at_once(app, ids.DISCARD, ids.DISCARD)
    assert app.session.discard_run == 1
    assert {job.id for job in app.queue.added} == {Job(JobKind.SHOW_DISCARD, ID, 2, 1).id}


async def test_discard_and_approve_at_once_are_one_of_both(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await at_once(app, ids.APPROVE, ids.DISCARD)
    assert app.session.discarded is not (app.session.stage is Stage.FINAL)
    assert len(app.whispers()) == 1


async def test_a_click_that_is_delivered_again_after_undo_changes_nothing(
    make_app: MakeApp,
) -> None:
    app = make_app(DRAFT)
    pressed = click(ids.DISCARD, f"{ID}#2")
    pressed["actions"][0]["action_ts"] = "5.5"
    await app.send(interaction(pressed))
    await app.click(ids.UNDO, f"{ID}#2")
    await app.send(interaction(pressed))
    assert app.session.discard is Discard.RESTORED


@pytest.mark.parametrize("action", [ids.DISCARD, ids.UNDO])
async def test_other_people_may_not(make_app: MakeApp, action: str) -> None:
    session = DRAFT if action == ids.DISCARD else GONE
    app = make_app(session)
    await app.click(action, f"{ID}#2", user=STRANGER)
    assert app.whispers(user=STRANGER) == [REFUSALS[Reason.NOT_ALLOWED].format(owner=f"<@{OWNER}>")]
    assert app.store.sessions == {ID: session}


async def test_whom_the_policy_names_may_discard_and_undo(make_app: MakeApp) -> None:
    app = make_app(DRAFT, policy=Policy(others=frozenset({STRANGER}), team="T1"))
    await app.click(ids.DISCARD, f"{ID}#2", user=STRANGER)
    assert app.session.discarded_by == STRANGER
    await app.click(ids.UNDO, f"{ID}#2", user=OWNER)
    assert (app.session.discarded, app.session.restored_by) == (False, OWNER)


async def test_a_colleague_who_says_cancel_is_offered_nothing(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    await app.mention("cancel", thread_ts="1.0", user=STRANGER)
    assert not app.of("chat.postEphemeral")[-1].get("blocks")
    assert "only" in app.whispers(user=STRANGER)[0]


@pytest.mark.parametrize(
    ("action", "number"),
    [
        (ids.APPROVE, 2), (ids.USE_THIS, 1), (ids.REGENERATE, 2), (ids.REFINE, 2),
        (ids.EDIT_PROMPT, 2), (ids.TRY_AGAIN, 2),
    ],
)  # fmt: skip
async def test_every_button_of_old_messages_is_refused_in_words_that_name_undo(
    make_app: MakeApp, action: str, number: int
) -> None:
    app = make_app(GONE)
    await app.click(action, f"{ID}#{number}")
    assert app.whispers() == [REFUSED]
    assert "Undo" in REFUSED
    assert app.store.sessions == {ID: GONE}
    assert app.queue.added == []


@pytest.mark.parametrize("said", ["make it night", "image 2 in blue", "a hat, please"])
@pytest.mark.parametrize("user", [OWNER, STRANGER])
async def test_words_in_its_thread_are_refused_too(make_app: MakeApp, said: str, user: str) -> None:
    app = make_app(GONE)
    await app.mention(said, thread_ts="1.0", user=user)
    assert app.whispers(user=user) == [REFUSED]
    assert app.store.sessions == {ID: GONE}


@pytest.mark.parametrize("said", ["undo", "approve", "discard", "again", "cancel", "go back"])
async def test_names_of_buttons_get_undo(make_app: MakeApp, said: str) -> None:
    app = make_app(GONE)
    await app.mention(said, thread_ts="1.0")
    assert offered(app) == [("↩️ Undo", f"{ID}#2")]
    await press(app, "↩️ Undo")
    assert not app.session.discarded
    assert "Taken up again" in app.of("respond")[-1]["text"]


@pytest.mark.parametrize(("user", "row"), [(OWNER, [("↩️ Undo", f"{ID}#2")]), (STRANGER, [])])
async def test_who_asks_how_far_it_is_is_told_with_undo(
    make_app: MakeApp, user: str, row: list[tuple[str, str]]
) -> None:
    app = make_app(GONE)
    await app.mention("is it ready?", thread_ts="1.0", user=user)
    (told,) = app.whispers(user=user)
    assert "Discarded by" in told
    assert offered(app) == row


async def test_undo_outside_the_thread_is_about_what_was_just_discarded(
    make_app: MakeApp,
) -> None:
    older = replace(DRAFT, id="T1.U1.older", updated_at=1.0)
    app = make_app(older, replace(GONE, channel=DIRECT))
    await app.event(direct("undo"))
    assert offered(app) == [("↩️ Undo", f"{ID}#2")]


async def test_undo_after_ten_minutes_is_refused_in_words(make_app: MakeApp) -> None:
    late = gone(ago=UNDO_FOR + 60)
    app = make_app(late)
    await app.click(ids.UNDO, f"{ID}#2")
    assert app.whispers() == [REFUSALS[Reason.UNDO_EXPIRED]]
    assert app.store.sessions == {ID: late}


async def test_after_undo_everything_works_again(make_app: MakeApp) -> None:
    app = make_app(GONE)
    await app.click(ids.UNDO, f"{ID}#2")
    await app.click(ids.APPROVE, f"{ID}#2")
    assert app.session.final_image == ImageRef(2)


async def test_a_new_idea_in_the_channel_is_not_held_up(make_app: MakeApp) -> None:
    app = make_app(replace(GONE, channel=CHANNEL))
    await app.mention("a fox in the rain")
    assert len(app.store.sessions) == 2


def test_the_messages_show_it_with_undo_and_until_when() -> None:
    until = f"<!date^{int(GONE.undo_until)}^{{time}}|"
    root, draft = root_message(GONE, None, NOW), draft_message(GONE, 2)
    for message in (root, draft):
        assert [e["text"]["text"] for e in elements(message.blocks)] == ["↩️ Undo"]
        assert f"🗑️ Discarded by <@{OWNER}> · Undo works until {until}" in str(message.blocks)
    assert elements(draft_message(GONE, 1).blocks) == []
