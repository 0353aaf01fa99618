"""What a person is told where a limit is reached."""

from __future__ import annotations

import pytest

from bot.domain.limits import LimitReached, Scope, Standing
from bot.views.money import dollars
from bot.views.words import refusal_words
from tests.fakes import generating

AT = 1_764_374_400.0  # 2025-11-29, 00:00 UTC


def refused(scope: Scope, used: int, limit: int, each: int, asked: int = 4) -> LimitReached:
    standing = Standing(scope, used, limit, AT, each)
    fitting = min(asked - 1, standing.left // each)
    return LimitReached(standing, asked, fitting, "a fox & a hen")


IMAGES = refused(Scope.USER_IMAGES, 98, 100, 1)
BUDGETS = [
    refused(scope, 9_970_000, 10_000_000, 13_000)
    for scope in (Scope.USER, Scope.CHANNEL, Scope.WORKSPACE)
]


def test_images_of_a_day() -> None:
    words = refusal_words(IMAGES)
    assert "100 images a day: 2 are left, and this would be 4 images" in words
    assert "`--n 2`" in words
    assert f"<!date^{int(AT)}^{{date_short_pretty}} at {{time}}|2025-11-29 at 00:00 UTC>" in words
    assert "An admin can raise it with `/imagine settings`." in words
    assert "```/imagine a fox &amp; a hen```" in words


@pytest.mark.parametrize("refusal", BUDGETS)
def test_budgets_of_a_month(refusal: LimitReached) -> None:
    words = refusal_words(refusal)
    assert "$10.00 a month: $0.030 is left, and this may cost $0.052" in words
    assert "An admin can raise it with `/imagine settings`." in words
    assert "lower quality" in words


@pytest.mark.parametrize(
    ("left", "cost", "told"),
    [
        (14_200, 14_446, "$0.014 is left, and this may cost $0.015"),
        (14_000, 14_001, "$0.014 is left, and this may cost $0.015"),
        (1_001, 1_002, "$0.001 is left, and this may cost $0.002"),
        (999, 1_000, "$0.000999 is left, and this may cost $0.001"),
        (999_999, 1_000_000, "$0.999 is left, and this may cost $1.00"),
        (999_500, 999_501, "$0.999 is left, and this may cost $1.00"),
        (3_101_000, 3_102_000, "$3.10 is left, and this may cost $3.11"),
        (0, 13_000, "$0.00 is left, and this may cost $0.013"),
    ],
)
def test_what_is_left_never_looks_like_enough(left: int, cost: int, told: str) -> None:
    refusal = refused(Scope.USER, 10_000_000 - left, 10_000_000, cost, asked=1)
    assert told in refusal_words(refusal)


def test_a_form_shows_no_markup_and_keeps_what_was_typed_itself() -> None:
    words = refusal_words(IMAGES, plain=True)
    assert "anew on 2025-11-29 at 00:00 UTC." in words
    assert not set("`<>") & set(words)
    assert words.endswith("you can ask for 2 images.")
    assert "a fox" not in words


def test_a_lower_quality_is_advised_only_where_it_costs_less() -> None:
    standing = Standing(Scope.USER, 9_990_000, 10_000_000, AT, each=13_000, lowest=13_000)
    words = refusal_words(LimitReached(standing, 1, 0, "a fox"))
    assert "you can choose a smaller size." in words
    words = refusal_words(LimitReached(standing._replace(used=10_000_000), 1, 0, "a fox"))
    assert "Until then" not in words


def test_nothing_is_offered_that_would_not_fit() -> None:
    words = refusal_words(refused(Scope.USER_IMAGES, 120, 100, 1))
    assert "none is left" in words
    assert "--n" not in words
    assert "Until then" not in words
    refusal = refused(Scope.USER_IMAGES, 120, 100, 1)
    refusal.waiting = (generating(),)
    assert "cancel one that is being made (`/imagine cancel`)" in refusal_words(refusal)


@pytest.mark.parametrize(
    ("micro", "words"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (400, "$0.0004"),
        (999, "$0.000999"),
        (1_000, "$0.001"),
        (13_000, "$0.013"),
        (999_499, "$0.999"),
        (999_500, "$1.00"),
        (999_999, "$1.00"),
        (1_500_000, "$1.50"),
        (1_000_000_000_000, "$1,000,000.00"),
    ],
)
def test_amounts(micro: int, words: str) -> None:
    assert dollars(micro) == words
