"""Which words read like a change of an image that is there."""

from __future__ import annotations

import pytest

from bot.domain.change_words import CHANGE_BEGINNINGS, reads_like_change, reads_like_question


@pytest.mark.parametrize(
    "said",
    [
        *("make it night", "Make it blue!", "please add a boat", "MORE CONTRAST", "darker"),
        *("can you remove the hat?", "now make it pop", "great, but with a hat", "🙏 fix the eyes"),
        *("it's too dark", "the same but at night", "mach es blau", "hazlo azul", "without people"),
        *("ajoute un bateau", "Füge ein Boot hinzu", "at night", "could you make the sky red"),
    ],
)
def test_it_begins_as_a_change(said: str) -> None:
    assert reads_like_change(said)


@pytest.mark.parametrize(
    "said",
    [
        *("", " ", "?", "please", "a fox", "a dog in a hat", "robots adding numbers", "number 2"),
        *("draw a fox with a hat", "make a fox on the moon", "night sky", "an addition"),
        *("can you draw a lighthouse", "I'd like a robot", "make it rain " * 40, "moreover a fox"),
    ],
)
def test_everything_else_is_a_prompt(said: str) -> None:
    assert not reads_like_change(said)


def test_no_beginning_stands_twice() -> None:
    every = [each for beginnings in CHANGE_BEGINNINGS.values() for each in beginnings]
    assert len(every) == len(set(every))
    for each in every:
        assert reads_like_change(each), each


@pytest.mark.parametrize(
    "said",
    [
        *(
            "why?",
            "Why is it blue?",
            "which one is better?",
            "how do I download it?",
            "who is that?",
        ),
        *("what's that?", "is this a fox?", "can I use it in print?", "how many are left？"),
    ],
)
def test_it_reads_like_a_question(said: str) -> None:
    assert reads_like_question(said)


@pytest.mark.parametrize(
    "said",
    [
        *("can you make it blue?", "how about a hat?", "what if it were night?", "blue?", "a hat?"),
        *("when the sun sets", "where the river bends", "whyever?", "maybe a bit darker?", ""),
    ],
)
def test_a_change_may_have_a_question_mark(said: str) -> None:
    assert not reads_like_question(said)
