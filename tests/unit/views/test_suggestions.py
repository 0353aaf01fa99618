"""What a colleague suggests, and what was said while an image was being made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.questions import ChangeQuestion
from bot.domain.session import KeptWords, Session
from bot.domain.stages import Stage
from bot.sandbox.webapi.block_kit import block_problems
from bot.views.blocks import Block, Message
from bot.views.suggestions import (
    SUGGESTION,
    WORDS_SHOWN,
    kept_words,
    refine_row,
    refined_words,
    suggested_words,
    suggestion_message,
    words_meanwhile,
    words_offered,
)
from tests.fakes import BYSTANDER, ID, OWNER, STRANGER, a_session, generating, with_latest
from tests.unit.views.samples import HOSTILE, buttons, failed_first, with_images

NIGHT = "make it night"
QUESTION = ChangeQuestion("q1", ID, BYSTANDER, NIGHT)
KEPT = KeptWords("q1", OWNER, NIGHT, 2)
FOUR = with_images(a_session(attempts=2), 4)


def labels(*blocks: Block) -> list[str]:
    return [label for label, _ in buttons(Message("", [*blocks])).values()]


def lines(blocks: list[Block]) -> list[str]:
    return [block["text"]["text"] for block in blocks if block["type"] == "section"]


def test_a_suggestion_is_for_the_owner_and_names_its_author() -> None:
    message = suggestion_message(a_session(), QUESTION, (ImageRef(1),))
    assert message.text == f"💡 <@{STRANGER}> suggests to <@{OWNER}>: “{NIGHT}”"
    assert message.blocks[0]["block_id"] == f"{SUGGESTION}-q1"
    assert buttons(message) == {"refine_with_1": ("🪄 Refine with this", "q1#1")}


def test_a_suggestion_shows_no_markup_and_the_beginning_of_many_words() -> None:
    hostile = suggestion_message(a_session(), replace(QUESTION, text=HOSTILE), (ImageRef(1),))
    assert "<!channel>" not in hostile.text
    many = suggestion_message(a_session(), replace(QUESTION, text="x\n" * 9_999), (ImageRef(1),))
    assert block_problems(many.blocks) == []
    assert many.text.count("x") == WORDS_SHOWN / 2
    assert many.text.endswith("…”")


@pytest.mark.parametrize(
    ("session", "images", "with_this", "expected"),
    [
        (a_session(), [ImageRef(1)], True, ["🪄 Refine with this"]),
        (a_session(), [ImageRef(1)], False, ["Attempt 1"]),
        (a_session(), [ImageRef(0)], False, ["Your picture"]),
        (FOUR, [ImageRef(2, 3)], True, ["🪄 Refine image 3 with this"]),
        (FOUR, [ImageRef(2, 3)], False, ["Image 3"]),
        (
            FOUR,
            [ImageRef(2, 1), ImageRef(2, 2)],
            True,
            ["🪄 Refine image 1 with this", "🪄 Refine image 2 with this"],
        ),
        (FOUR, [ImageRef(1, 2), ImageRef(2, 2)], False,
         ["Image 2 of attempt 1", "Image 2 of attempt 2"]),
    ],
)  # fmt: skip
def test_each_image_that_may_be_meant_has_its_button(
    session: Session, images: list[ImageRef], with_this: bool, expected: list[str]
) -> None:
    row = refine_row(session, "q1", tuple(images), with_this=with_this)
    assert labels(row) == expected


def test_rows_of_one_message_have_ids_of_their_own() -> None:
    first, second = (refine_row(FOUR, "q1", (ImageRef(2),), place) for place in ("_0", "_1"))
    assert len(buttons(Message("", [first, second]))) == 2


def test_the_words_that_replace_a_question_name_the_image() -> None:
    question = replace(QUESTION, text=HOSTILE)
    words = refined_words(FOUR, question, ImageRef(2, 3))
    assert words.startswith("🪄 Refining image 3 of attempt 2: “")
    assert "<!channel>" not in words


def test_who_waits_is_told_what_becomes_of_the_words() -> None:
    running = generating(2)
    assert "attempt 2, and I keep what you said" in kept_words(running, suggested=False)
    suggested = kept_words(running, suggested=True)
    assert f"Only <@{OWNER}> can decide" in suggested
    assert "with its draft" in suggested
    assert "here in the thread" in suggested_words(running)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (KEPT, f"You said: “{NIGHT}”"),
        (replace(KEPT, user=STRANGER), f"<@{STRANGER}> said: “{NIGHT}”"),
        (
            replace(KEPT, user=STRANGER, suggested=True),
            f"💡 <@{STRANGER}> suggests: “{NIGHT}”",
        ),
    ],
)
def test_what_was_said_meanwhile_stands_below_the_draft(kept: KeptWords, said: str) -> None:
    session = a_session(attempts=2, kept_words=(kept,))
    shown = words_offered(session, session.latest)
    assert lines(shown) == [said]
    assert labels(*shown) == ["🪄 Refine with this"]


@pytest.mark.parametrize(
    ("meant", "expected"),
    [
        (None, [f"🪄 Refine image {number} with this" for number in (1, 2, 3, 4)]),
        (ImageRef(2, 3), ["🪄 Refine image 3 with this"]),
        (ImageRef(1, 2), ["🪄 Refine image 2 with this"]),
        (ImageRef(2, 9), [f"🪄 Refine image {number} with this" for number in (1, 2, 3, 4)]),
    ],
)
def test_the_image_that_is_meant_is_offered_where_it_is_shown(
    meant: ImageRef | None, expected: list[str]
) -> None:
    session = replace(FOUR, kept_words=(replace(KEPT, image=meant),))
    assert labels(*words_offered(session, session.latest)) == expected


def test_words_that_were_made_or_said_before_the_last_draft_are_not_offered() -> None:
    made = with_latest(a_session(attempts=2, kept_words=(KEPT,)), idempotency_key="q1")
    assert words_offered(made, made.latest) == []
    earlier = a_session(attempts=3, kept_words=(replace(KEPT, attempt=1),))
    assert words_offered(earlier, earlier.latest) == []


def test_a_failure_that_leaves_no_draft_repeats_the_words_without_buttons() -> None:
    failed = replace(failed_first(), kept_words=(replace(KEPT, attempt=1),))
    shown = words_meanwhile(failed, 1)
    assert lines(shown) == [f"You said: “{NIGHT}”"]
    assert labels(*shown) == []
    beside_a_draft = with_latest(
        replace(generating(2, kept_words=(KEPT,)), stage=Stage.USER_FEEDBACK),
        failure=FailureKind.QUOTA,
    )
    assert words_meanwhile(beside_a_draft, 2) == []
