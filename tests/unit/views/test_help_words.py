"""The help, and what is said about a refused option."""

from __future__ import annotations

import pytest

from bot.domain.errors import OptionRefused
from bot.domain.options import OPTIONS, OptionTable
from bot.domain.prompt import parse_flags
from bot.sandbox.workspace.markup import pings_in_text
from bot.views.help_words import help_words
from bot.views.words import refusal_words
from tests.unit.views.samples import PROMPTS

MOST_TEXT = 40_000
"""Characters of a message."""

HELPED = (
    "/imagine",
    "Approve",
    "Regenerate",
    "Refine",
    "Edit prompt",
    "Approve this one",
    "Cancel",
    "Try again",
    "Start over",
    "Edit this image",
    "Home tab",
    "directly",
    "mention me",
    "--ar",
    "--size",
    "--quality",
    "--background",
    "--transparent",
    "--opaque",
    "--n",
    "/imagine list",
    "/imagine cancel",
    "/imagine help",
)


@pytest.mark.parametrize("word", HELPED)
def test_the_help_names_every_way_to_do_something(word: str) -> None:
    assert word in help_words()


def test_the_help_fits_into_a_block() -> None:
    assert len(help_words()) < 3_000


def test_the_example_of_the_help_is_lawful() -> None:
    example = next(line for line in help_words().splitlines() if "--transparent`" in line)
    typed = example.split("`/imagine ")[1].rstrip("`")
    assert parse_flags(typed).options.candidates == 3


def refused(text: str, table: OptionTable = OPTIONS) -> OptionRefused:
    with pytest.raises(OptionRefused) as caught:
        parse_flags(text, table)
    return caught.value


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("a fox --n 9", "`--n 9` is not possible. --n takes a number from `1` to `4`."),
        ("a fox --quality", "`--quality` needs a value. --quality takes `auto`, `low`,"),
        ("a fox --bg red", "`--background red` is not possible. --background takes `auto`, "),
        ("a fox --ar 9:1", "or a ratio from `1:3` to `3:1`, such as `16:9`."),
        ("a fox --size 1000x1000", "The nearest possible size is `"),
        ("a fox --frobnicate", "There is no option `--frobnicate`. The options are `--ar`, "),
    ],
)
def test_a_refused_option_is_named_with_what_is_allowed(typed: str, said: str) -> None:
    answer = refusal_words(refused(typed))
    assert said in answer
    assert answer.endswith(f"```/imagine {typed}```")


def test_only_the_qualities_that_the_model_has_are_named() -> None:
    answer = refusal_words(
        refused("a fox --quality max", OPTIONS.limited_to(quality=("auto", "low")))
    )
    assert "takes `auto` or `low`." in answer


def test_what_was_said_without_the_command_is_repeated_without_it() -> None:
    answer = refusal_words(refused("a fox --n 9"), command=False)
    assert answer.endswith("```a fox --n 9```")


def test_a_form_still_has_what_was_typed() -> None:
    answer = refusal_words(refused("a & fox --n <9>"), plain=True)
    assert answer == "--n <9> is not possible. --n takes a number from 1 to 4."


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize("flag", ["--n 9", "--frobnicate", "--size “<!channel> `x`”"])
def test_what_is_repeated_fits_and_makes_no_markup(prompt: str, flag: str) -> None:
    for typed in (f"{prompt} {flag}", f"{flag} {prompt}"):
        answer = refusal_words(refused(typed))
        assert pings_in_text(answer) == []
        assert len(answer) <= MOST_TEXT


def test_a_prompt_of_any_length_is_repeated_whole() -> None:
    typed = "x" * 32_000 + " --n 9"
    assert refusal_words(refused(typed)).endswith(f"{typed}```")


def test_what_would_break_out_of_a_code_block_stands_without_one() -> None:
    typed = "```one``` --n 9"
    assert refusal_words(refused(typed)).endswith(f"\n/imagine {typed}")


def test_an_option_refused_by_a_select_repeats_nothing() -> None:
    assert "```" not in refusal_words(OptionRefused("--n", "9"))
