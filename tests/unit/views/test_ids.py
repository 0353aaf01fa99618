"""The names by which what is clicked comes back."""

from __future__ import annotations

import pytest

from bot.views import ids
from bot.views.blocks import numbered


@pytest.mark.parametrize("candidate", [1, 2, 3, 4])
def test_the_pattern_of_an_action_matches_every_candidate(candidate: int) -> None:
    action_id = numbered(ids.REFINE, candidate)
    assert ids.ACTIONS[ids.REFINE].search(action_id)
    assert not ids.ACTIONS[ids.APPROVE].search(action_id)


@pytest.mark.parametrize(
    "invented", ["refine_1", "refine_5", "refine_form", "my_refine", "refine_22"]
)
def test_the_pattern_of_an_action_matches_nothing_else(invented: str) -> None:
    assert not ids.ACTIONS[ids.REFINE].search(invented)


@pytest.mark.parametrize("invented", ["home_page", "home_page_next", "home_page_working_next_2"])
def test_the_pattern_of_the_pages_matches_nothing_else(invented: str) -> None:
    assert not ids.ACTIONS[ids.HOME_PAGE].search(invented)
