"""What a prompt and its options become of what a person typed."""

from __future__ import annotations

import contextlib
import time

import pytest

from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options, OptionTable
from bot.domain.prompt import MAX_PROMPT, OptionsRefused, clean_prompt, parse_flags
from bot.domain.refusals import OptionRefused, Reason, Refusal


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
        ("\u202eright to left\u202c", "right to left"),
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


WIDE = "1792x1008"


def refused(text: str, table: OptionTable = OPTIONS) -> OptionRefused:
    with pytest.raises(OptionsRefused) as refusal:
        parse_flags(text, table)
    assert refusal.value.text == text
    (only,) = refusal.value.refused
    return only


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("--ar 16:9", Options(size=WIDE)),
        ("--aspect 16:9", Options(size=WIDE)),
        ("--ratio 16x9", Options(size=WIDE)),
        ("--AR 16:9", Options(size=WIDE)),
        ("--ar wide", Options(size=WIDE)),
        ("--size wide", Options(size=WIDE)),
        ("--size 16:9", Options(size=WIDE)),
        ("--size 1024x1536", Options(size="1024x1536")),
        ("--size 1024X1536", Options(size="1024x1536")),
        ("--size 1024×1536", Options(size="1024x1536")),
        ("--size 1024*1536", Options(size="1024x1536")),
        ("--Size Portrait", Options(size="1024x1536")),
        ("--size auto", Options(size="auto")),
        ("--quality high", Options(quality="high")),
        ("--q HIGH", Options(quality="high")),
        ("--background transparent", Options(background="transparent")),
        ("--bg opaque", Options(background="opaque")),
        ("--transparent", Options(background="transparent")),
        ("--OPAQUE", Options(background="opaque")),
        ("--n 3", Options(count=3)),
        ("--count 3", Options(count=3)),
        ("---n 3", Options(count=3)),
    ],
)
def test_every_option_has_its_names(typed: str, options: Options) -> None:
    assert parse_flags(f"a fox {typed}") == ("a fox", options)
    assert parse_flags(f"{typed} a fox") == ("a fox", options)
    assert parse_flags(f"a {typed} fox") == ("a fox", options)


@pytest.mark.parametrize(
    "typed",
    [
        "--ar 16:9",
        "--ar=16:9",
        "--ar:16:9",
        "--ar= 16:9",
        "--ar: 16:9",
        "--ar   16:9",
        "--ar\t16:9",
        "--ar\n16:9",
        "--ar\u00a016:9",
        "—ar 16:9",
        "–ar 16:9",
        "―ar 16:9",
        "‒ar 16:9",
        "−ar 16:9",
        "—-ar 16:9",
        "—ar=16:9",
        "--ar “16:9”",
        "--ar ”16:9”",
        "--ar „16:9“",
        "--ar ‘16:9’",
        "--ar «16:9»",
        '--ar "16:9"',
        "--ar='16:9'",
        '--ar "16 : 9"',
        "--ar=“16 : 9”",
        "--ar 16:9”",
    ],
)
def test_dashes_quotes_and_gaps_are_as_keyboards_make_them(typed: str) -> None:
    assert parse_flags(f"a fox {typed} on the moon") == ("a fox on the moon", Options(size=WIDE))


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "   ",
        "a cat",
        " a cat \n",
        "a cat — dog",
        "a cat – dog",
        "a cat -- dog",
        "a cat -- and - dashes",
        "a cat—dog",
        "a cat--dog",
        "a cat–n 3",
        "a semi-transparent cat",
        "-n 3",
        "-- n 3",
        "----n 3",
        "—— n 3",
        "--3 cats",
        "--",
        "—",
        "`--n 3`",
        "(--n 3)",
        "“—n 3”",
        "“curly” and 'straight' \"quotes\"",
        "1920–1930, the years --- and so on",
        "a\n\n  b\t\tc",
        "--ñandú",
    ],
)
def test_what_is_no_option_stays_as_it_was_typed(prompt: str) -> None:
    assert parse_flags(prompt) == (prompt, NO_OPTIONS)


