"""Every message for sessions of every kind: lawful Block Kit, and no markup out of a prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest

from bot.domain import begin, transitions
from bot.domain.attempt import Candidate, ImageRef
from bot.domain.costs import CallState, PaidCall, Reservation
from bot.domain.errors import StoreTrouble
from bot.domain.failures import FailureKind
from bot.domain.limits import Quota, Standing
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Publication, Stage
from bot.sandbox.webapi.block_kit import block_problems
from bot.sandbox.workspace.markup import pings_in_blocks, pings_in_text, texts
from bot.sandbox.workspace.messages import block_texts
from bot.views import failure_messages, ids, messages
from bot.views.blocks import Message, marker, numbered, target_of
from bot.views.captions import status_words
from bot.views.failure_words import failure_words
from bot.views.messages import draft_message
from tests.fakes import (
    MODEL,
    OWNER,
    PROMPT,
    a_candidate,
    a_session,
    an_attempt,
    generating,
    with_latest,
)
from tests.unit.views.samples import (
    EVERY_OPTION,
    HOSTILE,
    PROMPTS,
    buttons,
    cancelled,
    decided,
    failed_first,
    from_picture,
    images,
    refined,
    sessions_of,
    two_of_three,
    with_images,
)

PRESSED: dict[str, Callable[[Session, ImageRef], object]] = {
    ids.APPROVE: lambda s, i: transitions.approve(s, i, OWNER, 1.0),
    ids.USE_THIS: lambda s, i: transitions.use_earlier(s, i, OWNER, 1.0),
    ids.REGENERATE: lambda s, i: begin.regenerate(s, i.attempt, 1.0),
    ids.REFINE: begin.check_can_refine,
    ids.EDIT_PROMPT: lambda s, i: begin.check_can_edit(s, i.attempt),
    ids.CANCEL: lambda s, i: transitions.cancel(s, i.attempt, "w", 1.0),
}
LINK = "https://slack.example/archives/C1/p1"
MOST_TEXT = 4000
"""Characters of the top-level text that `chat.update` takes."""


def all_messages(session: Session) -> Iterator[Message]:
    """Every message that may be shown of this session."""
    for ahead in (None, 0, 7):
        yield messages.root_message(session, ahead, 130.0)
    for attempt in session.attempts:
        yield messages.preview_message(session, attempt.number, "F9")
        if attempt.images:
            shared = with_attempt(session, replace(attempt, as_file=True))
            unposted = with_attempt(session, replace(attempt, message_ts=""))
            for shown in (session, shared, unposted, decided(session), decided(shared)):
                yield draft_message(shown, attempt.number)
        for kind in FailureKind:
            words = failure_words(kind, said=session.task_input)
            for again in (True, False):
                yield failure_messages.failure_message(
                    session, attempt.number, words, try_again=again
                )
    if session.final_result:
        for link in ("", LINK):
            yield messages.final_message(session, link=link)


@cache
def different_messages(prompt: str) -> list[tuple[str, Message]]:
    """Those of all sessions with this prompt, each with the name of a session in which it is shown.
    Most are the same in several of them."""
    different = {
        repr(message): (name, message)
        for name, session in sessions_of(prompt).items()
        for message in all_messages(session)
    }
    return list(different.values())


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_every_message_is_lawful_block_kit(prompt: str) -> None:
    for name, message in different_messages(prompt):
        assert block_problems(message.blocks) == [], name
        assert 0 < len(message.text) <= MOST_TEXT, name


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_a_prompt_never_becomes_markup(prompt: str) -> None:
    meant = {"<@U1>", "<@U9>", f"<{LINK}|See the image>"}  # the owner, the approver, the draft
    for name, message in different_messages(prompt):
        assert set(pings_in_text(message.text)) <= meant, name
        assert set(pings_in_blocks(message.blocks)) <= meant, name


def test_a_prompt_stands_in_plain_text_and_never_in_mrkdwn() -> None:
    for session in sessions_of("*bold* _it_ ~no~ `code` <b>").values():
        calm = tuple(replace(a, change="warmer" if a.change else "") for a in session.attempts)
        for message in all_messages(replace(session, attempts=calm)):
            if "⚠️" not in str(message.blocks):  # a refusal in words is quoted, escaped
                assert "*bold*" not in "".join(texts(message.blocks))


def test_what_is_escaped_is_escaped_once() -> None:
    text = messages.root_message(sessions_of("a & b <c>")["review"], None, 0.0).text
    assert text == "<@U1> imagines: a &amp; b &lt;c&gt;\n👀 Waiting for review by <@U1>"


def test_a_short_prompt_is_shown_as_typed() -> None:
    for name in ("queued", "final"):
        session = sessions_of(HOSTILE)[name]
        root = messages.root_message(session, None, 0.0)
        assert HOSTILE in block_texts(root.blocks)
    draft = draft_message(session, 1)
    assert draft.blocks[0]["alt_text"] == f"AI-generated · {MODEL}: {HOSTILE}"


def test_what_slack_cannot_hold_is_shown_cut() -> None:
    session = sessions_of("🚀" * 10_000)["final"]
    for message in (messages.root_message(session, None, 0.0), messages.final_message(session)):
        shown = max(block_texts(message.blocks), key=len)
        assert shown.endswith("🚀…")
    alt_text = draft_message(session, 1).blocks[0]["alt_text"]
    assert alt_text.endswith("🚀…")


def as_file(session: Session, number: int) -> Session:
    """The session, with that attempt's image shared as a plain file."""
    return with_attempt(session, replace(session.attempt(number), as_file=True))


