"""Amounts of money in words."""

from __future__ import annotations

import pytest

from bot.views.money import dollars, rounded_down, rounded_up


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


@pytest.mark.parametrize(
    ("micro", "down", "up"),
    [
        (0, "$0.00", "$0.00"),
        (999, "$0.000999", "$0.000999"),
        (1_001, "$0.001", "$0.002"),
        (14_000, "$0.014", "$0.014"),
        (999_999, "$0.999", "$1.00"),
        (3_101_000, "$3.10", "$3.11"),
    ],
)
def test_what_is_left_is_rounded_down_and_what_it_costs_up(micro: int, down: str, up: str) -> None:
    assert (rounded_down(micro), rounded_up(micro)) == (down, up)
