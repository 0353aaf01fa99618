"""The question whether a picture is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from slack_sdk.models.blocks import Block as SlackBlock

from bot.domain.attempt import Source
from bot.domain.questions import PictureQuestion
from bot.domain.refusals import Reason, Refusal
from bot.views.blocks import target_of
from bot.views.ids import USE_PICTURE, WORDS_ONLY
from bot.views.questions import (
    FROM_PICTURE,
    FROM_WAITING,
    FROM_WORDS,
    FROM_WORDS_ALONE,
    answered_words,
    picture_question,
)
from bot.views.refusal_words import REFUSALS
from tests.fakes import BOSS, ID, a_session

QUESTION = PictureQuestion(ID, "T1", BOSS, "C1", "4.4", "k", "<!here> *night*", Source("F1"))


def test_it_offers_both_and_repeats_what_was_said_as_text() -> None:
    message = picture_question(QUESTION, None)
    assert [e["action_id"] for e in message.blocks[-1]["elements"]] == [USE_PICTURE, WORDS_ONLY]
    assert {target_of(e["value"]).session_id for e in message.blocks[-1]["elements"]} == {ID}
    assert message.blocks[1]["text"] == {
        "type": "plain_text",
        "text": "<!here> *night*",
        "emoji": False,
    }
    assert "<!here>" not in message.text
    assert "several" not in message.text
    assert "several" in picture_question(QUESTION, None, several=True).text


@pytest.mark.parametrize("reason", [Reason.IMAGE_TYPE, Reason.IMAGE_DELETED])
def test_a_picture_that_will_not_do_is_not_offered(reason: Reason) -> None:
    message = picture_question(replace(QUESTION, source=None), Refusal(reason))
    assert REFUSALS[reason] in message.text
    assert [e["action_id"] for e in message.blocks[-1]["elements"]] == [WORDS_ONLY]


@pytest.mark.parametrize("text", ["a", "&" * 40_000, "🦊" * 32_000])
def test_its_blocks_are_slacks(text: str) -> None:
    message = picture_question(replace(QUESTION, text=text), None, several=True)
    for block in message.blocks:
        parsed = SlackBlock.parse(block)
        assert parsed is not None
        assert parsed.to_dict() == block
    assert len(message.text) < 4_000


def test_the_answer_is_what_was_started() -> None:
    there = replace(a_session(), thread_ts="4.4")
    assert answered_words(there) == FROM_WORDS
    assert answered_words(replace(there, source=Source("F1"))) == FROM_PICTURE
    anew = replace(a_session(), thread_ts="", root_ts="")
    assert answered_words(anew) == FROM_WORDS_ALONE
    assert answered_words(replace(anew, source=Source("F1"))) == FROM_WAITING
