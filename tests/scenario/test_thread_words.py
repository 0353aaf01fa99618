"""What people say in the thread of a draft: the names of buttons and of images, changes while the
bot works, pictures without words, and what colleagues suggest."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.domain.attempt import ImageRef, Source
from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.options import Options
from bot.domain.refusals import Reason
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.transitions import MOST_KEPT_WORDS
from bot.views import ids, words
from bot.views.failure_messages import failure_message
from bot.views.messages import draft_message
from bot.views.offers import NO_DRAFT
from bot.views.refusal_words import REFUSALS
from tests.fakes import CHANNEL, ID, OWNER, STRANGER, a_session, an_attempt, generating
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
DRAFT = a_session(attempts=2)
FAILED = attempt_failed(generating(), 1, FailureKind.TIMED_OUT, "w", "7.0", 1.0)


def several(*attempts: int, stage: Stage = Stage.USER_FEEDBACK) -> Session:
    """A session whose attempts have so many images."""
    made = tuple(
        an_attempt(n, posted=n < len(attempts) or stage is not Stage.GENERATING, images=images)
        for n, images in enumerate(attempts, 1)
    )
    return replace(a_session(stage, attempts=len(attempts)), attempts=made)


def elements(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    return [element for row in rows for element in row]


def offered(app: SlackApp) -> list[tuple[str, str]]:
    """The labels and values of the buttons that were offered last, in private."""
    asked = app.of("chat.postEphemeral")[-1]
    return [(e["text"]["text"], e["value"]) for e in elements(asked["blocks"])]


async def press(app: SlackApp, label: str, *, user: str = OWNER, calls: str = "") -> None:
    """Press a button of the last message of its kind."""
    asked = app.of(calls or "chat.postEphemeral")[-1]
    (element,) = [e for e in elements(asked["blocks"]) if e["text"]["text"] == label]
    payload = click_of(element["action_id"], element["value"], user=user)
    payload["container"]["is_ephemeral"] = not calls
    payload["message"]["blocks"] = asked["blocks"]
    await app.send(interaction(payload))


def nothing_begun(app: SlackApp, session: Session) -> bool:
    return app.store.sessions == {ID: session} and app.queue.added == []


# questions


@pytest.mark.parametrize("said", ["why is it blue?", "which one is better?", "Can I print this?"])
async def test_a_question_is_no_change_before_its_author_says_so(
    make_app: MakeApp, said: str
) -> None:
    app = make_app(DRAFT)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, DRAFT)
    assert app.whispers()[0].startswith("Is this a change of attempt 2?")
    await press(app, "🪄 Refine with this")
    assert app.session.latest.change == said


# names of buttons


APPROVED = [
    *("approve", "Approve please", "ok approve", "APPROVE!!!", "looks good, approve it", "👍"),
    *(":+1:", ":+1::skin-tone-3: ", "lgtm", "publish", "yes please", "perfect!", "love it :heart:"),
    *("post it, thanks", "can you approve this one?", "🎉", "*approve*", "that's it", "this one"),
    *("Looks great", "use it", "ok", "i approve", "genehmigen"),
    *("gefällt mir", "Parfait !", "¡muy bien!", "super!", "perfetto", "Me encanta 😍", "太好了！"),
]


@pytest.mark.parametrize("said", APPROVED)
@pytest.mark.parametrize("place", ["mention", "direct"])
async def test_approving_words_get_the_button_and_cost_nothing(
    make_app: MakeApp, said: str, place: str
) -> None:
    session = replace(DRAFT, channel=DIRECT) if place == "direct" else DRAFT
    app = make_app(session)
    make = direct if place == "direct" else mention
    await app.event(make(said, thread_ts="1.0"))
    assert nothing_begun(app, session)
    labels = dict(offered(app))
    assert labels["✅ Approve"] == f"{ID}#2"
    assert "attempt 2" in app.whispers(user=OWNER, thread_ts="1.0")[0]
    await press(app, "✅ Approve")
    assert app.session.final_image == ImageRef(2)


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        *[
            (said, ["🔁 Regenerate"])
            for said in ("again", "Again!", "redo", "one more", "another one please", "try again")
        ],
        *[
            (said, ["✏️ Edit prompt", "🔁 Regenerate"])
            for said in ("start over", "restart", "let's start over", "start from scratch")
        ],
        *[(said, ["🗑️ Discard"]) for said in ("discard", "delete it", "throw it away please")],
        *[(said, ["🪄 Refine"]) for said in ("refine", "refine it please", "Refine this")],
        *[(said, ["✏️ Edit prompt"]) for said in ("edit prompt", "Edit the prompt", "new prompt")],
        *[
            (said, ["🔁 Regenerate", "✏️ Edit prompt"])
            for said in (
                "no",
                "don't approve it",
                "hmm",
                "👎",
                "not yet",
                "Gefällt mir nicht",
                "pas bien",
            )
        ],
    ],
)
async def test_other_buttons_are_offered_by_their_names(
    make_app: MakeApp, said: str, labels: list[str]
) -> None:
    app = make_app(DRAFT)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, DRAFT)
    assert [label for label, _ in offered(app)] == labels
    assert all(value == f"{ID}#2" for _, value in offered(app))


@pytest.mark.parametrize("said", ["undo", "go back", "revert"])
async def test_a_step_back_is_said_where_it_is(make_app: MakeApp, said: str) -> None:
    app = make_app(DRAFT)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, DRAFT)
    assert "earlier draft" in app.whispers()[0]


@pytest.mark.parametrize(
    "said",
    [
        *("make it blue", "another cat", "no hat", "great, now make it night", "delete the hat"),
        *("approve a cat", "reset the colours", "use a hat", "nice cat", "start over with a cat"),
        *("keep the hat", "the cat again"),
    ],
)
async def test_words_that_say_more_are_a_change(make_app: MakeApp, said: str) -> None:
    app = make_app(DRAFT)
    await app.mention(said, thread_ts="1.0")
    assert app.session.latest.change == said


@pytest.mark.parametrize(
    ("session", "said", "labels"),
    [
        (generating(2), "approve", ["🛑 Cancel"]),
        (generating(), "again", ["🛑 Cancel"]),
        (generating(), "👍", ["🛑 Cancel"]),
        (FAILED, "approve", ["🔁 Try again", "✏️ Edit prompt"]),
        (FAILED, "again", ["🔁 Try again", "✏️ Edit prompt"]),
        (a_session(Stage.FINAL, final_ts="9.0"), "approve", ["🔄 Start over"]),
        (a_session(Stage.FINAL, final_ts="9.0"), "start over", ["🔄 Start over"]),
        (a_session(Stage.FINAL, final_ts="9.0"), "again", ["🔄 Start over"]),
    ],
)
async def test_each_stage_offers_what_it_can(
    make_app: MakeApp, session: Session, said: str, labels: list[str]
) -> None:
    app = make_app(session)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, session)
    assert [label for label, _ in offered(app)] == labels


async def test_after_a_failure_beside_a_draft_again_is_try_again(make_app: MakeApp) -> None:
    session = attempt_failed(generating(2), 2, FailureKind.TIMED_OUT, "w", "7.0", 1.0)
    app = make_app(session)
    await app.mention("again", thread_ts="1.0")
    assert offered(app) == [("🔁 Try again", f"{ID}#2")]
    await app.mention("approve", thread_ts="1.0")
    assert offered(app) == [("✅ Approve", f"{ID}#1")]


@pytest.mark.parametrize("said", ["stop", "cancel it please", "never mind", "Cancel!"])
async def test_words_for_cancel_cancel(make_app: MakeApp, said: str) -> None:
    app = make_app(generating())
    await app.mention(said, thread_ts="1.0")
    assert app.session.latest.cancelled


@pytest.mark.parametrize("said", ["approve", "again", "start over", "Looks good, approve it"])
@pytest.mark.parametrize("thread_ts", ["", "4.4"])
async def test_without_a_draft_a_buttons_name_is_no_prompt(
    make_app: MakeApp, said: str, thread_ts: str
) -> None:
    app = make_app()
    await app.event(direct(said, thread_ts=thread_ts))
    assert app.whispers() == [NO_DRAFT]
    assert app.store.sessions == {}


@pytest.mark.parametrize("said", ["approve", "looks good", "👍"])
async def test_outside_threads_it_is_about_the_newest_of_the_place(
    make_app: MakeApp, said: str
) -> None:
    elsewhere = replace(DRAFT, id="T1.U1.dddd", channel="C9", updated_at=900.0)
    session = replace(DRAFT, channel=DIRECT)
    app = make_app(session, elsewhere)
    await app.event(direct(said))
    assert offered(app) == [("✅ Approve", f"{ID}#2")]
    assert app.queue.added == []


@pytest.mark.parametrize("said", ["love", "wow", "🐙", "two"])
async def test_weak_words_without_a_draft_are_a_prompt(make_app: MakeApp, said: str) -> None:
    app = make_app()
    await app.mention(said)
    assert app.only.task_input == said


@pytest.mark.parametrize("said", ["thanks!", "hello", "help"])
async def test_courtesies_in_a_thread_cost_nothing(make_app: MakeApp, said: str) -> None:
    app = make_app(DRAFT)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, DRAFT)


# names of images


NAMED = [
    ("make number 2 blue", "make this image blue", 2),
    ("make the second one blue", "make this image blue", 2),
    ("#2 with a hat", "with a hat", 2),
    ("2: darker", "darker", 2),
    ("2 but at night", "at night", 2),
    ("image 3 in winter", "in winter", 3),
    ("Image 1, in winter", "in winter", 1),
    ("put a hat on the last one", "put a hat on this image", 3),
    ("make the 2nd image blue", "make this image blue", 2),
    ("the third with a hat", "with a hat", 3),
    ("option two but blue", "blue", 2),
    ("in picture no. 2, make the sky red", "in this image, make the sky red", 2),
    ("NUMBER 2 at night", "at night", 2),
]


@pytest.mark.parametrize(("said", "change", "candidate"), NAMED)
async def test_a_named_image_is_edited(
    make_app: MakeApp, said: str, change: str, candidate: int
) -> None:
    app = make_app(several(1, 3))
    await app.mention(f"{said} --quality high", thread_ts="1.0")
    latest = app.session.latest
    assert (latest.base, latest.change) == (ImageRef(2, candidate), change)
    assert latest.options.get("quality") == "high"


@pytest.mark.parametrize(
    ("said", "base"),
    [
        ("image 2 of attempt 1 at night", ImageRef(1, 2)),
        ("attempt 1, image 3: night", ImageRef(1, 3)),
        ("attempt 2 but at night", ImageRef(2)),
    ],
)
async def test_an_image_of_an_earlier_attempt_is_named(
    make_app: MakeApp, said: str, base: ImageRef
) -> None:
    app = make_app(several(3, 1, 3))
    await app.mention(said, thread_ts="1.0")
    assert app.session.latest.base == base
    assert "attempt 4 from " in draft_message(app.session, 4).text.lower()


@pytest.mark.parametrize(
    "said",
    [
        *(NIGHT, "make 2 cats", "make the second cat blue", "put the number 2 on the shirt"),
        *("images 2 and 3 in blue", "make number 9 blue", "make both blue", "2 and 3 in blue"),
        *("like image 1 with the colours of image 2", "10 cats", "image 7 at night"),
        *("attempt 9 at night", "the fourth one at night"),
    ],
)
async def test_where_it_is_unclear_one_is_asked_before_paying(make_app: MakeApp, said: str) -> None:
    session = several(1, 3)
    app = make_app(session)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, session)
    labels = [label for label, _ in offered(app)]
    assert labels[-1] in ("🪄 Refine image 3 with this", "Image 3", "🪄 Refine with this")
    assert len(labels) > 1


async def test_the_answer_edits_that_image_once(make_app: MakeApp) -> None:
    app = make_app(several(1, 3))
    said = mention(f"{NIGHT} --quality high", thread_ts="1.0")
    await app.event(said)
    await app.event(said)
    assert len(app.of("chat.postEphemeral")) == 1
    label = offered(app)[1][0]
    assert "mage 2" in label
    await press(app, label)
    await press(app, label)
    await press(app, offered(app)[0][0])
    latest = app.session.latest
    assert (latest.number, latest.base, latest.change) == (3, ImageRef(2, 2), NIGHT)
    assert latest.options.get("quality") == "high"
    assert len(app.store.written) == 1
    assert "Refining image 2 of attempt 2" in app.of("respond")[0]["text"]
    await app.event(said)
    assert app.session.latest == latest


async def test_an_answer_twice_at_once_begins_one_attempt(make_app: MakeApp) -> None:
    app = make_app(several(3))
    await app.mention(NIGHT, thread_ts="1.0")
    (first, second, _) = [value for _, value in offered(app)]
    forms = [interaction(click_of(f"{ids.REFINE_WITH}_1", v)) for v in (first, first, second)]
    await asyncio.gather(*(app.bolt.async_dispatch(signed(urlencode(form))) for form in forms))
    await app.tasks.drain(5)
    assert app.session.latest.number == 2


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("approve 2", ["2.2"]),
        ("approve the last one", ["2.3"]),
        ("use number 1", ["2"]),
        ("approve image 2 of attempt 1", ["1.2"]),
        ("approve", ["2", "2.2", "2.3"]),
        ("I prefer 2 or 3", ["2"]),
        ("approve number 7", ["2", "2.2", "2.3"]),
        ("both", ["2", "2", "2.2", "2.2", "2.3", "2.3"]),
        ("2", ["2.2", "2.2"]),
        ("#2!", ["2.2", "2.2"]),
        ("2 and 3", ["2.2", "2.2", "2.3", "2.3"]),
        ("the last one", ["2.3", "2.3"]),
    ],
)
async def test_names_of_images_beside_buttons(
    make_app: MakeApp, said: str, values: list[str]
) -> None:
    session = several(2, 3)
    app = make_app(session)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, session)
    if said != "I prefer 2 or 3":
        assert [value for _, value in offered(app)] == [f"{ID}#{value}" for value in values]


async def test_an_earlier_image_is_approved_by_its_name(make_app: MakeApp) -> None:
    app = make_app(several(2, 3))
    await app.mention("approve image 2 of attempt 1", thread_ts="1.0")
    await press(app, "✅ Approve image 2")
    assert app.session.final_image == ImageRef(1, 2)


async def test_the_number_of_another_attempt_is_not_taken_for_content(make_app: MakeApp) -> None:
    """With one image each, `version 2` may be another attempt."""
    session = several(1, 1, 1)
    app = make_app(session)
    await app.mention("version 2 but darker", thread_ts="1.0")
    assert nothing_begun(app, session)
    assert [value.rpartition("#")[2] for _, value in offered(app)] == ["1", "2", "3"]


# a change while the bot works


@pytest.mark.parametrize("session", [generating(), generating(3)], ids=["first", "third"])
async def test_a_change_while_the_bot_works_is_kept_and_offered(
    make_app: MakeApp, session: Session
) -> None:
    app = make_app(session)
    said = mention(f"{NIGHT} & --quality high", thread_ts="1.0")
    await app.event(said)
    await app.event(said)
    number = session.latest.number
    (told,) = app.whispers(user=OWNER, thread_ts="1.0")
    assert "keep what you said" in told
    assert app.session.stage is Stage.GENERATING
    assert app.queue.added == []
    app.store.sessions[ID] = drafted = with_draft(app.session)
    draft = draft_message(drafted, number)
    assert f"You said: “{NIGHT} &amp; --quality high”" in str(draft.blocks)
    (button,) = [e for e in elements(draft.blocks) if e["action_id"].startswith(ids.REFINE_WITH)]
    for _ in "ab":
        await app.click(button["action_id"], button["value"])
    latest = app.session.latest
    assert (latest.number, latest.base) == (number + 1, ImageRef(number))
    assert (latest.change, latest.options) == (f"{NIGHT} &", Options(quality="high"))
    assert app.of("respond") == []
    await app.event(said)
    assert app.session.latest == latest
    app.store.sessions[ID] = again = with_draft(app.session)
    assert ids.REFINE_WITH not in str(draft_message(again, number + 1).blocks)


def with_draft(session: Session) -> Session:
    """The attempt that was being made is in the thread."""
    number, images = session.latest.number, len(session.latest.candidates)
    made = an_attempt(number, posted=True, images=images)
    made = replace(
        made, change=session.latest.change, idempotency_key=session.latest.idempotency_key
    )
    return replace(session, stage=Stage.USER_FEEDBACK, attempts=(*session.attempts[:-1], made))


async def test_for_several_images_each_is_offered_unless_one_is_named(make_app: MakeApp) -> None:
    app = make_app(several(3, stage=Stage.GENERATING))
    await app.mention(NIGHT, thread_ts="1.0")
    await app.mention("make number 2 blue", thread_ts="1.0")
    blocks = draft_message(with_draft(app.session), 1).blocks
    found = [e for e in elements(blocks) if e["action_id"].startswith(ids.REFINE_WITH)]
    images = [e["value"].rpartition("#")[2] for e in found]
    assert images == ["1", "1.2", "1.3", "1.2"]
    assert found[-1]["text"]["text"] == "🪄 Refine image 2 with this"
    assert len({e["action_id"] for e in found}) == 4


async def test_what_was_said_before_a_failure_is_not_lost(make_app: MakeApp) -> None:
    app = make_app(generating())
    await app.mention(NIGHT, thread_ts="1.0")
    failed = attempt_failed(app.session, 1, FailureKind.TIMED_OUT, "w", "7.0", 1.0)
    assert f"“{NIGHT}”" in str(failure_message(failed, 1, "w", try_again=True).blocks)
    app.store.sessions[ID] = failed
    await app.click(ids.TRY_AGAIN, f"{ID}#1")
    assert f"“{NIGHT}”" in str(draft_message(with_draft(app.session), 2).blocks)


async def test_beside_a_draft_a_failure_leaves_the_offer_on_the_draft(make_app: MakeApp) -> None:
    app = make_app(generating(2))
    await app.mention(NIGHT, thread_ts="1.0")
    failed = attempt_failed(app.session, 2, FailureKind.TIMED_OUT, "w", "7.0", 1.0)
    assert f"“{NIGHT}”" in str(draft_message(failed, 1).blocks)
    assert f"“{NIGHT}”" not in str(failure_message(failed, 2, "w", try_again=True).blocks)


async def test_more_words_than_are_kept_come_back_with_a_button(make_app: MakeApp) -> None:
    app = make_app(generating())
    for n in range(MOST_KEPT_WORDS + 1):
        await app.mention(f"{NIGHT} {n}", thread_ts="1.0")
    assert len(app.session.kept_words) == MOST_KEPT_WORDS
    assert offered(app)[0][0] == "🪄 Refine with this"
    await press(app, "🪄 Refine with this")
    assert app.whispers()[-1] == REFUSALS[Reason.STILL_WORKING]


@pytest.mark.parametrize("said", ["a fox --n 9", "--n 2"])
async def test_words_that_cannot_be_a_change_are_refused_at_once(
    make_app: MakeApp, said: str
) -> None:
    session = generating()
    app = make_app(session)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, session)
    assert len(app.whispers()) == 1


# a picture without words


@pytest.mark.parametrize("said", ["make it blue", "a hat & --quality high"])
async def test_a_picture_without_words_waits_for_them_in_its_thread(
    make_app: MakeApp, said: str
) -> None:
    app = make_app()
    await app.mention("--quality low", files=[picture()], ts="3.3")
    assert app.whispers() == [words.what_should_change(direct=False)]
    assert app.store.sessions == {}
    answer = mention(said, thread_ts="3.3")
    await asyncio.gather(*(app.bolt.async_dispatch(signed_event(answer)) for _ in "ab"))
    await app.event(answer)
    session = app.only
    assert session.source == Source("F9", "image/png", 2_000)
    assert (session.task_input, session.thread_ts) == (said.removesuffix(" --quality high"), "3.3")
    assert session.options.get("quality") == "low"
    assert app.store.questions == {}


async def test_in_a_direct_message_the_next_words_are_about_it(make_app: MakeApp) -> None:
    app = make_app()
    await app.event(direct("", subtype="file_share", files=[picture()]))
    assert app.whispers() == [words.what_should_change(direct=True)]
    await app.event(direct("thanks"))
    await app.event(direct("make it blue"))
    assert app.only.source == Source("F9", "image/png", 2_000)
    await app.event(direct("a fox"))
    assert [s.source is None for s in app.store.sessions.values()] == [False, True]


async def test_in_the_channel_one_is_asked_whether_it_is_meant(make_app: MakeApp) -> None:
    app = make_app()
    await app.mention("", files=[picture()])
    said = mention("make it blue")
    await app.event(said)
    await app.event(said)
    assert app.store.sessions == {}
    assert len(app.of("chat.postEphemeral")) == 2
    await press(app, ids.BUTTON_LABELS[ids.USE_PICTURE])
    assert app.only.source == Source("F9", "image/png", 2_000)
    await app.mention("a fox")
    assert len(app.store.sessions) == 2


async def test_a_picture_in_a_drafts_thread_waits_there(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    refined = mention(NIGHT, thread_ts="1.0")
    await app.event(refined)
    await app.mention("", thread_ts="1.0", files=[picture()])
    await app.event(refined)
    assert len(app.store.sessions) == 1
    await app.mention("make it blue", thread_ts="1.0", user=STRANGER)
    assert len(app.store.sessions) == 1
    await app.mention("make it blue", thread_ts="1.0")
    (new,) = [s for s in app.store.sessions.values() if s.id != ID]
    assert (new.source, new.task_input) == (Source("F9", "image/png", 2_000), "make it blue")


async def test_a_newer_picture_takes_the_place_of_one_that_waits(make_app: MakeApp) -> None:
    app = make_app()
    await app.event(direct("", files=[picture("F1")]))
    await app.event(direct("", files=[picture("F2")]))
    await app.event(direct("make it blue"))
    assert app.only.source == Source("F2", "image/png", 2_000)


# a colleague


async def test_what_a_colleague_says_is_suggested_to_the_owner(make_app: MakeApp) -> None:
    app = make_app(DRAFT)
    said = mention(f"{NIGHT} <!channel>", thread_ts="1.0", user=STRANGER)
    await app.event(said)
    await app.event(said)
    assert nothing_begun(app, DRAFT)
    (posted,) = app.of("chat.postMessage")
    assert (posted["channel"], posted["thread_ts"]) == (CHANNEL, "1.0")
    assert f"<@{STRANGER}> suggests to <@{OWNER}>: “{NIGHT} everyone" in posted["text"]
    (told,) = app.whispers(user=STRANGER, thread_ts="1.0")
    assert "mention me" in told
    assert "/imagine" not in told
    await press(app, "🪄 Refine with this", user=STRANGER, calls="chat.postMessage")
    assert nothing_begun(app, DRAFT)
    for _ in "ab":
        await press(app, "🪄 Refine with this", calls="chat.postMessage")
    latest = app.session.latest
    assert (latest.number, latest.base) == (3, ImageRef(2))
    assert latest.change.startswith(NIGHT)
    assert "Refining attempt 2" in app.of("respond")[0]["text"]


async def test_a_suggestion_names_its_image_or_offers_them_all(make_app: MakeApp) -> None:
    session = several(3)
    app = make_app(session)
    await app.mention("make number 2 blue", thread_ts="1.0", user=STRANGER)
    await app.mention(NIGHT, thread_ts="1.0", user=STRANGER)
    assert nothing_begun(app, session)
    first, second = (
        [e["value"] for e in elements(c["blocks"])] for c in app.of("chat.postMessage")
    )
    assert [value.rpartition("#")[2] for value in first] == ["1.2"]
    assert [value.rpartition("#")[2] for value in second] == ["1", "1.2", "1.3"]


async def test_a_suggestion_while_the_bot_works_comes_with_the_draft(make_app: MakeApp) -> None:
    app = make_app(generating())
    await app.mention(NIGHT, thread_ts="1.0", user=STRANGER)
    (told,) = app.whispers(user=STRANGER)
    assert "with its draft" in told
    assert app.of("chat.postMessage") == []
    draft = draft_message(with_draft(app.session), 1)
    assert f"<@{STRANGER}> suggests: “{NIGHT}”" in str(draft.blocks)


@pytest.mark.parametrize(
    ("kind", "buttons"),
    [
        (FailureKind.TIMED_OUT, ["🔁 Try again", "✏️ Edit prompt"]),
        (FailureKind.MODERATION, ["✏️ Edit prompt"]),
    ],
)
@pytest.mark.parametrize("said", [NIGHT, "please add a boat --size wide", "without the hat"])
async def test_a_change_where_there_is_no_image_is_no_new_prompt(
    make_app: MakeApp, kind: FailureKind, buttons: list[str], said: str
) -> None:
    session = attempt_failed(generating(), 1, kind, "w", "7.0", 1.0)
    app = make_app(session)
    await app.mention(said, thread_ts="1.0")
    assert nothing_begun(app, session)
    assert "no image here yet" in app.whispers()[0]
    assert [label for label, _ in offered(app)] == buttons


async def test_other_words_after_a_failure_are_a_new_prompt(make_app: MakeApp) -> None:
    app = make_app(FAILED)
    await app.mention("a friendly dragon", thread_ts="1.0")
    assert app.session.latest.prompt == "a friendly dragon"


@pytest.mark.parametrize("session", [FAILED, a_session(Stage.FINAL, final_ts="9.0")])
async def test_where_nothing_waits_a_colleague_is_told_what_to_do(
    make_app: MakeApp, session: Session
) -> None:
    app = make_app(session)
    await app.mention(NIGHT, thread_ts="1.0", user=STRANGER)
    assert nothing_begun(app, session)
    (told,) = app.whispers(user=STRANGER)
    assert "mention me in the channel" in told


async def test_words_between_image_and_draft_come_back_with_a_button(make_app: MakeApp) -> None:
    """The draft is on its way to Slack, and would not show them any more."""
    working = generating()
    made = an_attempt(1, posted=True)
    made = replace(made, message_ts="", delivery_candidate=1)
    app = make_app(replace(working, attempts=(made,)))
    await app.mention(NIGHT, thread_ts="1.0")
    assert app.session.kept_words == ()
    assert "in a moment" in app.whispers()[0]
    app.store.sessions[ID] = with_draft(app.session)
    await press(app, "🪄 Refine with this")
    assert (app.session.latest.change, app.session.latest.base) == (NIGHT, ImageRef(1))


async def test_a_change_below_the_approved_image_offers_to_edit_it(make_app: MakeApp) -> None:
    session = a_session(Stage.FINAL, attempts=2, final_ts="9.0")
    app = make_app(session)
    await app.mention("make it blue", thread_ts="1.0")
    assert nothing_begun(app, session)
    assert app.whispers() == [REFUSALS[Reason.ALREADY_APPROVED]]
    assert offered(app) == [
        ("🪄 Edit this image", f"{ID}#2\nmake it blue"),
        ("🔄 Start over", f"{ID}#2"),
    ]


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ("make it blue", "make it blue"),
        ("blue --size wide", "blue --size wide"),
        ("zwei\nZeilen #2", "zwei\nZeilen #2"),
        ("x" * 1990, None),
    ],
)
async def test_the_form_of_edit_this_image_has_the_change_in_it(
    make_app: MakeApp, said: str, there: str | None
) -> None:
    app = make_app(a_session(Stage.FINAL, attempts=2, final_ts="9.0"))
    await app.mention(said, thread_ts="1.0")
    await press(app, "🪄 Edit this image")
    (opened,) = app.of("views.open")
    (field,) = [b for b in opened["view"]["blocks"] if b.get("block_id") == ids.PROMPT_BLOCK]
    assert field["element"].get("initial_value") == there
