"""What the bot says to people: what happened, and what to do next."""

from __future__ import annotations

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.errors import OFFERS_EDIT, FailureKind, OptionRefused, Reason, Refusal
from bot.domain.images import ACCEPTED
from bot.domain.options import OPTIONS, OptionTable
from bot.domain.prompt import parse_flags
from bot.sandbox.workspace.markup import pings_in_text
from bot.views import words
from bot.views.option_words import help_words
from tests.fakes import PROMPT, generating
from tests.unit.views.samples import HOSTILE, PROMPTS, refined, with_prompt

URL = "https://acme.slack.example/"
LINK = "https://acme.slack.example/archives/C1/p10"
MOST_TEXT = 40_000
"""Characters of a message."""

NEXT_STEP = (
    "Try again",
    "try again",
    "Edit prompt",
    "/imagine",
    "/invite",
    "Use the buttons",
    "Start over",
    "shorten",
    "Please say",
    "comes to the thread soon",
    "go on with the newer one",
    "share it from the draft",
    "Try it in another channel",
    "mention me with it",
    "upload it",
    "Ask somebody of that workspace",
    "Ask a full member",
    "Ask whoever runs me",
)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_failure_says_what_to_do_next(kind: FailureKind) -> None:
    said = words.failure_words(kind)
    assert any(step in said for step in NEXT_STEP), said
    assert "{" not in said


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_sends_to_the_button_that_helps(kind: FailureKind) -> None:
    said = words.failure_words(kind)
    assert ("Edit prompt" in said) is (kind in OFFERS_EDIT)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("plain", [True, False])
def test_every_refusal_says_what_to_do_next(reason: Reason, plain: bool) -> None:
    said = words.refusal_words(Refusal(reason, "U1"), plain=plain)
    assert any(step in said for step in NEXT_STEP), said
    assert "{" not in said
    if plain:
        assert "<@" not in said
        assert "`" not in said


def test_a_stranger_is_told_who_decides() -> None:
    refusal = Refusal(Reason.NOT_ALLOWED, "U1")
    assert "only <@U1> can" in words.refusal_words(refusal)
    assert "only its owner can" in words.refusal_words(refusal, plain=True)


def test_a_picture_that_will_not_do_is_told_what_would() -> None:
    for reason in (Reason.IMAGE_TYPE, Reason.NO_IMAGE_THERE):
        said = words.refusal_words(Refusal(reason)).lower()
        assert all(kind.removeprefix("image/") in said for kind in ACCEPTED)
    assert "20 MB" in words.refusal_words(Refusal(Reason.IMAGE_TOO_LARGE))
    assert "50 megapixels" in words.refusal_words(Refusal(Reason.IMAGE_TOO_MANY_PIXELS))
    assert "50 megapixels" in words.failure_words(FailureKind.SOURCE_TOO_LARGE)
    assert "Invite me" in words.refusal_words(Refusal(Reason.IMAGE_NOT_SHARED))


def test_an_outage_asks_to_try_again() -> None:
    for said in (words.STORE_AWAY, words.CLICK_LOST, words.SOMETHING_BROKE):
        assert "try" in said.lower()
        assert "in a minute" in said


def test_a_model_that_refuses_is_quoted_without_its_markup() -> None:
    said = words.failure_words(FailureKind.DECLINED, said="I <!here> can't.\nSorry & bye")
    assert said.endswith("\n>I &lt;!here&gt; can't.\n>Sorry &amp; bye")
    assert pings_in_text(said) == []


@pytest.mark.parametrize("said", ["&" * 5_000, "<\n" * 5_000, "x" * 5_000, "\n" * 5_000])
def test_a_long_refusal_fits_into_a_message(said: str) -> None:
    longest = max(len(words.failure_words(kind, said=said)) for kind in FailureKind)
    assert longest < 2_900


def test_the_bot_is_named_where_it_has_to_be_invited() -> None:
    assert "/invite @imagine" in words.failure_words(FailureKind.NOT_IN_CHANNEL, bot_name="imagine")
    assert "/invite @imagine" in words.failure_words(FailureKind.NOT_IN_CHANNEL)


