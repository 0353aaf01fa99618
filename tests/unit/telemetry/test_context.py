"""What log lines and spans are about: inherited by tasks, kept apart between them."""

from __future__ import annotations

import asyncio

import pytest

from bot.telemetry.context import fields, log_context, set_log_fields, token_of

ONE, TWO = "T1.U1.aaaa", "T1.U2.bbbb"


def test_nothing_is_known_outside() -> None:
    assert dict(fields()) == {}


def test_a_session_is_told_by_its_token_and_its_owner() -> None:
    with log_context(ONE, attempt=2, candidate=1, job="generate-T1.U1.aaaa-2-0"):
        assert dict(fields()) == {
            "session": "aaaa",
            "owner": "T1.U1",
            "attempt": 2,
            "candidate": 1,
            "job": "generate-T1.U1.aaaa-2-0",
        }
    assert dict(fields()) == {}


def test_what_is_not_named_stays_as_it_was() -> None:
    with log_context(ONE, attempt=2):
        with log_context(candidate=3):
            assert (fields()["attempt"], fields()["candidate"]) == (2, 3)
        assert "candidate" not in fields()


def test_another_session_takes_nothing_over() -> None:
    with log_context(ONE, attempt=2, candidate=1):
        with log_context(TWO):
            assert dict(fields()) == {"session": "bbbb", "owner": "T1.U2"}
        assert fields()["session"] == "aaaa"


def test_turning_to_a_session_lasts_until_the_end_of_the_scope() -> None:
    with log_context():
        set_log_fields(ONE)
        set_log_fields(ONE, attempt=4)
        assert (fields()["session"], fields()["attempt"]) == ("aaaa", 4)
    assert dict(fields()) == {}


def test_an_exception_ends_the_scope_too() -> None:
    with pytest.raises(KeyError), log_context(ONE):
        raise KeyError
    assert dict(fields()) == {}


@pytest.mark.parametrize("odd", ["T1.U1.a\nb c", "T1.U1.\x1b[31m", "T1.U1." + "x" * 5_000, "fox"])
def test_an_id_from_outside_looks_like_an_id(odd: str) -> None:
    with log_context(odd):
        session = str(fields()["session"])
    assert len(session) <= 200
    assert session.replace("?", "").isalnum()


async def test_a_task_inherits_what_its_starter_was_about() -> None:
    async def look() -> dict[str, str | int]:
        await asyncio.sleep(0)
        return dict(fields())

    with log_context(ONE, attempt=1):
        task = asyncio.create_task(look())
    assert (await task)["session"] == "aaaa"
    assert "session" not in fields()


async def test_tasks_side_by_side_do_not_mix() -> None:
    async def work(session_id: str, candidate: int) -> tuple[str | int, str | int]:
        with log_context(session_id, candidate=candidate):
            await asyncio.sleep(0.001 * (candidate % 3))
            return fields()["session"], fields()["candidate"]

    ids = [(session_id, n) for n in range(1, 20) for session_id in (ONE, TWO)]
    found = await asyncio.gather(*(work(*pair) for pair in ids))
    assert found == [(token_of(session_id), n) for session_id, n in ids]