def test_an_image_that_is_no_block_gets_none_by_an_edit() -> None:
    session = as_file(a_session(Stage.FINAL, attempts=2), 2)
    for shown in (a_session(attempts=2), session):
        blocks = draft_message(as_file(shown, 2), 2).blocks
        assert [b["type"] for b in blocks if b["type"] == "image"] == []
    final = messages.final_message(session, link=LINK)
    assert "image" not in [b["type"] for b in final.blocks]
    assert f"<{LINK}|See the image>" in str(final.blocks)


def test_the_buttons_carry_their_words_and_an_opaque_value() -> None:
    session = a_session(Stage.FINAL, attempts=2)
    under_review = a_session(attempts=2)
    live = buttons(draft_message(under_review, 2))
    assert live == buttons(draft_message(as_file(under_review, 2), 2))
    failure = buttons(failure_messages.failure_message(session, 2, "w", try_again=True))
    final = buttons(messages.final_message(session))
    everything = {**live, **failure, **final}
    words = {action: label for action, (label, _) in everything.items()}
    for action, wanted in {
        "approve": "Approve",
        "regenerate": "Regenerate",
        "refine": "Refine",
        "try_again": "Try again",
        "edit_prompt": "Edit prompt",
        "start_over": "Start over",
    }.items():
        assert wanted in words[action]
    assert {value for _, value in everything.values()} == {"T1.U1.abc123#2"}


def test_the_final_message_names_the_approver_where_it_was_not_the_owner() -> None:
    own = a_session(Stage.FINAL)
    assert "approved by" not in str(messages.final_message(own).blocks)
    other = replace(own, approved_by="U9")
    assert "approved by <@U9>" in str(messages.final_message(other).blocks)
    assert f"<@{OWNER}>" in str(messages.final_message(other).blocks)


def test_every_message_of_a_session_is_found_by_a_marker_of_its_own() -> None:
    session = a_session(Stage.FINAL, attempts=2)
    found = [
        messages.root_message(session, None, 0.0).blocks[0]["block_id"],
        messages.final_message(session).blocks[0]["block_id"],
    ]
    for n in (1, 2):
        found.append(draft_message(session, n).blocks[0]["block_id"])
        found.append(
            failure_messages.failure_message(session, n, "w", try_again=True).blocks[0]["block_id"]
        )
    found.append(messages.preview_message(session, 2, "F9").blocks[0]["block_id"])
    assert len(set(found)) == 7
    assert found[0] == marker(session, "root")
    assert found[1] == marker(session, "final", 2)
    assert found[2:4] == [marker(session, kind, 1) for kind in ("draft", "failure")]
    fallback = draft_message(as_file(session, 2), 2).blocks[0]["block_id"]
    assert fallback == marker(session, "draft", 2)
    assert all(re.fullmatch(r"[\w.-]{1,255}", marker) for marker in found)


