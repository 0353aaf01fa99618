"""What the bot answers to a request that is lost or empty, or that has to wait."""

from __future__ import annotations

import pytest

from bot.views import words


def test_an_outage_asks_to_try_again() -> None:
    for said in (words.STORE_AWAY, words.CLICK_LOST, words.SOMETHING_BROKE):
        assert "try" in said.lower()
        assert "in a minute" in said


@pytest.mark.parametrize(
    ("ahead", "told"), [(1, "1 message is ahead"), (7, "7 messages are ahead")]
)
def test_who_has_to_wait_is_told_that_the_request_is_there(ahead: int, told: str) -> None:
    said = words.messages_ahead_words(ahead)
    assert said.startswith("Got it. It appears in a moment")
    assert told in said
