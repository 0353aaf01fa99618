"""Which messages name a button, and which say more."""

from __future__ import annotations

import pytest

from bot.domain.button_words import BUTTON_WORDS, ButtonWord, NamedButton, named_button
from bot.domain.courtesies import LONGEST, courtesy_of


@pytest.mark.parametrize("word", list(ButtonWord))
def test_every_entry_names_its_button(word: ButtonWord) -> None:
    for entry in BUTTON_WORDS[word]:
        for said in (entry, f"{entry.upper()}!!", f"please {entry} :fox_face:", f"“{entry}”, bot"):
            named = named_button(said)
            assert named is not None, said
            assert named.word is word or word is ButtonWord.LIKE, said


def test_no_entry_is_a_courtesy_or_stands_twice() -> None:
    entries = [entry for entries in BUTTON_WORDS.values() for entry in entries]
    assert len(entries) == len(set(entries))
    assert [entry for entry in entries if courtesy_of(entry)] == []


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("approve 2", NamedButton(ButtonWord.APPROVE, (2,))),
        ("approve no. 2", NamedButton(ButtonWord.APPROVE, (2,))),
        ("approve image 2 of attempt 3", NamedButton(ButtonWord.APPROVE, (2,), 3)),
        ("use the last one", NamedButton(ButtonWord.APPROVE, (), 0, last=True)),
        ("2 and 3", NamedButton(None, (2, 3))),
        ("2, 2", NamedButton(None, (2,))),
        ("both of them?", None),
        ("both", NamedButton(None)),
        ("I like it, publish", NamedButton(ButtonWord.APPROVE)),
        ("perfect, once more", NamedButton(ButtonWord.REGENERATE)),
        ("please don't approve this", NamedButton(ButtonWord.DISLIKE)),
        ("I'll take the second", NamedButton(ButtonWord.APPROVE, (2,))),
        ("select img 3", NamedButton(ButtonWord.APPROVE, (3,))),
        ("approve the fifth one", NamedButton(ButtonWord.APPROVE, (5,))),
        ("that's the one!", NamedButton(ButtonWord.APPROVE)),
        ("it's perfect", NamedButton(ButtonWord.LIKE)),
        ("that works for me, I'm happy with it", NamedButton(ButtonWord.LIKE)),
        ("great, thanks a lot", NamedButton(ButtonWord.LIKE)),
        ("not bad", NamedButton(ButtonWord.LIKE)),
        ("+1", NamedButton(ButtonWord.LIKE)),
        ("variant 3", NamedButton(None, (3,))),
        ("use attempt 1 instead", NamedButton(ButtonWord.APPROVE, (), 1)),
        ("I liked the first one better", NamedButton(ButtonWord.LIKE, (1,))),
        ("can I get another one?", NamedButton(ButtonWord.REGENERATE)),
        ("more like this", NamedButton(ButtonWord.REGENERATE)),
        ("reject it", NamedButton(ButtonWord.DISLIKE)),
        ("👍🏽", NamedButton(ButtonWord.LIKE)),
        ("✅", NamedButton(ButtonWord.LIKE)),
        ("👎", NamedButton(ButtonWord.DISLIKE)),
        ("🎉🎉", NamedButton(ButtonWord.LIKE)),
    ],
)
def test_numbers_and_emoji_beside_it(said: str, named: NamedButton | None) -> None:
    assert named_button(said) == named


@pytest.mark.parametrize(
    "said",
    [
        *("", " ", "a fox", "make it blue", "again with a hat", "approve the hat", "use red"),
        *("not the hat", "no hat", "love letters", "stop sign", "12 monkeys", "restart button"),
        *("good morning sun", "another fox", "approve " * LONGEST),
    ],
)
def test_what_says_more_names_none(said: str) -> None:
    assert named_button(said) is None