def test_what_is_being_made_can_be_cancelled() -> None:
    root = messages.root_message(generating(3), 0, 0.0)
    assert buttons(root) == {"cancel": ("🛑 Cancel", "T1.U1.abc123#3")}
    for session in (a_session(), a_session(Stage.FINAL), a_session(Stage.INITIAL_INPUT)):
        assert buttons(messages.root_message(session, None, 0.0)) == {}


def test_after_a_cancel_without_a_draft_the_root_leads_on() -> None:
    root = messages.root_message(cancelled(draft=False), None, 0.0)
    assert list(buttons(root)) == ["try_again", "edit_prompt"]
    assert {value for _, value in buttons(root).values()} == {"T1.U1.abc123#1"}
    assert buttons(messages.root_message(cancelled(draft=True), None, 0.0)) == {}


def test_the_root_names_the_options_that_are_chosen() -> None:
    chosen = messages.root_message(generating(options=EVERY_OPTION), 0, 0.0)
    assert "1792×1008 · high · 4 images · transparent" in texts(chosen.blocks)
    plain = messages.root_message(generating(), 0, 0.0)
    assert [t for t in texts(plain.blocks) if "candidate" in t] == []


def test_the_root_says_that_it_starts_from_a_picture() -> None:
    root = messages.root_message(from_picture(generating()), 0, 0.0)
    assert "<@U1> imagines, from a picture" in texts(root.blocks)


def test_a_preview_is_an_image_without_buttons() -> None:
    session = refined(generating(2), ImageRef(1))
    preview = messages.preview_message(session, 2, "F9")
    assert images(preview) == ["F9"]
    assert buttons(preview) == {}
    assert preview.text == "🎨 Preview of attempt 2: the model is still at work"
    assert preview.blocks[0]["block_id"] == marker(session, "preview", 2)
    assert preview.blocks[0]["alt_text"] == f"AI-generated: {PROMPT}\nfriendlier cat"


def test_the_final_message_shows_the_approved_candidate() -> None:
    session = replace(with_images(a_session(Stage.FINAL, attempts=2), 3), final_candidate=2)
    assert images(messages.final_message(session)) == ["F2.2"]


def test_the_caption_of_a_refined_image_holds_every_change() -> None:
    session = refined(a_session(Stage.FINAL, attempts=3), ImageRef(2), "and a hat")
    second = replace(session.attempt(2), base=ImageRef(1), change="friendlier cat")
    message = messages.final_message(with_attempt(session, second))
    plain = list(texts(message.blocks, ("plain_text",)))
    assert plain[:2] == [PROMPT, "friendlier cat\nand a hat"]
    alt_text = f"AI-generated · {MODEL}: {PROMPT}\nfriendlier cat\nand a hat"
    assert message.blocks[1]["alt_text"] == alt_text


def test_the_prompt_of_a_picture_stands_in_the_caption_once() -> None:
    session = from_picture(a_session(Stage.FINAL))
    plain = list(texts(messages.final_message(session).blocks, ("plain_text",)))
    assert plain.count(PROMPT) == 1


def test_a_long_prompt_leaves_room_for_the_change() -> None:
    session = refined(a_session(attempts=2, task_input="x" * 32_000), ImageRef(1))
    session = with_attempt(session, replace(session.attempt(2), prompt="x" * 32_000))
    alt_text = messages.preview_message(session, 2, "F9").blocks[0]["alt_text"]
    assert len(alt_text) == 2_000
    assert alt_text.endswith("x…\nfriendlier cat")


