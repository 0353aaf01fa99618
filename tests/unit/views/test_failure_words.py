"""What the bot says about an attempt that brought no image."""

from __future__ import annotations

import pytest

from bot.domain.failures import FAILS_AGAIN, RETRYABLE, FailureKind
from bot.sandbox.workspace.markup import pings_in_text
from bot.views.failure_words import failure_words
from tests.unit.views.samples import NEXT_STEP

OFFERS_EDIT = FAILS_AGAIN | {FailureKind.NO_IMAGE, FailureKind.BAD_REQUEST}
"""The failures whose words name Edit prompt: another prompt or other options may get past them."""


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_failure_says_what_to_do_next(kind: FailureKind) -> None:
    said = failure_words(kind)
    assert any(step in said for step in NEXT_STEP), said
    assert "{" not in said


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_sends_to_the_button_that_helps(kind: FailureKind) -> None:
    said = failure_words(kind)
    assert ("Edit prompt" in said) is (kind in OFFERS_EDIT)
    if kind in FAILS_AGAIN:
        assert "Try again" not in said, "it stands there only where it can help"


def test_a_model_that_refuses_is_quoted_without_its_markup() -> None:
    said = failure_words(FailureKind.DECLINED, said="I <!here> can't.\nSorry & bye")
    assert said.endswith("\n>I &lt;!here&gt; can't.\n>Sorry &amp; bye")
    assert pings_in_text(said) == []


@pytest.mark.parametrize("said", ["&" * 5_000, "<\n" * 5_000, "x" * 5_000, "\n" * 5_000])
def test_a_long_refusal_fits_into_a_message(said: str) -> None:
    longest = max(len(failure_words(kind, said=said)) for kind in FailureKind)
    assert longest < 2_900


def test_the_bot_is_named_where_it_has_to_be_invited() -> None:
    assert "/invite @imagine" in failure_words(FailureKind.NOT_IN_CHANNEL, bot_name="imagine")
    assert "/invite @imagine" in failure_words(FailureKind.NOT_IN_CHANNEL)


def test_a_picture_that_is_too_large_is_told_in_which_way_and_how_large_it_may_be() -> None:
    bytes_, pixels = FailureKind.SOURCE_TOO_LARGE, FailureKind.SOURCE_TOO_MANY_PIXELS
    assert "50 megapixels (25 for WebP, 36 for AVIF)" in failure_words(pixels)
    assert "megapixels" not in failure_words(bytes_)


OPERATORS = [
    FailureKind.QUOTA,
    FailureKind.BAD_KEY,
    FailureKind.UNVERIFIED,
    FailureKind.MODEL_UNAVAILABLE,
    FailureKind.WRONG_ROUTE,
    FailureKind.COUNTRY_REFUSED,
    FailureKind.NO_ACCESS,
    FailureKind.BLOCKED,
]


@pytest.mark.parametrize("kind", OPERATORS)
def test_what_the_operator_has_to_mend_says_so_first(kind: FailureKind) -> None:
    assert failure_words(kind).startswith("Ask whoever runs this bot")
    assert kind not in OFFERS_EDIT | RETRYABLE


@pytest.mark.parametrize(
    ("details", "words"),
    [
        (("violence",), "violence."),
        (("sexual/minors",), "sexual content about minors."),
        (("self_harm", "hate"), "self-harm and hatred of a group of people."),
        (("SelfHarm", "Hate", "selfHarm"), "self-harm and hatred of a group of people."),
        (("illicit/violent", "violence/graphic", "hate"), "help with violence or weapons, graphic"),
        (("brand_safety",), "brand safety."),
        (("<!channel> & co",), "&lt;!channel&gt; &amp; co."),
    ],
)
def test_a_moderation_names_its_categories_in_plain_words(
    details: tuple[str, ...], words: str
) -> None:
    said = failure_words(FailureKind.MODERATION, details=details)
    assert f"What it named: {words}" in said
    assert pings_in_text(said) == []


def test_the_options_that_are_not_taken_are_named() -> None:
    details = ("size 1536×864", "quality high")
    said = failure_words(FailureKind.BAD_REQUEST, details=details)
    assert "size 1536×864 and quality high" in said
    assert "Edit prompt" in said
    assert failure_words(FailureKind.TIMED_OUT, details=details) == failure_words(
        FailureKind.TIMED_OUT
    )
