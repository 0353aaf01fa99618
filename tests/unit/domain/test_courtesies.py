"""Which messages ask for no image."""

from __future__ import annotations

import time

import pytest

from bot.domain.courtesies import ENTRIES, LONGEST, Courtesy, courtesy_of

THANKS, GREETING, HELP = Courtesy.THANKS, Courtesy.GREETING, Courtesy.HELP


@pytest.mark.parametrize(
    ("said", "courtesy"),
    [
        ("thanks!", THANKS),
        ("THANKS!!!", THANKS),
        ("Thank you, bot.", THANKS),
        ("*thanks*", THANKS),
        ("thanks 🙏🏽", THANKS),
        (":pray: thank you :pray::skin-tone-3:", THANKS),
        (":tada:Cheers:beers:", THANKS),
        ("thx :D", THANKS),
        ("ty <3", THANKS),
        ("Ok, thanks ;)", THANKS),
        ("Danke schön", THANKS),
        ("danke schon", THANKS),
        ("谢谢！", THANKS),
        ("ありがとう。", THANKS),
        ("thank\u00a0you", THANKS),
        ("hi", GREETING),
        ("Hi there :wave:", GREETING),
        ("“Good morning”", GREETING),
        ("What’s up?", GREETING),
        ("what's up", GREETING),
        ("Grüß Gott!", GREETING),
        ("안녕하세요!", GREETING),
        ("¡Hola!", GREETING),
        ("👋 hello\n", GREETING),
        ("Hi team!", GREETING),
        ("good morning, everyone", GREETING),
        ("hi again", GREETING),
        ("hey guys, how are you?", GREETING),
        ("thanks mate", THANKS),
        ("Hello, thanks for your help, folks", THANKS),
        ("hi, can you help me?", HELP),
        ("what now?", HELP),
        ("how do I approve this?", HELP),
        ("help!", HELP),
        ("HELP?", HELP),
        ("Can you help me?", HELP),
        ("¿ayuda?", HELP),
        ("à l'aide !", HELP),
        ("YARDIM", HELP),
        ("?", HELP),
        ("…", HELP),
    ],
)
def test_the_whole_message_is_an_entry(said: str, courtesy: Courtesy) -> None:
    assert courtesy_of(said) is courtesy


@pytest.mark.parametrize(
    "said",
    [
        "",
        "  ",
        "a fox",
        "thanks a lot for the robot",
        "thanks, now make it night",
        "a thank you card",
        "say thanks",
        "help me draw a fox",
        "help the fox",
        "hello world",
        "hello kitty",
        "team",
        "everyone again",
        "thanks team of robots",
        "help team",
        "hi res fox",
        "thanksgiving",
        "thanks 2",
        "hi --n 3",
        "🦊",
        ":fox_face:",
        "<@U7> thanks",
        "thanks " * 40,
        "Danke für den Fuchs",
    ],
)
def test_everything_else_is_a_prompt(said: str) -> None:
    assert courtesy_of(said) is None


@pytest.mark.parametrize("courtesy", list(Courtesy))
def test_every_entry_is_answered_in_any_case_and_punctuation(courtesy: Courtesy) -> None:
    for entries in ENTRIES[courtesy].values():
        for entry in entries:
            for said in (entry, entry.upper(), f"{entry.title()}!", f"  “{entry}” :wave: 🙂"):
                assert courtesy_of(said) is courtesy, said


def test_no_entry_is_a_word_that_commands_something() -> None:
    assert not {courtesy_of(word) for word in ("list", "cancel")} - {None}


@pytest.mark.parametrize("end", ["", "x", "thanks", "help me"])
@pytest.mark.parametrize(
    "greeting",
    ["hi ", "hi all ", "hi there ", "hello there ", "hey there ", "yo ", "gm team ", "hi hi all "],
)
def test_greetings_in_a_row_are_read_in_time(greeting: str, end: str) -> None:
    """`hi all` is an entry, and `hi` is one before somebody addressed: twice as many readings for
    each."""
    for length in (LONGEST // 4, LONGEST // 2, LONGEST):
        said = greeting * ((length - len(end)) // len(greeting)) + end
        began = time.process_time()
        courtesy_of(said)
        assert time.process_time() - began < 0.05, said
