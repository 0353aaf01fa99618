"""What the store has by user and by thread: lists, threads, and default options."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from bot.adapters.redis import RedisSessionStore
from bot.adapters.redis.schema import (
    defaults_key,
    question_key,
    session_key,
    thread_key,
)
from bot.adapters.redis.store import DEFAULTS_TTL
from bot.domain import begin, generation, transitions
from bot.domain.attempt import ImageRef, Source
from bot.domain.failures import FailureKind
from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.policy import Person
from bot.domain.questions import PictureQuestion, RefusedRequest
from bot.domain.refusals import Refusal
from bot.domain.session import IN_PROGRESS, Session
from bot.domain.stages import Stage
from bot.ports import QUESTION_TTL, SessionSummary
from tests.fakes import CHANNEL, ID, OWNER, PROMPT, a_session, generating

Result = TypeVar("Result")
SESSION_TTL = 600
NEW = a_session(Stage.INITIAL_INPUT)


@pytest.fixture
async def store(redis: Any) -> RedisSessionStore:
    return RedisSessionStore(redis, session_ttl=SESSION_TTL, image_ttl=60, patience=5.0)


async def kept(store: RedisSessionStore, session: Session, name: str, **changes: Any) -> Session:
    return await store.create(replace(session, id=f"T1.U1.{name}", **changes), write_id=name)


async def in_thread(store: RedisSessionStore, thread_ts: str = "1.0") -> str | None:
    there = await store.in_thread("T1", CHANNEL, thread_ts)
    return there[0] if there else None


# lists


EVERY_KIND: dict[str, Session] = {
    "new": NEW,
    "with_a_picture": replace(NEW, source=Source("F7")),
    "first_attempt": generating(),
    "third_attempt": generating(3),
    "draft": a_session(),
    "failed": generation.attempt_failed(generating(), 1, FailureKind.QUOTA, "w", "7.0", 1.0),
    "failed_later": generation.attempt_failed(generating(2), 2, FailureKind.QUOTA, "w", "7.0", 1.0),
    "cancelled": transitions.cancel(generating(), 1, "w", 1.0),
    "cancelled_later": transitions.cancel(generating(2), 2, "w", 1.0),
    "refined": begin.refine(a_session(), ImageRef(1), "night", 1.0),
    "from_a_picture": begin.submit(NEW, "a hat", 1.0, source=Source("F7")),
    "approved": a_session(Stage.FINAL),
    "published": a_session(Stage.FINAL, final_ts="9.0"),
}


async def test_the_entries_say_of_each_session_what_it_says_itself(
    store: RedisSessionStore,
) -> None:
    for name, session in EVERY_KIND.items():
        await kept(store, session, name)
    entries = await store.summaries_of("T1", "U1")
    assert {entry.session_id.split(".")[2]: entry[1:] for entry in entries} == {
        name: (session.stage, session.stage in IN_PROGRESS) for name, session in EVERY_KIND.items()
    }


async def test_entries_come_newest_first_and_without_the_expired_ones(
    store: RedisSessionStore, redis: Any
) -> None:
    for name in "abc":
        await kept(store, generating(), name)
    await store.create(replace(generating(), id="T1.U2.d", user="U2"))
    await redis.delete(session_key("T1.U1.b"))
    await store.update("T1.U1.a", lambda s: replace(s, final_ts="5.5"))
    assert await store.summaries_of("T1", "U1") == [
        SessionSummary("T1.U1.a", Stage.GENERATING, True),
        SessionSummary("T1.U1.c", Stage.GENERATING, True),
    ]
    assert await store.summaries_of("T9", "U9") == []


async def test_many_sessions_come_in_the_order_asked_for_without_the_expired_ones(
    store: RedisSessionStore,
) -> None:
    sessions = [await kept(store, a_session(), name) for name in "abc"]
    wanted = ["T1.U1.c", "T1.U1.nothere", "T1.U1.a"]
    assert await store.load_many(wanted) == [sessions[2], sessions[0]]
    assert await store.load_many([]) == []
    await store.update(wanted[0], lambda s: replace(s, final_ts="5.5"))
    assert await store.versions(wanted) == [2, 0, 1]
    assert await store.versions([]) == []


async def test_a_session_of_a_newer_version_does_not_hide_the_others(
    store: RedisSessionStore, redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "ab":
        await kept(store, generating(), name, task_input="a secret wish")
    await redis.hset(session_key("T1.U1.b"), mapping={"schema": "99", "stage": "later"})
    assert [entry.session_id for entry in await store.summaries_of("T1", "U1")] == ["T1.U1.a"]
    assert [s.id for s in await store.load_many(["T1.U1.b", "T1.U1.a"])] == ["T1.U1.a"]
    assert "cannot be read" in caplog.text
    assert "secret" not in caplog.text


async def _commands(redis: Any, call: Callable[[], Awaitable[Result]]) -> tuple[int, Result]:
    """How many times the server was asked something, with the call's answer. A pipeline comes in
    as one read, so that reads, and not commands, are counted."""
    before = (await redis.info("stats"))["total_reads_processed"]
    answer = await call()
    return (await redis.info("stats"))["total_reads_processed"] - before - 1, answer


async def test_hundreds_of_sessions_are_listed_and_loaded_in_few_round_trips(
    store: RedisSessionStore, redis: Any
) -> None:
    for number in range(500):
        await kept(store, a_session(attempts=3), f"{number:x}")
    listing, entries = await _commands(redis, lambda: store.summaries_of("T1", "U1"))
    assert len(entries) == 500
    ids = [entry.session_id for entry in entries]
    loading, sessions = await _commands(redis, lambda: store.load_many(ids))
    assert [session.id for session in sessions] == ids
    assert listing < 10  # 50 kB in one pipeline may be read in pieces of 16 kB
    assert loading < 10

    async def seconds() -> float:
        started = time.process_time()
        await store.load_many([e.session_id for e in await store.summaries_of("T1", "U1")])
        return time.process_time() - started

    assert min([await seconds() for _ in range(3)]) < 0.5


# threads


async def test_a_session_is_found_by_its_thread(store: RedisSessionStore) -> None:
    assert await in_thread(store) is None
    await store.create(generating())
    assert await in_thread(store) == ID
    assert await in_thread(store, "1.1") is None
    assert await store.in_thread("T2", CHANNEL, "1.0") == []
    assert await store.in_thread("T1", "C2", "1.0") == []


async def test_a_session_is_found_from_when_its_thread_is_known(store: RedisSessionStore) -> None:
    await store.create(NEW)
    await store.update(ID, lambda s: begin.submit(s, PROMPT, 9.0))
    assert await in_thread(store, "") is None
    await store.update(ID, lambda s: replace(s, root_ts="4.4", thread_ts="4.4"))
    assert await in_thread(store, "4.4") == ID


async def test_of_several_sessions_in_a_thread_the_newest_is_found_whichever_changed_last(
    store: RedisSessionStore,
) -> None:
    await kept(store, a_session(), "old", created_at=100.0)
    await kept(store, a_session(), "new", created_at=200.0)
    await kept(store, a_session(), "older", created_at=50.0)
    there = await store.in_thread("T1", CHANNEL, "1.0")
    assert there == ["T1.U1.new", "T1.U1.old", "T1.U1.older"]
    image = ImageRef(1)
    await store.update("T1.U1.old", lambda s: transitions.approve(s, image, OWNER, 9.0))
    assert await in_thread(store) == "T1.U1.new"


async def test_where_the_newest_session_of_a_thread_is_gone_the_one_before_is_found(
    store: RedisSessionStore, redis: Any
) -> None:
    for number, name in enumerate("abc"):
        await kept(store, a_session(), name, created_at=float(number))
    await store.discard(await store.load("T1.U1.c"), "c")
    assert await in_thread(store) == "T1.U1.b"
    await redis.delete(session_key("T1.U1.b"))
    assert await in_thread(store) == "T1.U1.a"
    await store.discard(await store.load("T1.U1.a"), "a")
    assert await in_thread(store) is None


async def test_a_thread_is_known_as_long_as_a_session_in_it(
    store: RedisSessionStore, redis: Any
) -> None:
    await store.create(a_session())
    key = thread_key("T1", CHANNEL, "1.0")
    await redis.expire(key, 5)
    await store.update(ID, lambda s: replace(s, final_ts="5.5"))
    assert SESSION_TTL - 60 < await redis.ttl(key) <= SESSION_TTL


# default options


async def test_a_users_defaults_are_kept_and_cleared(store: RedisSessionStore) -> None:
    assert await store.defaults_of("T1", "U1") == NO_OPTIONS
    options = Options(size="1792x1008", quality="high", background="transparent", count=3)
    await store.keep_defaults("T1", "U1", options)
    assert await store.defaults_of("T1", "U1") == options
    assert await store.defaults_of("T1", "U2") == NO_OPTIONS
    assert await store.defaults_of("T2", "U1") == NO_OPTIONS
    await store.keep_defaults("T1", "U1", NO_OPTIONS)
    assert await store.defaults_of("T1", "U1") == NO_OPTIONS


async def test_defaults_are_forgotten_a_year_after_they_were_last_used(
    store: RedisSessionStore, redis: Any
) -> None:
    key = defaults_key("T1", "U1")
    assert DEFAULTS_TTL == 365 * 24 * 3600
    await store.keep_defaults("T1", "U1", Options(count=2))
    await redis.expire(key, 5)
    await store.defaults_of("T1", "U1")
    assert DEFAULTS_TTL - 60 < await redis.ttl(key) <= DEFAULTS_TTL


async def test_looking_for_defaults_makes_none(store: RedisSessionStore, redis: Any) -> None:
    await store.defaults_of("T1", "U1")
    assert await redis.keys() == []


async def test_defaults_that_only_a_newer_version_knows_are_left_as_they_are(
    store: RedisSessionStore, redis: Any
) -> None:
    await redis.set(defaults_key("T1", "U1"), '{"count": 2, "invented_later": "x"}', ex=60)
    found = await store.defaults_of("T1", "U1")
    assert found == Options(count=2, invented_later="x")
    assert OPTIONS.offered(found) == Options(count=2)


# the message that asked for a session, and questions


async def test_a_session_is_found_below_the_message_that_started_it(
    store: RedisSessionStore, redis: Any
) -> None:
    session = await store.create(replace(a_session(), asked_ts="0.5"), write_id="w1")
    assert await in_thread(store, "0.5") == await in_thread(store, "1.0") == ID
    assert await redis.ttl(thread_key("T1", CHANNEL, "0.5")) > 0
    await store.discard(session, "w1")
    assert await redis.exists(thread_key("T1", CHANNEL, "0.5")) == 0
    assert await redis.exists(thread_key("T1", CHANNEL, "1.0")) == 0


QUESTION = PictureQuestion(
    id=ID,
    team="T1",
    person=Person("T1", OWNER),
    channel=CHANNEL,
    thread_ts="4.4",
    idempotency_key="T1|C1|7.7",
    text="make it night 👩‍🚀 \u2028 --n 2",
    source=Source("F1", "image/png", 2_000),
)


@pytest.mark.parametrize("source", [QUESTION.source, None])
async def test_a_question_is_kept_for_a_day(
    store: RedisSessionStore, redis: Any, source: Source | None
) -> None:
    question = replace(QUESTION, source=source)
    assert await store.question(ID) is None
    assert await store.keep_question(question)
    assert await store.question(ID) == question
    assert QUESTION_TTL - 5 < await redis.ttl(question_key(ID)) <= QUESTION_TTL


async def test_the_first_question_of_a_message_counts(store: RedisSessionStore) -> None:
    assert await store.keep_question(QUESTION)
    assert not await store.keep_question(replace(QUESTION, source=None))
    assert await store.question(ID) == QUESTION


async def test_a_refused_request_is_kept_as_it_is(store: RedisSessionStore) -> None:
    for number, change in enumerate((None, "", "a & 🦊\n")):
        request = RefusedRequest(f"T1.U1.{number}", CHANNEL, "x" * 32_000, change)
        assert await store.keep_question(request)
        assert await store.question(request.id) == request


async def test_a_question_of_another_form_is_refused(store: RedisSessionStore) -> None:
    with pytest.raises(Refusal):
        await store.question("nonsense")
