"""Which words read like a change of an image that is there."""

from __future__ import annotations

import pytest

from bot.domain.change_words import CHANGE_BEGINNINGS, reads_like_change


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
