"""The buttons that answer what somebody says in a thread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.button_words import ButtonWord, NamedButton
from bot.domain.failures import FAILS_AGAIN, FailureKind
from bot.domain.questions import ChangeQuestion
from bot.domain.refusals import Reason
from bot.domain.session import Session
from bot.domain.stages import Discard, Stage
from bot.sandbox.webapi.block_kit import block_problems
from bot.views.blocks import Message
from bot.views.offers import (
    NO_DRAFT,
    approved_offer,
    discard_offer,
    named_button_message,
    no_image_message,
    of_session,
    restored_words,
    which_image_message,
)
from bot.views.refusal_words import REFUSALS
from tests.fakes import BOSS, ID, a_session, failed, generating
from tests.unit.views.samples import HOSTILE, buttons, failed_first, with_images, with_prompt

DRAFT = a_session(attempts=2)
FOUR = with_images(DRAFT, 4)
APPROVED = a_session(Stage.FINAL, final_ts="9.0")
DISCARDED = replace(DRAFT, discard=Discard.DISCARDED)
WORD = ButtonWord
QUESTION = ChangeQuestion("q1", ID, BOSS, "make it night")


def offered(message: Message) -> list[tuple[str, str]]:
    """Labels and values."""
    assert block_problems(message.blocks) == []
    return list(buttons(message).values())


def answer(session: Session, *named: object) -> list[tuple[str, str]]:
    return offered(named_button_message(session, NamedButton(*named)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("session", "word", "expected"),
    [
        (DRAFT, WORD.APPROVE, [("✅ Approve", f"{ID}#2")]),
        (DRAFT, WORD.LIKE, [("✅ Approve", f"{ID}#2")]),
        (DRAFT, WORD.REFINE, [("🪄 Refine", f"{ID}#2")]),
        (DRAFT, WORD.REGENERATE, [("🔁 Regenerate", f"{ID}#2")]),
        (DRAFT, WORD.EDIT_PROMPT, [("✏️ Edit prompt", f"{ID}#2")]),
        (DRAFT, WORD.START_OVER, [("✏️ Edit prompt", f"{ID}#2"), ("🔁 Regenerate", f"{ID}#2")]),
        (DRAFT, WORD.DISLIKE, [("🔁 Regenerate", f"{ID}#2"), ("✏️ Edit prompt", f"{ID}#2")]),
        (DRAFT, WORD.GO_BACK, []),
        (DRAFT, WORD.DISCARD, [("🗑️ Discard", f"{ID}#2")]),
        (generating(2), WORD.APPROVE, [("🛑 Cancel", f"{ID}#2")]),
        (APPROVED, WORD.REGENERATE, [("🔄 Start over", f"{ID}#1")]),
        (failed(), WORD.APPROVE, [("🔁 Try again", f"{ID}#1"), ("✏️ Edit prompt", f"{ID}#1")]),
        (DISCARDED, WORD.APPROVE, [("↩️ Undo", f"{ID}#2")]),
        (Session(ID, "T1", "U1", "C1"), WORD.APPROVE, []),
    ],
)
def test_a_word_gets_the_button_that_would_not_be_refused(
    session: Session, word: ButtonWord, expected: list[tuple[str, str]]
) -> None:
    assert answer(session, word) == expected


def test_an_approved_image_is_told_where_its_button_was_not_named() -> None:
    words = named_button_message(APPROVED, NamedButton(WORD.APPROVE)).text
    assert words == REFUSALS[Reason.ALREADY_APPROVED]
    assert "Start over" in named_button_message(APPROVED, NamedButton(WORD.START_OVER)).text


def test_a_session_without_attempts_has_no_draft() -> None:
    nothing = Session(ID, "T1", "U1", "C1")
    assert named_button_message(nothing, NamedButton(WORD.LIKE)) == Message(NO_DRAFT, [])


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ((WORD.APPROVE, (3,)), [("✅ Approve image 3", f"{ID}#2.3")]),
        ((WORD.APPROVE, (), 0, True), [("✅ Approve image 4", f"{ID}#2.4")]),
        ((WORD.APPROVE, (2,), 1), [("✅ Approve image 2", f"{ID}#1.2")]),
        (
            (None, (1,)),
            [("✅ Approve image 1", f"{ID}#2"), ("🪄 Refine image 1", f"{ID}#2")],
        ),
        (
            (WORD.REFINE, (1, 4)),
            [("🪄 Refine image 1", f"{ID}#2"), ("🪄 Refine image 4", f"{ID}#2.4")],
        ),
    ],
)
def test_named_images_get_their_buttons(
    named: tuple[object, ...], expected: list[tuple[str, str]]
) -> None:
    assert answer(FOUR, *named) == expected


@pytest.mark.parametrize(
    ("session", "named", "images"),
    [
        (FOUR, (WORD.APPROVE, (9,)), 4),
        (FOUR, (WORD.APPROVE, (1, 9)), 4),
        (FOUR, (WORD.APPROVE, (1,), 9), 4),
        (DRAFT, (WORD.APPROVE, (2,)), 1),
    ],
)
def test_of_images_that_are_not_there_all_that_are_there_are_offered(
    session: Session, named: tuple[object, ...], images: int
) -> None:
    message = named_button_message(session, NamedButton(*named))  # type: ignore[arg-type]
    assert message.text.startswith("There is no such image here.")
    assert len(offered(message)) == images


@pytest.mark.parametrize("kind", FailureKind)
def test_where_a_failure_comes_again_try_again_is_not_offered(kind: FailureKind) -> None:
    labels = [label for label, _ in offered(no_image_message(failed(kind=kind)))]
    assert labels == ["🔁 Try again"] * (kind not in FAILS_AGAIN) + ["✏️ Edit prompt"]


def test_no_image_repeats_the_change_as_text() -> None:
    message = no_image_message(failed_first(), HOSTILE)
    assert "could change" in message.text
    assert "<!channel>" not in message.text


def test_outside_the_thread_a_message_names_its_session_once() -> None:
    session = with_prompt(DRAFT, "a fox & a hen")
    there = named_button_message(session, NamedButton(WORD.APPROVE))
    named = of_session(session, there)
    assert named.text.startswith("“a fox &amp; a hen”\n")
    assert offered(named) == offered(there)
    assert of_session(session, named) == named
    assert of_session(session, Message("x", [])).blocks == []


def test_an_approved_image_is_gone_on_from_by_the_form_with_the_change() -> None:
    (edit, value), over = offered(approved_offer(APPROVED, "make it night"))
    assert edit == "🪄 Edit this image"
    assert value.startswith(f"{ID}#1")
    assert "make it night" in value
    assert over == ("🔄 Start over", f"{ID}#1")


def test_discard_is_offered_before_it_is_done_and_undo_after() -> None:
    running = discard_offer(generating(2))
    assert "stops attempt 2" in running.text
    assert "stops" not in discard_offer(DRAFT).text
    assert offered(discard_offer(DISCARDED)) == [("↩️ Undo", f"{ID}#2")]
    assert restored_words(DRAFT).startswith("↩️ Taken up again: “")


@pytest.mark.parametrize(
    ("session", "images", "unknown", "lead", "labels"),
    [
        (DRAFT, [ImageRef(2)], False, "Is this a change of attempt 2?", ["🪄 Refine with this"]),
        (
            FOUR,
            [ImageRef(2, 1), ImageRef(2, 2)],
            False,
            "Which image of attempt 2 is this about?",
            ["Image 1", "Image 2"],
        ),
        (
            FOUR,
            [ImageRef(1, 1), ImageRef(2, 2)],
            False,
            "Which image is this about?",
            ["Image 1 of attempt 1", "Image 2 of attempt 2"],
        ),
        (
            FOUR,
            [ImageRef(2, 1), ImageRef(2, 2)],
            True,
            "There is no such image here. Which one is this about?",
            ["Image 1", "Image 2"],
        ),
        (generating(3), [ImageRef(2)], False, "The draft comes in a moment.",
         ["🪄 Refine with this"]),
    ],
)  # fmt: skip
def test_a_change_whose_image_is_not_clear_is_asked_about(
    session: Session, images: list[ImageRef], unknown: bool, lead: str, labels: list[str]
) -> None:
    message = which_image_message(session, QUESTION, tuple(images), unknown=unknown)
    assert message.text.startswith(lead)
    assert message.text.endswith("\n“make it night”")
    assert [label for label, _ in offered(message)] == labels
