from __future__ import annotations

import logging

import pytest

from bot.adapters.openai.extras import OptionalParameter
from bot.adapters.openai.refused_extras import (
    LOOK_EVERY,
    REMEMBERED_FOR,
    RefusedExtras,
    refused_in_words,
    scope_of,
    scopes,
)
from tests.fakes import FakeRefusedSettings


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_what_is_refused_is_asked_for_again_after_a_while() -> None:
    clock = Clock()
    refused = RefusedExtras("s", None, clock)
    await refused.add({OptionalParameter.QUALITY})
    clock.now += REMEMBERED_FOR / 2
    await refused.add({OptionalParameter.QUALITY, OptionalParameter.SIZE})
    assert await refused.load() == {OptionalParameter.QUALITY, OptionalParameter.SIZE}
    clock.now += REMEMBERED_FOR / 2
    assert await refused.load() == {OptionalParameter.SIZE}


async def test_processes_learn_from_one_another_and_one_of_them_logs_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shared, clock = FakeRefusedSettings(), Clock()
    one, other = (RefusedExtras("s", shared, clock) for _ in range(2))
    with caplog.at_level(logging.WARNING):
        await one.add({OptionalParameter.QUALITY})
        await other.add({OptionalParameter.QUALITY})
        await one.add({OptionalParameter.QUALITY})
    assert [record.getMessage() for record in caplog.records] == [
        "the server refuses quality (the server's own): done without for 6 h"
    ]
    third = RefusedExtras("s", shared, clock)
    assert await third.load() == {OptionalParameter.QUALITY}
    assert await RefusedExtras("another", shared, clock).load() == frozenset()


async def test_the_others_are_asked_once_in_a_while() -> None:
    shared, clock = FakeRefusedSettings(), Clock()
    refused = RefusedExtras("s", shared, clock)
    for _ in range(5):
        await refused.load()
    assert shared.loads == 1
    await shared.add("s", ["SIZE", "something newer"], 60)
    clock.now += LOOK_EVERY
    assert await refused.load() == {OptionalParameter.SIZE}
    shared.kept.clear()
    clock.now += LOOK_EVERY
    assert await refused.load() == frozenset()


async def test_a_store_that_is_away_holds_nothing_up() -> None:
    shared = FakeRefusedSettings()
    shared.away = True
    refused = RefusedExtras("s", shared, Clock())
    assert await refused.load() == frozenset()
    await refused.add({OptionalParameter.SIZE})
    assert refused.known == {OptionalParameter.SIZE}


def test_a_scope_is_a_server_a_call_and_models() -> None:
    base = "http://a/v1"
    assert scope_of(base, "edit", "m") == scope_of(f"{base}/", "edit", "m")
    parts = [("http://b/v1", "edit", "m"), (base, "generate", "m"), (base, "edit", "n")]
    assert len({scope_of(*part) for part in [*parts, (base, "edit", "m")]}) == 4
    assert scopes(True, base, "m", "host") == [scope_of(base, "responses", "host", "m")]
    assert scope_of(base, "edit", "m") in scopes(False, base, "m", "host")


def test_names_in_words() -> None:
    assert refused_in_words(["SIZE", "newer", "BACKGROUND"]) == (
        "background and store (a plain call), size (the server's own)"
    )
