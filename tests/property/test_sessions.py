"""Domain and store hold what they promise in any order of events, on a real Valkey."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from bot.adapters.embedded_redis import EmbeddedRedis
from bot.domain.stages import TRANSITIONS, Event, Stage
from tests.property.driving import Driver
from tests.property.machine import NEWEST, STEPS_TO_REVIEW, SessionMachine
from tests.support.hypotheses import TIMEOUT, examples

pytestmark = pytest.mark.timeout(TIMEOUT)

REVIEWED = STEPS_TO_REVIEW
WALKS: dict[str, list[tuple[int, str]]] = {
    "to the end": [(REVIEWED, "regenerate"), (REVIEWED, "refine"), (REVIEWED, "approve")],
    "stopped": [(2, "cancel"), (1, "try again"), (REVIEWED, "edit"), (2, "cancel")],
    "failed": [(2, "failed"), (0, "edit"), (REVIEWED, "use earlier")],
}


def test_whatever_happens_to_a_session_is_lawful(redis_server: EmbeddedRedis) -> None:
    Driver.reached.clear()

    def machine() -> SessionMachine:
        return SessionMachine(redis_server.url)

    run_state_machine_as_test(machine, settings=settings(max_examples=examples(0.5)))  # type: ignore[arg-type]
    met = {"stranger", "created", "recorded", "generating generated", "refused: moved_on"}
    assert met <= Driver.reached.keys()


def test_the_machine_can_go_every_way_of_the_table(redis_server: EmbeddedRedis) -> None:
    Driver.reached.clear()
    for walk in WALKS.values():
        machine = SessionMachine(redis_server.url)
        machine.begin(walk, REVIEWED)
        machine.start_over(1, 0, "owner")
        machine.all_of_it_is_lawful()
        machine.teardown()
    pairs = {f"{stage} {event}" for stage, events in TRANSITIONS.items() for event in events}
    assert pairs <= Driver.reached.keys()


def test_a_stranger_who_started_over_is_no_stranger_there(redis_server: EmbeddedRedis) -> None:
    """The session is theirs, and another stranger is refused in it."""
    Driver.reached.clear()
    machine = SessionMachine(redis_server.url)
    machine.begin([(REVIEWED, "approve")], 0)
    machine.start_over(0, 0, "stranger")
    machine.submit_form(0, 1, "stranger")
    machine.decide(0, 1, "cancel", NEWEST, "owner", "E1")
    machine.all_of_it_is_lawful()
    machine.teardown()
    assert Driver.reached["stranger"] == 1
    assert Driver.reached[f"{Stage.GENERATING} {Event.CANCEL}"] == 1


def test_what_failed_with_its_image_made_is_delivered_again(redis_server: EmbeddedRedis) -> None:
    machine = SessionMachine(redis_server.url)
    machine.begin([(3, "failed")], 0)
    machine.decide(0, 0, "try again", NEWEST, "owner", "E1")
    machine.all_of_it_is_lawful()
    machine.work(0, 0, REVIEWED)
    machine.decide(0, 0, "approve", NEWEST, "owner", "E2")
    machine.all_of_it_is_lawful()
    machine.teardown()


@pytest.mark.parametrize("who", ["first", "second"])
def test_of_two_that_decided_at_once_one_is_refused(redis_server: EmbeddedRedis, who: str) -> None:
    """As the machine holds them: both have loaded the same version."""
    Driver.reached.clear()
    machine = SessionMachine(redis_server.url)
    machine.begin([], REVIEWED)
    machine.decide_slowly(1, 0, "approve", NEWEST, "owner", "E1")
    machine.decide_slowly(2, 0, "regenerate", NEWEST, "owner", "E2")
    machine.let_go(0 if who == "first" else 1)
    machine.let_go(0)
    machine.all_of_it_is_lawful()
    machine.teardown()
    won = Event.APPROVE if who == "first" else Event.REGENERATE
    assert Driver.reached[f"{Stage.USER_FEEDBACK} {won}"] == 1
    assert sum(n for what, n in Driver.reached.items() if what.startswith("refused")) == 1
