"""What the bot answers to a request that is refused, lost or empty."""

from __future__ import annotations

import pytest

from bot.domain.images import ACCEPTED
from bot.domain.refusals import Reason, Refusal
from bot.views import words
from bot.views.help_words import help_words
from tests.unit.views.samples import NEXT_STEP


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("plain", [True, False])
def test_every_refusal_says_what_to_do_next(reason: Reason, plain: bool) -> None:
    said = words.refusal_words(Refusal(reason, "U1"), plain=plain)
    assert any(step in said for step in NEXT_STEP), said
    assert "{" not in said
    if plain:
        assert "<@" not in said
        assert "`" not in said


def test_a_stranger_is_told_who_decides() -> None:
    refusal = Refusal(Reason.NOT_ALLOWED, "U1")
    assert "only <@U1> can" in words.refusal_words(refusal)
    assert "only its owner can" in words.refusal_words(refusal, plain=True)


def test_a_picture_that_will_not_do_is_told_what_would() -> None:
    for reason in (Reason.IMAGE_TYPE, Reason.NO_IMAGE_THERE):
        said = words.refusal_words(Refusal(reason)).lower()
        assert all(kind.removeprefix("image/") in said for kind in ACCEPTED)
    assert all(kind.removeprefix("image/") in help_words().lower() for kind in ACCEPTED)
    assert "20 MB" in words.refusal_words(Refusal(Reason.IMAGE_TOO_LARGE))
    assert "50 megapixels" in words.refusal_words(Refusal(Reason.IMAGE_TOO_MANY_PIXELS))
    assert "Invite me" in words.refusal_words(Refusal(Reason.IMAGE_NOT_SHARED))


def test_an_outage_asks_to_try_again() -> None:
    for said in (words.STORE_AWAY, words.CLICK_LOST, words.SOMETHING_BROKE):
        assert "try" in said.lower()
        assert "in a minute" in said


def test_a_mention_with_nothing_in_it_is_told_what_to_say() -> None:
    assert "Tell me what the image should show" in words.REFUSALS[Reason.EMPTY_MENTION]


@pytest.mark.parametrize(
    ("ahead", "told"), [(1, "1 message is ahead"), (7, "7 messages are ahead")]
)
def test_who_has_to_wait_is_told_that_the_request_is_there(ahead: int, told: str) -> None:
    said = words.messages_ahead_words(ahead)
    assert said.startswith("Got it. It appears in a moment")
    assert told in said
