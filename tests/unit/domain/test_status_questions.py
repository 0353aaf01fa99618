"""Which messages ask how far an image is."""

from __future__ import annotations

import pytest

from bot.domain.button_words import BUTTON_WORDS
from bot.domain.courtesies import courtesy_of
from bot.domain.status_questions import STATUS_QUESTIONS, asks_for_status

ENTRIES = [entry for entries in STATUS_QUESTIONS.values() for entry in entries]


@pytest.mark.parametrize("language", STATUS_QUESTIONS)
def test_every_entry_asks_in_any_case_and_punctuation(language: str) -> None:
    for entry in STATUS_QUESTIONS[language]:
        for said in (entry, f"{entry.upper()}??", f"*{entry}*", f"  “{entry}?” :hourglass: 🙏🏽"):
            assert asks_for_status(said), said


@pytest.mark.parametrize(
    "said",
    [
        *("Is it ready?", "hey, is it ready yet please?", "Can you hurry, please? Thanks!"),
        *("so... how long?", "How long??? 😩", "sorry, any news?", "IS IT DONE", "What’s the ETA?"),
        *("please hurry up", "where's my image?", "e\u0300 pronto?", "Hurry!", "好了吗？"),
        *("ok, ready?", "thank you, how much longer", "wie lange noch bitte?"),
    ],
)
def test_polite_words_and_emoji_beside_it_do_not_count(said: str) -> None:
    assert asks_for_status(said)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "",
            " ",
            "?",
            "please",
            "thanks",
            "hello",
            "a fox",
            "make it faster",
            "how long is a fox",
        ),
        *(
            "make the hair long",
            "is it ready for the party banner",
            "a status bar",
            "hurry the fox",
        ),
        *("a progress bar at 50%", "when pigs fly", "done", "the where is it book", "now"),
        *("is it ready? make it blue", "how long the road is", "please " * 40, "fast car"),
        *("ready player one", "update the sky", "progress " * 60),
    ],
)
def test_everything_else_says_more(said: str) -> None:
    assert not asks_for_status(said)


def test_no_entry_stands_twice_or_means_something_else() -> None:
    assert len(ENTRIES) == len(set(ENTRIES))
    buttons = {entry for entries in BUTTON_WORDS.values() for entry in entries}
    assert [entry for entry in ENTRIES if courtesy_of(entry) or entry in buttons] == []
