"""The books say what the provider charged, in any order of events, on a real Valkey."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from bot.adapters.embedded_redis import EmbeddedRedis
from tests.property.books_machine import BooksMachine
from tests.support.hypotheses import TIMEOUT, examples

pytestmark = pytest.mark.timeout(TIMEOUT)


def test_the_books_stand_whatever_happens(redis_server: EmbeddedRedis) -> None:
    BooksMachine.reached.clear()

    def machine() -> BooksMachine:
        return BooksMachine(redis_server.url)

    run_state_machine_as_test(machine, settings=settings(max_examples=examples(0.5)))  # type: ignore[arg-type]
    met = {"LimitReached", "call 2", "told measured", "told estimated", "told free"}
    assert met <= BooksMachine.reached.keys(), BooksMachine.reached
