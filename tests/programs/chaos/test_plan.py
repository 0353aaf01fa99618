"""A seed is a plan."""

from __future__ import annotations

import pytest

from tests.programs.chaos.plan import CROWD_AT, make_plan


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


@pytest.mark.parametrize(("sessions", "crowd"), [(10, 4), (40, 16), (300, 20)])
def test_a_crowd_begins_in_one_channel_and_a_worker_is_killed_meanwhile(
    sessions: int, crowd: int
) -> None:
    plan = make_plan(7, sessions, 60.0, "http")

    together = [visit for visit in plan.visits if visit.at == 60.0 * CROWD_AT]
    assert len(together) == crowd
    assert {visit.channel for visit in together} == {0}
    kills = [fault for fault in plan.faults if fault.what == "kill"]
    assert any(0 < fault.at - 60.0 * CROWD_AT < 2 for fault in kills)
    assert [fault.at for fault in plan.faults] == sorted(fault.at for fault in plan.faults)


def test_every_visit_has_a_word_of_its_own() -> None:
    words = [visit.word for visit in make_plan(7, 300, 900.0, "socket").visits]

    assert len(set(words)) == 300