STARTED = with_latest(generating(), started_at=100.0)
THREE = with_latest(with_images(generating(), 3), started_at=100.0)


def there(session: Session, *numbers: int) -> Session:
    """The session with these candidates of its newest attempt there."""
    attempt = session.latest
    for number in numbers:
        attempt = attempt.with_candidate(a_candidate(number, file_id=""))
    return with_latest(session, candidates=attempt.candidates)


@pytest.mark.parametrize(
    ("session", "ahead", "words"),
    [
        (generating(), None, "⏳ Queued"),
        (generating(), 0, "⏳ Queued"),
        (generating(), 3, "⏳ Queued, 3 ahead"),
        (generating(2), 1, "⏳ Queued, attempt 2, 1 ahead"),
        (refined(generating(3), ImageRef(2)), 0, "⏳ Queued, attempt 3 from attempt 2"),
        (from_picture(generating()), 0, "⏳ Queued, from your picture"),
        (STARTED, 3, "🎨 Generating… 31 s"),
        (with_latest(generating(2), started_at=200.0), None, "🎨 Generating, attempt 2… 0 s"),
        (
            with_latest(refined(generating(3), ImageRef(1, 2)), started_at=126.2),
            None,
            "🎨 Generating, attempt 3 from image 2 of attempt 1… 5 s",
        ),
        (there(STARTED, 1), None, "🎨 Generating… 31 s"),
        (THREE, None, "🎨 Generating… 31 s"),
        (there(THREE, 3), None, "🎨 Generating… 31 s · 1 of 3 images ready"),
        (there(THREE, 1, 3), None, "🎨 Generating… 31 s · 2 of 3 images ready"),
        (with_latest(there(THREE, 1), generated_at=120.0), None, "📤 Uploading…"),
        (with_latest(STARTED, generated_at=120.0), None, "📤 Uploading…"),
        (a_session(), None, "👀 Waiting for review by <@U1>"),
        (
            with_latest(a_session(attempts=2), failure=FailureKind.QUOTA),
            None,
            "⚠️ The last attempt failed: see the thread",
        ),
        (
            cancelled(draft=True),
            None,
            "🚫 Attempt 2 cancelled · 👀 waiting for review by <@U1>",
        ),
        (a_session(Stage.FINAL, approved_by="U9"), None, "✅ Approved by <@U9>"),
        (
            a_session(Stage.FINAL, publication=Publication.REFUSED),
            None,
            "⚠️ Approved by <@U1>, but Slack did not let me post it to the channel",
        ),
        (a_session(Stage.INITIAL_INPUT), None, "✏️ Waiting for a prompt"),
        (failed_first(), None, "⚠️ Failed: see the thread"),
        (cancelled(draft=False), None, "🚫 Cancelled"),
    ],
)
def test_says_where_the_session_stands(session: Session, ahead: int | None, words: str) -> None:
    assert status_words(session, ahead, now=131.2) == words


def test_what_is_shown_once_counts_no_seconds() -> None:
    assert status_words(STARTED, None, now=None) == "🎨 Generating…"


def test_an_approval_after_a_cancelled_attempt_is_an_approval() -> None:
    session = with_latest(a_session(Stage.FINAL, attempts=2), failure=FailureKind.CANCELLED)
    approved = replace(session, final_result=1, approved_by="U1")
    assert status_words(approved, None, now=1.0) == "✅ Approved by <@U1>"


@pytest.mark.parametrize("trouble", StoreTrouble)
def test_a_session_that_waits_for_the_store_says_why_and_that_it_goes_on(
    trouble: StoreTrouble,
) -> None:
    words = status_words(STARTED, None, now=131.2, waits_for=trouble)
    assert words.startswith("⏳ Waiting: ")
    assert "my memory" in words
    assert "goes on by itself" in words


def test_a_session_that_waits_for_its_person_does_not_wait_for_the_store() -> None:
    session = a_session()
    full = status_words(session, None, None, waits_for=StoreTrouble.FULL)
    assert full == status_words(session, None, None)


