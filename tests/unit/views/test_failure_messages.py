"""The messages about a failed attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain import begin, generation, transitions
from bot.domain.attempt import ImageRef
from bot.domain.discard import discard
from bot.domain.failures import FailureKind
from bot.domain.session import Session
from bot.sandbox.webapi.block_kit import block_problems
from bot.views import failure_messages
from bot.views.blocks import marker
from bot.views.failure_messages import earlier_failure_message
from tests.fakes import ID, OWNER, a_session, failed, tried_again
from tests.unit.views.samples import buttons

NOW = 130.0
FOLLOWED = "Followed by attempt 2"


def test_every_failure_offers_to_edit_the_prompt_and_try_again_stands_where_it_can_help() -> None:
    session = a_session()
    for again, row in ((True, ["try_again", "edit_prompt"]), (False, ["edit_prompt"])):
        told = failure_messages.failure_message(session, 1, "w", try_again=again)
        private = failure_messages.notice_message(session, "w", 1, try_again=again)
        assert list(buttons(told)) == list(buttons(private)) == row


def cancelled(session: Session) -> Session:
    return transitions.cancel(session, session.latest.number, "w", NOW)


def drawn(session: Session) -> Session:
    """The session with the draft of its newest attempt posted."""
    number, prompt = session.latest.number, session.latest.prompt
    return generation.draft_posted(session, number, "9.5", NOW, prompt)


def failed_again(session: Session) -> Session:
    kind, number = FailureKind.QUOTA, session.latest.number
    return generation.attempt_failed(session, number, kind, "w", "9.7", NOW)


@pytest.mark.parametrize("kind", FailureKind)
def test_a_failure_shows_the_status_and_cancel_while_another_attempt_is_made(
    kind: FailureKind,
) -> None:
    session = begin.try_again(failed(1, kind), 1, NOW)
    shown = earlier_failure_message(session, 1, NOW)
    assert "Attempt 1 did not come" in shown.text
    assert "Queued, attempt 2" in shown.text
    assert buttons(shown) == {"cancel": ("🛑 Cancel", f"{ID}#2")}
    assert shown.blocks[0]["block_id"] == marker(session, "failure", 1)
    assert block_problems(shown.blocks) == []


@pytest.mark.parametrize(
    ("session", "says", "row"),
    [
        (cancelled(tried_again()), "Attempt 2 was cancelled", ["try_again", "edit_prompt"]),
        (drawn(tried_again()), FOLLOWED, []),
        (failed_again(tried_again()), FOLLOWED, []),
        (discard(cancelled(tried_again()), 2, OWNER, "w", NOW, ""), FOLLOWED, []),
    ],
    ids=["cancelled", "with a draft", "failed again", "discarded"],
)
def test_a_failure_says_what_became_of_the_attempt_after_it(
    session: Session, says: str, row: list[str]
) -> None:
    shown = earlier_failure_message(session, 1)
    assert says in shown.text
    assert list(buttons(shown)) == row
    assert all(value == f"{ID}#2" for _, value in buttons(shown).values())


def test_the_buttons_of_a_failure_begin_another_attempt_after_a_cancellation() -> None:
    session = cancelled(tried_again())
    assert len(begin.try_again(session, 2, NOW).attempts) == 3


def test_a_failure_has_no_buttons_after_an_earlier_draft_is_approved() -> None:
    session = failed_again(begin.regenerate(a_session(), 1, NOW))
    session = cancelled(begin.try_again(session, 2, NOW))
    assert list(buttons(earlier_failure_message(session, 2))) == ["try_again", "edit_prompt"]
    approved = transitions.approve(session, ImageRef(1), OWNER, NOW)
    assert buttons(earlier_failure_message(approved, 2)) == {}


@pytest.mark.parametrize(
    ("session", "number"),
    [
        (a_session(), None),
        (failed(), None),
        (failed(2), 1),
        (tried_again(), 1),
        (tried_again(3), 3),
        (begin.try_again(cancelled(tried_again()), 2, NOW), 1),
        (begin.regenerate(drawn(tried_again()), 2, NOW), None),
        (replace(failed(), attempts=()), None),
    ],
)
def test_the_failure_before_the_newest_attempt_is_the_last_message_before_it(
    session: Session, number: int | None
) -> None:
    before = session.failure_before
    assert (before.number if before else None) == number
