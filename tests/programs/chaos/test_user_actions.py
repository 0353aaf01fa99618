from __future__ import annotations

import pytest

from bot.sandbox import Ack
from bot.views.words import STORE_AWAY, messages_ahead_words
from tests.programs.chaos.user_actions import refuses


@pytest.mark.parametrize(
    ("text", "refused"), [("", False), (messages_ahead_words(3), False), (STORE_AWAY, True)]
)
def test_an_answer_that_promises_the_image_is_no_refusal(text: str, refused: bool) -> None:
    assert refuses(Ack(ok=True, body={"text": text} if text else None)) is refused
