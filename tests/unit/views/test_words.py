"""What the bot says to people: what happened, and what to do next."""

from __future__ import annotations

import pytest

from bot.domain.errors import OFFERS_EDIT, FailureKind, Reason, Refusal
from bot.sandbox.markup import pings_in_text
from bot.views import words

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


def test_the_help_names_the_command_and_every_button() -> None:
    for word in ("/imagine", "Approve", "Regenerate", "Try again", "Start over", "help"):
        assert word in words.HELP
