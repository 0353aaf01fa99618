"""The help, and what is said about a refused option."""

from __future__ import annotations

import pytest

from bot.domain.option_table import OPTIONS
from bot.domain.options import Options, OptionTable
from bot.domain.prompt import OptionsRefused, parse_flags
from bot.domain.refusals import OptionRefused, OptionsDisagree
from bot.sandbox.workspace.markup import pings_in_text
from bot.views.help_words import help_words
from bot.views.refusal_words import refusal_words
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
    "Discard",
    "Undo",
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


def refused(text: str, table: OptionTable = OPTIONS) -> OptionsRefused:
    with pytest.raises(OptionsRefused) as caught:
        parse_flags(text, table)
    return caught.value


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("a fox --n 9", "`--n` must be 1 to 4, not `9`."),
        ("a fox --quality", "`--quality` needs a value: `auto`, `low`,"),
        ("a fox --bg red", "`--background` must be `auto`, `transparent` or `opaque`, not `red`."),
        ("a fox --ar 9:1", "or a ratio from `1:3` to `3:1`, such as `16:9`, not `9:1`."),
        ("a fox --size 1000x1000", "The nearest possible size is `"),
        ("a fox --size 100x100", "The nearest possible size is `112x112`."),
        ("a fox --frobnicate", "There is no option `--frobnicate`.\nThe options are `--ar`, "),
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
    assert "must be `auto` or `low`, not `max`." in answer


def test_what_was_said_without_the_command_is_repeated_without_it() -> None:
    answer = refusal_words(refused("a fox --n 9"), command=False)
    assert answer.endswith("```a fox --n 9```")


def test_a_form_still_has_what_was_typed() -> None:
    answer = refusal_words(refused("a & fox --n <9>"), plain=True)
    assert answer == "--n must be 1 to 4, not <9>."


def test_several_wrong_options_are_told_at_once() -> None:
    refusal = refused("a fox --n 9 --styel anime --size 5x --quality high --n 9")
    answer = refusal_words(refusal)
    for told in ("must be 1 to 4", "no option `--styel`", "`--size` must be", "The options are"):
        assert answer.count(told) == 1
    assert "Nothing was started." in answer
    assert refusal.right.options == Options(quality="high")
    assert refusal.right.prompt.strip() == "a fox anime"


def test_each_wrong_option_has_a_line_of_its_own_and_the_rest_has_none() -> None:
    answer = refusal_words(refused("a fox --n 9 --foo"))
    marked = [line for line in answer.splitlines() if line.startswith("• ")]
    assert [line.split("`")[1] for line in marked] == ["--n", "--foo"]
    assert "• " not in refusal_words(refused("a fox --foo"))


def test_a_hundred_wrong_options_are_not_told_one_by_one() -> None:
    answer = refusal_words(refused(" ".join(f"--x{number} a" for number in range(100))))
    assert answer.count("There is no option") == 8
    assert "92 more are not possible." in answer


def test_a_prompt_and_a_select_that_disagree_are_told_apart() -> None:
    answer = refusal_words(OptionsDisagree("size", "1792x1008", "1024x1024"), plain=True)
    assert "asks for 1792×1008, and Size is set to 1024×1024" in answer
    assert "take --size out" in answer


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
