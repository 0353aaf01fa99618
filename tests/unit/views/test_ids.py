"""The names by which what is clicked comes back."""

from __future__ import annotations

import pytest

from bot.domain.options import MOST_CANDIDATES
from bot.views import ids
from bot.views.blocks import numbered


@pytest.mark.parametrize("candidate", range(1, MOST_CANDIDATES + 1))
def test_the_pattern_of_an_action_matches_every_candidate(candidate: int) -> None:
    action_id = numbered(ids.REFINE, candidate)
    assert ids.ACTIONS[ids.REFINE].search(action_id)
    assert not ids.ACTIONS[ids.APPROVE].search(action_id)


@pytest.mark.parametrize(
    "invented",
    ["refine_1", f"refine_{MOST_CANDIDATES + 1}", "refine_form", "my_refine", "refine_22"],
)
def test_the_pattern_of_an_action_matches_nothing_else(invented: str) -> None:
    assert not ids.ACTIONS[ids.REFINE].search(invented)


@pytest.mark.parametrize("invented", ["home_page", "home_page_next", "home_page_working_next_2"])
def test_the_pattern_of_the_pages_matches_nothing_else(invented: str) -> None:
    assert not ids.ACTIONS[ids.HOME_PAGE].search(invented)


@pytest.mark.parametrize("name", ["size", "style2", "art-style", "pretend-2", "art_style"])
def test_the_select_of_an_option_is_known_whatever_its_name(name: str) -> None:
    assert ids.ACTIONS[ids.DEFAULT_OPTION].match(f"{ids.DEFAULT_OPTION}_{name}")