def test_all_options_at_once_as_the_help_has_them() -> None:
    parsed = parse_flags("a fox on the moon --ar 16:9 --quality high --n 3 --transparent")
    assert parsed.prompt == "a fox on the moon"
    assert parsed.options == Options(size=WIDE, quality="high", background="transparent", count=3)


def test_the_same_typed_by_a_phone() -> None:
    parsed = parse_flags("A fox on the “moon” —Ar 16:9 —Quality High —N 3 —Transparent")
    assert parsed.prompt == "A fox on the “moon”"
    assert parsed.options == Options(size=WIDE, quality="high", background="transparent", count=3)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("--n 2 --n 3", Options(count=3)),
        ("--ar 16:9 a fox --size square", Options(size="1024x1024")),
        ("--transparent --opaque", Options(background="opaque")),
        ("--opaque --bg transparent", Options(background="transparent")),
    ],
)
def test_of_an_option_that_is_given_twice_the_last_one_counts(typed: str, options: Options) -> None:
    assert parse_flags(typed).options == options


@pytest.mark.parametrize(
    ("typed", "prompt"),
    [
        ("a fox --n 3   on the moon", "a fox on the moon"),
        ("a --n 3 fox --ar 16:9 on --transparent the moon", "a fox on the moon"),
        ("one\n\ntwo --n 3", "one\n\ntwo"),
        ("one --n 3\ntwo", "one\ntwo"),
        ("one\n--n 3\ntwo", "one\ntwo"),
        ("one\n\n--n 3\n\ntwo", "one\n\n\ntwo"),
        ("one\n--n 3 two", "one\ntwo"),
        ("--n 3\none\ntwo", "\none\ntwo"),
        ("one\ntwo\n--n 3", "one\ntwo\n"),
        ("a logo --transparent, please", "a logo, please"),
        ("a logo --transparent.", "a logo."),
        ("--n 3", ""),
        ("--n 3 --transparent", ""),
        ("a  cat  --n 3  with  gaps", "a  cat with  gaps"),
    ],
)
def test_the_prompt_closes_where_an_option_was_and_keeps_its_lines(typed: str, prompt: str) -> None:
    assert parse_flags(typed).prompt == prompt


# refused


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        ("a fox --foo", "--foo"),
        ("a fox --Foo bar", "--Foo"),
        ("a fox —foo", "--foo"),
        ("a fox --foo=bar", "--foo"),
        ("--größe 3", "--größe"),
        ("--n3", "--n3"),
        ("--no-text a fox", "--no-text"),
        ("--size- 3", "--size-"),
        ("--ar 16:9 --foo --n 3", "--foo"),
    ],
)
def test_an_unknown_option_is_named(typed: str, option: str) -> None:
    refusal = refused(typed)
    assert (refusal.option, refusal.value, refusal.nearest) == (option, "", "")


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        ("a fox --n", "--n"),
        ("a fox --n   ", "--n"),
        ("a fox --n=", "--n"),
        ("a fox --n ''", "--n"),
        ("a fox --n “”", "--n"),
        ("a fox --count --transparent", "--n"),
        ("a fox —n —transparent", "--n"),
        ("--ratio", "--ar"),
        ("--aspect --n 3", "--ar"),
        ("--size", "--size"),
        ("--q", "--quality"),
        ("--bg", "--background"),
    ],
)
def test_an_option_without_its_value_is_named_as_the_help_has_it(typed: str, option: str) -> None:
    refusal = refused(typed)
    assert (refusal.option, refusal.value) == (option, "")