# drafts

VALUE = "T1.U1.abc123#"


def words(message: Message) -> str:
    return "\n".join(texts(message.blocks))


def kinds(message: Message) -> list[str]:
    return [block["type"] for block in message.blocks]


def test_one_image_has_all_its_buttons_in_a_row() -> None:
    message = draft_message(a_session(), 1)
    assert kinds(message) == ["image", "context", "actions"]
    assert buttons(message) == {
        "approve": ("✅ Approve", f"{VALUE}1"),
        "regenerate": ("🔁 Regenerate", f"{VALUE}1"),
        "refine": ("🪄 Refine", f"{VALUE}1"),
        "edit_prompt": ("✏️ Edit prompt", f"{VALUE}1"),
    }


@pytest.mark.parametrize("count", [2, 3, 4])
def test_each_of_several_images_has_buttons_of_its_own(count: int) -> None:
    message = draft_message(with_images(a_session(), count), 1)
    assert kinds(message) == [*["image", "actions"] * count, "context", "actions"]
    assert images(message) == ["F1", *(f"F1.{n}" for n in range(2, count + 1))]
    found = buttons(message)
    for n in range(1, count + 1):
        value = f"{VALUE}{ImageRef(1, n)}"
        assert found[numbered(ids.APPROVE, n)] == ("✅ Approve", value)
        assert found[numbered(ids.REFINE, n)] == ("🪄 Refine", value)
    assert found[ids.REGENERATE][1] == found[ids.EDIT_PROMPT][1] == f"{VALUE}1"
    assert len(found) == 2 * count + 2


def test_an_image_that_did_not_come_says_why_and_keeps_the_others() -> None:
    message = draft_message(two_of_three(a_session()), 1)
    assert kinds(message) == [
        "context",
        *["image", "actions"] * 2,
        "context",
        "actions",
    ]
    assert (
        "Image 1 of attempt 1 did not come: the image service's safety system turned it down"
        in words(message)
    )
    assert "2 of 3 images" in words(message)
    assert images(message) == ["F1.2", "F1.3"]
    assert "approve" not in buttons(message)
    assert buttons(message)["approve_2"][1] == f"{VALUE}1.2"


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_failure_of_one_image_is_told_in_few_words(kind: FailureKind) -> None:
    candidates = (a_candidate(1), Candidate(2, failure=kind))
    session = with_attempt(a_session(), replace(a_session().attempt(1), candidates=candidates))
    line = words(draft_message(session, 1)).splitlines()[0]
    assert line.startswith("Image 2 of attempt 1 did not come: ")
    assert 30 < len(line) < 100


def test_the_first_block_of_every_draft_carries_the_marker() -> None:
    several = with_images(a_session(), 3)
    as_files = with_attempt(several, replace(several.attempt(1), as_file=True))
    for session in (a_session(), several, as_files, two_of_three(a_session())):
        for shown in (session, decided(session)):
            blocks = draft_message(shown, 1).blocks
            assert blocks[0]["block_id"] == marker(session, "draft", 1)


def test_several_plain_files_have_lines_in_their_place() -> None:
    several = with_images(a_session(), 2)
    session = with_attempt(several, replace(several.attempt(1), as_file=True))
    message = draft_message(session, 1)
    assert images(message) == []
    assert "Image 2 of attempt 1: among the files above" in words(message)
    assert set(buttons(message)) == set(buttons(draft_message(several, 1)))


def test_only_the_newest_draft_under_review_can_be_approved() -> None:
    session = a_session(attempts=2)
    assert "approve" not in buttons(draft_message(session, 1))
    assert "approve" in buttons(draft_message(session, 2))
    for stage in (Stage.GENERATING, Stage.FINAL):
        assert "approve" not in buttons(draft_message(a_session(stage, attempts=2), 1))


