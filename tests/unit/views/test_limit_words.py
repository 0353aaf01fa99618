"""What a person is told where a limit is reached."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.limits import LimitReached, Quota, RefusedAttempt, Standing
from bot.domain.options import Options
from bot.views.limit_words import nearly_used_words
from bot.views.refusal_words import refusal_words
from tests.fakes import generating

AT = 1_764_374_400.0  # 2025-11-29, 00:00 UTC


def refused(quota: Quota, used: int, limit: int, each: int, asked: int = 4) -> LimitReached:
    standing = Standing(quota, used, limit, AT, each, lowest=4_000, channel="C1")
    fitting = min(asked - 1, standing.left // each)
    lowest = min(asked, standing.left // 4_000) if quota is not Quota.USER_IMAGES else 0
    return LimitReached(standing, asked, fitting, "a fox & a hen", lowest)


IMAGES = refused(Quota.USER_IMAGES, 98, 100, 1)
BUDGETS = [
    refused(quota, 9_970_000, 10_000_000, 13_000)
    for quota in (Quota.USER, Quota.CHANNEL, Quota.WORKSPACE)
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
    refusal = refused(Quota.USER, 10_000_000 - left, 10_000_000, cost, asked=1)
    assert told in refusal_words(refusal)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a fox", "This is what you asked for (high · 4 images):\n```a fox```"),
        ("a fox --n 4 --quality high", "This is what you asked for:\n```a fox --n 4"),
    ],
)
def test_options_that_were_not_typed_with_the_words_are_told_beside_them(
    text: str, told: str
) -> None:
    session = generating()
    attempt = replace(session.latest, prompt="a fox", options=Options(count=4, quality="high"))
    refusal = LimitReached(IMAGES.standing, 4, 2, text, wanted=RefusedAttempt(session, attempt))
    assert told in refusal_words(refusal, command=False)


def test_a_form_shows_no_markup_and_keeps_what_was_typed_itself() -> None:
    words = refusal_words(IMAGES, plain=True)
    assert "anew on 2025-11-29 at 00:00 UTC." in words
    assert not set("`<>") & set(words)
    assert words.endswith("you can ask for 2 images.")
    assert "a fox" not in words


@pytest.mark.parametrize(
    ("left", "lowest", "smallest", "advice"),
    [
        (10_000, 13_000, 7_000, "you can choose a smaller size."),
        (10_000, 4_000, 13_000, "you can choose a lower quality."),
        (10_000, 4_000, 7_000, "you can choose a lower quality or a smaller size."),
        (5_000, 4_000, 7_000, "you can choose a lower quality."),
        (3_999, 4_000, 7_000, ""),
        (10_000, 13_000, 13_000, ""),
        (10_000, 0, 0, ""),
        (0, 4_000, 7_000, ""),
    ],
)
def test_a_lower_quality_or_a_smaller_size_is_advised_only_where_it_fits(
    left: int, lowest: int, smallest: int, advice: str
) -> None:
    limit = 10_000_000
    standing = Standing(Quota.USER, limit - left, limit, AT, 13_000, lowest, smallest)
    fits = int(0 < lowest <= left)
    words = refusal_words(LimitReached(standing, 1, 0, "a fox", fits))
    assert advice in words
    assert ("Until then" in words) == bool(advice)


def test_the_admins_who_can_raise_it_are_named_where_slack_shows_names() -> None:
    named = frozenset({"UD", "UC", "UB", "UA"})
    refusal = LimitReached(IMAGES.standing, 4, 2, "a fox", admins=named)
    assert "An admin, such as <@UA> or <@UB> or <@UC>, can raise it" in refusal_words(refusal)
    assert "An admin can raise it" in refusal_words(refusal, plain=True)


def test_the_budget_of_a_channel_is_told_by_its_name_wherever_the_words_come() -> None:
    refusal = BUDGETS[1]
    assert refusal_words(refusal).startswith("The budget of <#C1> is $10.00 a month")
    assert refusal_words(refusal, plain=True).startswith("The budget of this channel is")
    notice = nearly_used_words(refusal.standing)
    assert notice.startswith("The budget of <#C1> is $10.00 a month: $0.030 is left.")


@pytest.mark.parametrize("plain", [True, False])
def test_a_direct_conversation_is_no_channel(plain: bool) -> None:
    standing = BUDGETS[1].standing._replace(channel="")
    refusal = LimitReached(standing, 4, 0, "a fox")
    told = [refusal_words(refusal, plain=plain), nearly_used_words(standing)]
    assert all(words.startswith("The budget of this conversation is") for words in told)
    assert "channel" not in " ".join(told)


def test_nothing_is_offered_that_would_not_fit() -> None:
    words = refusal_words(refused(Quota.USER_IMAGES, 120, 100, 1))
    assert "none is left" in words
    assert "--n" not in words
    assert "Until then" not in words
    refusal = refused(Quota.USER_IMAGES, 120, 100, 1)
    refusal.waiting = (generating(),)
    assert "cancel one that is being made (`/imagine cancel`)" in refusal_words(refusal)