@pytest.mark.parametrize(
    ("typed", "option", "value"),
    [
        ("a fox --n 5", "--n", "5"),
        ("a fox --n=five", "--n", "five"),
        ("a fox --n three on the moon", "--n", "three"),
        ("a fox --n -1", "--n", "-1"),
        ("a fox --n " + "9" * 5_000, "--n", "9" * 5_000),
        ("a fox --ar 16", "--ar", "16"),
        ("a fox --ar 16:9, please", "--ar", "16:9,"),
        ("--quality “very high” a fox", "--quality", "very high"),
        ("--bg=green a fox", "--background", "green"),
        ("a fox --transparent=no", "--background", "no"),
        ("a fox --size 0x2000", "--size", "0x2000"),
        ("a fox --size 00x1024", "--size", "00x1024"),
    ],
)
def test_an_impossible_value_is_named_with_its_option(typed: str, option: str, value: str) -> None:
    refusal = refused(typed)
    assert (refusal.option, refusal.value) == (option, value)


def test_what_is_allowed_is_what_the_model_takes() -> None:
    table = OPTIONS.limited_to(quality=("low", "high"))
    assert refused("a fox --quality max", table).allowed == ("low", "high")
    assert parse_flags("a fox --quality high", table).options == Options(quality="high")


def test_a_value_near_the_impossible_one_is_offered_and_works() -> None:
    for typed in ("--size 1000x1000", "--size 9999x50", "--ar 21:1", "--size 1:4"):
        option = typed.split()[0]
        nearest = refused(f"a fox {typed}").nearest
        assert parse_flags(f"a fox {option} {nearest}").options.size


@pytest.mark.parametrize(
    ("typed", "options", "prompt", "right"),
    [
        ("a fox --n 9 --ar 1", ["--n", "--ar"], "a fox", NO_OPTIONS),
        ("a fox --n 9 --quality high --ar", ["--n", "--ar"], "a fox", Options(quality="high")),
        ("--foo --bar=3 a fox", ["--foo", "--bar"], "a fox", NO_OPTIONS),
        ("--transparent=no a --n 2 fox --n", ["--background", "--n"], "a fox", Options(count=2)),
        ("a --styel anime fox --n 0", ["--styel", "--n"], "a anime fox", NO_OPTIONS),
        ("--n “x y” --size 1000x1000 a fox", ["--n", "--size"], "a fox", NO_OPTIONS),
    ],
)
def test_all_that_is_wrong_is_told_and_the_rest_is_read(
    typed: str, options: list[str], prompt: str, right: Options
) -> None:
    with pytest.raises(OptionsRefused) as refusal:
        parse_flags(typed)
    assert [each.option for each in refusal.value.refused] == options
    assert (refusal.value.right.prompt.strip(), refusal.value.right.options) == (prompt, right)


# long and hostile


HOSTILE = {
    "dashes": "-" * 32_000,
    "dashes apart": "- " * 16_000,
    "pairs": "-- " * 10_666,
    "long dashes": "—" * 32_000,
    "long dashes apart": "— " * 16_000,
    "quotes": '"' * 32_000,
    "quotes as a value": "--n " + '"' * 31_996,
    "a quote that is never closed": '--n "' + "a" * 31_995,
    "spaces": " " * 32_000,
    "a value far away": "--n" + " " * 31_996 + "3",
    "a long name": "--" + "a" * 31_998,
    "a name of dashes": "--a" + "-" * 31_997,
    "many options": "--n 1 " * 5_333,
    "many options in lines": "--n 1\n" * 5_333,
    "options and words": "--n 1 a " * 4_000,
    "options and lines": "a\n--opaque\n" * 2_900,
    "colons": "--ar " + ":" * 31_995,
    "digits": "--ar " + "1" * 31_995,
    "digits and crosses": "--size " + "1x" * 15_996,
    "prose": "a cat—dog, “semi-transparent” -- " * 960,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_longest_text_takes_no_time_whatever_it_holds(name: str) -> None:
    """The best of three runs, which other work on the machine does not slow down all alike."""

    def seconds() -> float:
        started = time.process_time()
        with contextlib.suppress(OptionsRefused):
            parse_flags(HOSTILE[name])
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.5


def test_the_longest_prompt_loses_no_character() -> None:
    prompt = "a fox, " * 4_571
    assert parse_flags(prompt + "--n 3") == (prompt.rstrip(), Options(count=3))
    many = parse_flags("--n 1 a " * 4_000)
    assert many.prompt.split() == ["a"] * 4_000