def test_a_draft_is_posted_with_its_buttons() -> None:
    delivering = with_attempt(generating(2), an_attempt(2, posted=True, message_ts=""))
    assert set(buttons(draft_message(delivering, 2))) == set(buttons(draft_message(a_session(), 1)))
    assert list(buttons(draft_message(delivering, 1))) == ["cancel"]


def test_a_draft_tells_attempt_size_and_seconds() -> None:
    assert "attempt 2 · 1024×768 · 12 s" in words(draft_message(a_session(attempts=2), 2))
    never = with_latest(a_session(attempts=2), started_at=5.0, generated_at=0.0)
    assert "attempt 2 · 1024×768 · 0 s" in words(draft_message(never, 2))


@pytest.mark.parametrize(
    ("session", "number", "line"),
    [
        (
            refined(a_session(attempts=3), ImageRef(2)),
            3,
            "attempt 3 from attempt 2, “friendlier cat” · ",
        ),
        (
            refined(a_session(attempts=2), ImageRef(1, 2)),
            2,
            "attempt 2 from image 2 of attempt 1, “friendlier cat”",
        ),
        (from_picture(a_session()), 1, "attempt 1 from your picture · "),
        (refined(a_session(attempts=2), ImageRef(1), "a\n\n>b"), 2, "from attempt 1, “a &gt;b” · "),
        (refined(a_session(attempts=2), ImageRef(1), "x" * 200), 2, "x…” · "),
    ],
)
def test_a_draft_tells_what_it_comes_from(session: Session, number: int, line: str) -> None:
    assert line in words(draft_message(session, number))


def test_a_hostile_change_stays_text() -> None:
    session = refined(a_session(attempts=2), ImageRef(1), HOSTILE)
    for shown in (session, decided(session)):
        assert set(pings_in_blocks(draft_message(shown, 2).blocks)) <= {"<@U1>"}
    line = draft_message(session, 2).blocks[1]["elements"][0]
    assert line["verbatim"] is True  # a bare address in it becomes no link


def test_the_text_and_the_alternative_text_hold_the_change() -> None:
    message = draft_message(refined(a_session(attempts=2), ImageRef(1)), 2)
    assert message.text == f"Attempt 2 from attempt 1: {PROMPT}\nfriendlier cat"
    label = f"AI-generated · {MODEL}"
    assert message.blocks[0]["alt_text"] == f"{label}: {PROMPT}\nfriendlier cat"


@pytest.mark.parametrize(
    ("session", "number", "newer"),
    [
        (a_session(attempts=3), 1, 3),
        (a_session(attempts=3), 2, 3),
    ],
)
def test_an_earlier_draft_can_still_be_used(session: Session, number: int, newer: int) -> None:
    message = draft_message(session, number)
    assert buttons(message) == {
        "use_this": ("Approve this one", f"{VALUE}{number}"),
        "refine": ("🪄 Refine", f"{VALUE}{number}"),
    }
    assert f"Replaced by attempt {newer}" in words(message)
    assert images(message) == [f"F{number}"]


@pytest.mark.parametrize("count", [1, 3])
def test_while_another_attempt_is_under_way_the_newest_draft_has_its_status_and_cancel(
    count: int,
) -> None:
    session = with_images(generating(3), count)
    newest, older = draft_message(session, 2), draft_message(session, 1)
    assert buttons(newest) == {"cancel": ("🛑 Cancel", f"{VALUE}3")}
    assert status_words(session, None, None) in words(newest)
    assert "Replaced" not in words(newest), "attempt 3 is not there yet"
    assert buttons(older) == {}
    assert "Replaced by attempt 2" in words(older)


@pytest.mark.parametrize("name", sorted(sessions_of("a fox")))
def test_no_draft_has_a_button_that_would_be_refused(name: str) -> None:
    session = sessions_of("a fox")[name]
    for attempt in session.attempts:
        if not (attempt.has_draft and attempt.images):
            continue
        for action, (_, value) in buttons(draft_message(session, attempt.number)).items():
            image = target_of(value).image
            PRESSED[re.sub(r"_[0-9]$", "", action)](session, image)  # raises no Refusal


