"""What becomes of what a person typed."""

from __future__ import annotations

import pytest

from bot.domain.errors import Reason, Refusal
from bot.domain.prompt import MAX_PROMPT, clean_prompt


@pytest.mark.parametrize(
    ("typed", "prompt"),
    [
        ("  a robot \n", "a robot"),
        ("a\x00robot\x07", "arobot"),
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("a\ttable", "a\ttable"),
        ("lone \ud800 surrogate \udfff", "lone  surrogate"),
        ("👩‍🚀 in a 🚀", "👩‍🚀 in a 🚀"),
        ("רובוט אוכל פיצה", "רובוט אוכל פיצה"),
        ("\u202eright to left\u202c", "\u202eright to left\u202c"),
        (
            "<!channel> <@U123> <https://x|y> & * _ ~ `",
            "<!channel> <@U123> <https://x|y> & * _ ~ `",
        ),
        ("—size “quoted”", "—size “quoted”"),
    ],
)
def test_keeps_what_was_meant_and_drops_what_nobody_typed(typed: str, prompt: str) -> None:
    assert clean_prompt(typed) == prompt
    assert clean_prompt(prompt) == prompt


@pytest.mark.parametrize(
    "typed", ["", "   ", "\n\t\r\n", "\x00\x01", "\ud83d", "\u200b\u200d \ufeff"]
)
def test_nothing_typed_is_refused(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        clean_prompt(typed)
    assert refused.value.reason is Reason.EMPTY_PROMPT


def test_the_longest_prompt_is_kept_whole() -> None:
    assert MAX_PROMPT == 32_000
    assert clean_prompt("x" * 32_000) == "x" * 32_000
    assert clean_prompt(" " * 9 + "🚀" * 32_000 + "\x00") == "🚀" * 32_000


@pytest.mark.parametrize("typed", ["x" * 32_001, "🚀" * 32_001, "x" * 40_000])
def test_one_character_more_is_refused(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        clean_prompt(typed)
    assert refused.value.reason is Reason.PROMPT_TOO_LONG
