"""The limits that admins set, and which of several counts."""

from __future__ import annotations

import pytest

from bot.domain.limit_settings import (
    WORKSPACE,
    ChosenLimit,
    LimitKind,
    Scope,
    ScopeKind,
    limit_in_force,
    limit_words,
    micro_dollars,
    parse_budget,
    parse_limit,
    typed_limit,
)

IMAGES, BUDGET = LimitKind.USER_IMAGES_PER_DAY, LimitKind.USER_BUDGET_PER_MONTH
CHANNEL = LimitKind.CHANNEL_BUDGET_PER_MONTH
ALICE, GENERAL = Scope(ScopeKind.USER, "U1"), Scope(ScopeKind.CHANNEL, "C1")
OPERATOR = {IMAGES: 100, CHANNEL: 5_000_000}


def set_to(value: int) -> ChosenLimit:
    return ChosenLimit(value, "UADMIN", 1.0)


def test_the_narrowest_scope_counts_and_0_sets_no_limit() -> None:
    chosen = {(WORKSPACE, IMAGES): set_to(50), (ALICE, IMAGES): set_to(0)}
    hers = limit_in_force(IMAGES, chosen, OPERATOR, user="U1", channel="C1")
    assert (hers.value, hers.scope, hers.by) == (0, ALICE, "UADMIN")
    others = limit_in_force(IMAGES, chosen, OPERATOR, user="U2", channel="C1")
    assert (others.value, others.scope) == (50, WORKSPACE)


def test_without_any_the_operators_counts_and_without_that_there_is_none() -> None:
    assert limit_in_force(IMAGES, {}, OPERATOR, user="U1") == (100, None, "")
    assert limit_in_force(BUDGET, {}, OPERATOR, user="U1") == (0, None, "")


def test_a_channels_budget_is_its_own() -> None:
    chosen = {(GENERAL, CHANNEL): set_to(7)}
    assert limit_in_force(CHANNEL, chosen, OPERATOR, channel="C1").value == 7
    assert limit_in_force(CHANNEL, chosen, OPERATOR, channel="C2").value == 5_000_000
    assert limit_in_force(CHANNEL, chosen, OPERATOR).value == 5_000_000


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (IMAGES, "25", 25),
        (IMAGES, " 25 ", 25),
        (IMAGES, "0", 0),
        (IMAGES, "25.0", 25),
        (BUDGET, "0.125", 125_000),
        (BUDGET, "1.1250", 1_125_000),
        (BUDGET, "1000.50", 1_000_500_000),
        (IMAGES, "25.00", 25),
        (IMAGES, "25,0", 25),
        (IMAGES, "", None),
        (IMAGES, "  ", None),
        (BUDGET, "12.50", 12_500_000),
        (BUDGET, "$12.5", 12_500_000),
        (BUDGET, "12,5", 12_500_000),
        (BUDGET, "0.000001", 1),
        (BUDGET, "0", 0),
        (BUDGET, "1000000", 1_000_000_000_000),
    ],
)
def test_a_number_is_read(kind: LimitKind, typed: str, value: int | None) -> None:
    assert parse_limit(kind, typed) == value
    if value is not None:
        assert parse_limit(kind, typed_limit(kind, value)) == value


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        *((kind, typed) for kind in (IMAGES, BUDGET) for typed in ("x", "-1", "1e3", "1 2", "٣x")),
        *(
            (kind, typed)
            for kind in (IMAGES, BUDGET)
            for typed in ("$", " $ ", "$$5", "ten", "10 $")
        ),
        (IMAGES, "1.5"),
        *((kind, typed) for kind in (IMAGES, BUDGET) for typed in ("1,000", "1.000", "25,000")),
        (IMAGES, "100001"),
        (BUDGET, "1000001"),
        (BUDGET, "1.0000001"),
        (BUDGET, "nan"),
    ],
)
def test_what_is_no_number_is_refused_with_what_may_be_typed(kind: LimitKind, typed: str) -> None:
    with pytest.raises(ValueError, match=r"^Type .+ leave it empty\.$"):
        parse_limit(kind, typed)


def test_values_in_words() -> None:
    assert limit_words(IMAGES, 1) == "1 image"
    assert limit_words(IMAGES, 100) == "100 images"
    assert limit_words(BUDGET, 12_500_000) == "$12.50"
    assert limit_words(IMAGES, 100_000) == "100,000 images"
    assert limit_words(BUDGET, 1_234_500_000) == "$1,234.50"
    assert limit_words(BUDGET, 1_000) == "$0.001"
    assert limit_words(BUDGET, 0) == "no limit"


def test_a_budget_is_whole_micro_dollars_and_0_only_where_it_says_so() -> None:
    assert micro_dollars(parse_budget(" 12.50 ")) == 12_500_000
    assert micro_dollars(parse_budget("0.000001")) == 1
    assert micro_dollars(parse_budget(None)) == 0
    for none in ("0", "0.0", "0.0000000", " 0 ", 0, 0.0, "-0", "0e9"):
        assert micro_dollars(parse_budget(none)) == 0
    for wrong in ("-1", "0.0000001", "nan", "1e400", "much"):
        with pytest.raises(ValueError, match="dollars above 0"):
            parse_budget(wrong)