def test_an_earlier_draft_names_the_draft_that_is_under_review_now() -> None:
    failed_later = replace(generating(3), stage=Stage.USER_FEEDBACK, error_message="it failed")
    assert "Replaced by attempt 2" in words(draft_message(failed_later, 1))


def test_each_image_of_an_earlier_draft_can_be_used() -> None:
    message = draft_message(with_images(a_session(attempts=2), 3), 1)
    assert kinds(message) == [*["image", "actions"] * 3, "context"]
    assert buttons(message) == {
        "use_this": ("Approve this one", f"{VALUE}1"),
        "refine": ("🪄 Refine", f"{VALUE}1"),
        "use_this_2": ("Approve this one", f"{VALUE}1.2"),
        "refine_2": ("🪄 Refine", f"{VALUE}1.2"),
        "use_this_3": ("Approve this one", f"{VALUE}1.3"),
        "refine_3": ("🪄 Refine", f"{VALUE}1.3"),
    }


def test_an_image_that_did_not_come_cannot_be_used() -> None:
    message = draft_message(two_of_three(a_session(attempts=2)), 1)
    assert list(buttons(message)) == ["use_this_2", "refine_2", "use_this_3", "refine_3"]


def test_an_earlier_plain_file_can_be_used_too() -> None:
    session = a_session(attempts=2)
    session = with_attempt(session, replace(session.attempt(1), as_file=True))
    assert list(buttons(draft_message(session, 1))) == ["use_this", "refine"]


@pytest.mark.parametrize("count", [1, 4])
def test_no_draft_has_buttons_once_one_is_approved(count: int) -> None:
    session = with_images(a_session(Stage.FINAL, attempts=2, approved_by="U9"), count)
    for number, line in ((1, "No longer up for review"), (2, "approved by <@u9>")):
        message = draft_message(session, number)
        assert buttons(message) == {}
        assert line.lower() in words(message).lower()


def test_the_approved_one_of_several_is_named() -> None:
    session = with_images(a_session(Stage.FINAL), 3)
    message = draft_message(replace(session, final_candidate=2), 1)
    assert "✅ Image 2 of attempt 1 approved by <@U1>" in words(message)


def paid(*states: CallState) -> Session:
    """A draft whose image took so many calls."""
    calls = tuple(
        PaidCall(n, "run", state, 13_000, priced=True) for n, state in enumerate(states, 1)
    )
    held = Reservation(OWNER, "2026-11-28", "2026-11", 20_000, priced=True)
    draft = a_session()
    candidate = replace(draft.latest.candidate(1), calls=calls)
    return with_latest(draft, reserved=held, candidates=(candidate,))


@pytest.mark.parametrize(
    ("states", "cost"),
    [
        ([CallState.MEASURED], " · $0.013"),
        ([CallState.MEASURED, CallState.MEASURED], " · $0.026"),
        ([CallState.ESTIMATED, CallState.MEASURED], " · ≈ $0.033"),
        ([CallState.FREE, CallState.MEASURED], " · $0.013"),
        ([CallState.FREE], ""),
    ],
)
def test_a_draft_tells_what_it_cost(states: list[CallState], cost: str) -> None:
    line = words(draft_message(paid(*states), 1))
    assert f"12 s{cost}" in line
    assert ("$" in line) == bool(cost)


def test_only_a_draft_under_review_tells_what_is_left() -> None:
    budget = Standing(Quota.USER, 6_900_000, 10_000_000, 1_796_083_200.0)
    session = paid(CallState.MEASURED)
    left = "$3.10 of $10 left in November"
    assert f"$0.013 · {left}" in words(draft_message(session, 1, budget=budget))
    approved = replace(session, stage=Stage.FINAL, final_result=1, approved_by=OWNER)
    assert "$0.013" in words(draft_message(approved, 1, budget=budget))
    assert "left" not in words(draft_message(approved, 1, budget=budget))
