"""A seed is a plan."""

from __future__ import annotations

import pytest

from tests.programs.chaos.plan import make_plan


def test_the_same_seed_gives_the_same_plan() -> None:
    assert make_plan(7, 50, 60.0, "http") == make_plan(7, 50, 60.0, "http")


def test_another_seed_gives_another_plan() -> None:
    assert make_plan(7, 50, 60.0, "http").faults != make_plan(8, 50, 60.0, "http").faults


@pytest.mark.parametrize("seed", range(20))
def test_even_a_short_run_has_kills_a_restart_and_cuts(seed: int) -> None:
    plan = make_plan(seed, 16, 24.0, "socket")

    kinds = {fault.what.removesuffix(" term") for fault in plan.faults}
    assert {"kill", "restart redis", "cut", "step"} <= kinds
    assert {"web", "worker"} == {f.target[:-1] for f in plan.faults if f.what == "kill"}


def test_every_visit_has_a_word_of_its_own() -> None:
    words = [visit.word for visit in make_plan(7, 300, 900.0, "socket").visits]

    assert len(set(words)) == 300