HELPED = (
    "/imagine",
    "Approve",
    "Regenerate",
    "Refine",
    "Edit prompt",
    "Use this one",
    "Cancel",
    "Try again",
    "Start over",
    "Direct this image",
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
    assert word in words.help_words()


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
    answer = words.refusal_words(refused(typed))
    assert said in answer
    assert answer.endswith(f"```/imagine {typed}```")


def test_only_the_qualities_that_the_model_has_are_named() -> None:
    answer = words.refusal_words(
        refused("a fox --quality max", OPTIONS.limited_to(quality=("auto", "low")))
    )
    assert "takes `auto` or `low`." in answer


def test_what_was_said_without_the_command_is_repeated_without_it() -> None:
    answer = words.refusal_words(refused("a fox --n 9"), command=False)
    assert answer.endswith("```a fox --n 9```")


def test_a_form_still_has_what_was_typed() -> None:
    answer = words.refusal_words(refused("a & fox --n <9>"), plain=True)
    assert answer == "--n <9> is not possible. --n takes a number from 1 to 4."


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize("flag", ["--n 9", "--frobnicate", "--size “<!channel> `x`”"])
def test_what_is_repeated_fits_and_makes_no_markup(prompt: str, flag: str) -> None:
    for typed in (f"{prompt} {flag}", f"{flag} {prompt}"):
        answer = words.refusal_words(refused(typed))
        assert pings_in_text(answer) == []
        assert len(answer) <= MOST_TEXT


def test_a_prompt_of_any_length_is_repeated_whole() -> None:
    typed = "x" * 32_000 + " --n 9"
    assert words.refusal_words(refused(typed)).endswith(f"{typed}```")


def test_what_would_break_out_of_a_code_block_stands_without_one() -> None:
    typed = "```one``` --n 9"
    assert words.refusal_words(refused(typed)).endswith(f"\n/imagine {typed}")


def test_an_option_refused_by_a_select_repeats_nothing() -> None:
    assert "```" not in words.refusal_words(OptionRefused("--n", "9"))


def test_who_has_nothing_in_progress_is_told_what_to_type() -> None:
    assert "Type `/imagine a robot eating pizza on Mars`" in words.list_words([], 0, URL)


def test_the_list_links_each_session_and_says_how_it_stands() -> None:
    sessions = [generating(), refined(generating(3), ImageRef(2))]
    assert words.list_words(sessions, 2, URL).splitlines() == [
        "*In progress: 2*",
        f"• <{LINK}|{PROMPT}> · ⏳ Queued",
        f"• <{LINK}|{PROMPT}> · ⏳ Queued, attempt 3 from 2",
    ]


def test_a_list_that_is_cut_says_where_the_others_are() -> None:
    said = words.list_words([generating()], 8, URL)
    assert "*In progress: 8*" in said
    assert "My Home tab has the other 7 too." in said


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_a_prompt_in_a_list_makes_no_markup(prompt: str) -> None:
    session = with_prompt(generating(), prompt)
    said = words.list_words([session] * 10, 300, URL)
    assert len(said) < 8_000
    assert len(said.splitlines()) == 12
    assert all(ping.startswith(f"<{LINK}|") for ping in pings_in_text(said))
    assert pings_in_text(words.cancelled_words(session, 2)) == []


def test_a_cancellation_names_what_was_stopped_and_what_goes_on() -> None:
    session = generating()
    assert words.cancelled_words(session, 0) == f"🚫 Cancelled: “{PROMPT}”."
    assert "One other of yours goes on" in words.cancelled_words(session, 1)
    assert "3 others of yours go on" in words.cancelled_words(session, 3)
    hostile = with_prompt(session, HOSTILE)
    assert "&lt;!channel&gt;" in words.cancelled_words(hostile, 0)


def test_a_mention_with_nothing_in_it_is_told_what_to_say() -> None:
    assert "Tell me what the image should show" in words.EMPTY_MENTION
