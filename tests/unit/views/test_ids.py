"""The opaque values of buttons and forms."""

from __future__ import annotations

import pytest

from bot.views import ids
from bot.views.ids import Target, parse_target


@pytest.mark.parametrize(
    "target",
    [
        Target("T1.U1.abc123", 1),
        Target("T1.U1.abc123", 1, 4),
        Target("T0SANDBOX1.U0ALICE000.0f", 0),
        Target("T.W.9", 9999),
    ],
)
def test_a_value_comes_back_as_it_was(target: Target) -> None:
    assert parse_target(str(target)) == target


@pytest.mark.parametrize(
    "invented",
    [
        "",
        "1",
        "approve",
        "T1.U1.abc123",
        "T1.U1.abc123#",
        "T1.U1.abc123#-1",
        "T1.U1.abc123#12345",
        "T1.U1.abc123#1.5",
        "T1.U1.abc123#1.0",
        "T1.U1.abc123#1.",
        "T1.U1.abc123#1 ",
        "T1.U1.abc123#1\n",
        "T1.U1.abc123#١",
        " T1.U1.abc123#1",
        "T1.U1.ABC#1",
        "T1.U1.abc:generated_image#1",
        "T1.U1.{x}#1",
        "T1.U1#1",
        "T1..abc#1",
        "T1.U1.a.b#1",
        "*.*.*#1",
        "x" * 2000,
    ],
)
def test_a_value_that_is_not_ours_is_none(invented: str) -> None:
    assert parse_target(invented) is None


@pytest.mark.parametrize("candidate", [1, 2, 3, 4])
def test_the_pattern_of_an_action_matches_every_candidate(candidate: int) -> None:
    action_id = ids.numbered(ids.REFINE, candidate)
    assert ids.pattern(ids.REFINE).search(action_id)
    assert not ids.pattern(ids.APPROVE).search(action_id)


@pytest.mark.parametrize(
    "invented", ["refine_1", "refine_5", "refine_form", "my_refine", "refine_22"]
)
def test_the_pattern_of_an_action_matches_nothing_else(invented: str) -> None:
    assert not ids.pattern(ids.REFINE).search(invented)


@pytest.mark.parametrize("invented", ["home_page", "home_page_next", "home_page_working_next_2"])
def test_the_pattern_of_the_pages_matches_nothing_else(invented: str) -> None:
    assert not ids.HOME_PAGE_PATTERN.search(invented)
