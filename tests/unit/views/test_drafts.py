"""The draft in its thread: which images, which buttons, which line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Candidate, ImageRef
from bot.domain.errors import FailureKind
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.sandbox.workspace.markup import pings_in_blocks, texts
from bot.views import ids
from bot.views.blocks import Message
from bot.views.drafts import draft_message
from tests.fakes import MODEL, PROMPT, a_candidate, a_session, an_attempt, generating
from tests.unit.views.samples import (
    HOSTILE,
    buttons,
    cancelled,
    decided,
    from_picture,
    images,
    refined,
    two_of_three,
    with_images,
)

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
        assert found[ids.numbered(ids.APPROVE, n)] == ("✅ Approve", value)
        assert found[ids.numbered(ids.REFINE, n)] == ("🪄 Refine", value)
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
    assert "Image 1 did not come: the image service's safety system turned it down" in words(
        message
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
    assert line.startswith("Image 2 did not come: ")
    assert 30 < len(line) < 100


def test_the_first_block_of_every_draft_carries_the_marker() -> None:
    several = with_images(a_session(), 3)
    as_files = with_attempt(several, replace(several.attempt(1), as_file=True))
    for session in (a_session(), several, as_files, two_of_three(a_session())):
        for shown in (session, decided(session)):
            blocks = draft_message(shown, 1).blocks
            assert blocks[0]["block_id"] == ids.marker(session, "draft", 1)


def test_several_plain_files_have_lines_in_their_place() -> None:
    several = with_images(a_session(), 2)
    session = with_attempt(several, replace(several.attempt(1), as_file=True))
    message = draft_message(session, 1)
    assert images(message) == []
    assert "Image 2: among the files above" in words(message)
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
    assert list(buttons(draft_message(delivering, 1))) == ["use_this"]


def test_a_draft_tells_attempt_size_and_seconds() -> None:
    assert "attempt 2 · 1024×768 · 12 s" in words(draft_message(a_session(attempts=2), 2))


@pytest.mark.parametrize(
    ("session", "number", "line"),
    [
        (refined(a_session(attempts=3), ImageRef(2)), 3, "attempt 3 from 2, “friendlier cat” · "),
        (refined(a_session(attempts=2), ImageRef(1, 2)), 2, "attempt 2 from 1.2, “friendlier cat”"),
        (from_picture(a_session()), 1, "attempt 1 from your picture · "),
        (refined(a_session(attempts=2), ImageRef(1), "a\n\n>b"), 2, "from 1, “a &gt;b” · "),
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
    assert message.text == f"Attempt 2 from 1: {PROMPT}\nfriendlier cat"
    label = f"AI-generated · {MODEL}"
    assert message.blocks[0]["alt_text"] == f"{label}: {PROMPT}\nfriendlier cat"


@pytest.mark.parametrize(
    ("session", "number", "newer"),
    [
        (a_session(attempts=3), 1, 3),
        (generating(3), 1, 3),
        (generating(3), 2, 3),
        (cancelled(draft=True), 1, None),
    ],
)
def test_an_earlier_draft_can_still_be_used(
    session: Session, number: int, newer: int | None
) -> None:
    message = draft_message(session, number)
    if newer is None:
        assert "use_this" not in buttons(message)
        return
    assert buttons(message) == {"use_this": ("Use this one", f"{VALUE}{number}")}
    assert f"Replaced by attempt {newer}" in words(message)
    assert images(message) == [f"F{number}"]


def test_an_earlier_draft_names_the_draft_that_is_under_review_now() -> None:
    failed_later = replace(generating(3), stage=Stage.USER_FEEDBACK, error_message="it failed")
    assert "Replaced by attempt 2" in words(draft_message(failed_later, 1))


def test_each_image_of_an_earlier_draft_can_be_used() -> None:
    message = draft_message(with_images(a_session(attempts=2), 3), 1)
    assert kinds(message) == [*["image", "actions"] * 3, "context"]
    assert buttons(message) == {
        "use_this": ("Use this one", f"{VALUE}1"),
        "use_this_2": ("Use this one", f"{VALUE}1.2"),
        "use_this_3": ("Use this one", f"{VALUE}1.3"),
    }


def test_an_image_that_did_not_come_cannot_be_used() -> None:
    message = draft_message(two_of_three(a_session(attempts=2)), 1)
    assert list(buttons(message)) == ["use_this_2", "use_this_3"]


def test_an_earlier_plain_file_can_be_used_too() -> None:
    session = a_session(attempts=2)
    session = with_attempt(session, replace(session.attempt(1), as_file=True))
    assert list(buttons(draft_message(session, 1))) == ["use_this"]


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
    assert "✅ Image 2 approved by <@U1>" in words(message)


def test_what_was_under_review_when_it_was_started_over_has_no_buttons() -> None:
    approved = a_session(Stage.FINAL, restarted_as="T1.U1.def")
    assert buttons(draft_message(approved, 1)) == {}
