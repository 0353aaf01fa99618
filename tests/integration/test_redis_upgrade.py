"""Sessions that the first version of the program left in Redis, byte for byte as it wrote them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.redis import RedisSessionStore, redis_client
from bot.adapters.redis.encoding import from_fields, to_fields
from bot.adapters.redis.keys import session_key, user_key
from bot.domain import steps
from bot.domain.attempt import Attempt, Candidate, ImageRef
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.publication import Publication
from bot.domain.session import SCHEMA, Session
from bot.domain.stages import Stage
from bot.domain.work import Job, JobKind, owed
from tests.fakes import CHANNEL, MODEL, OWNER, PROMPT, a_session

WRITTEN = json.loads((Path(__file__).parents[1] / "data/sessions_schema_1.json").read_text("utf-8"))
NOW = 500.0


def id_of(name: str) -> str:
    return str(WRITTEN[name]["id"])


def a_draft(number: int) -> Attempt:
    image = Candidate(1, mime_type="image/png", width=1024, height=768, file_id=f"F{number}")
    return Attempt(
        number,
        PROMPT,
        queued_at=100.0,
        started_at=101.0,
        generated_at=113.4,
        candidates=(image,),
        message_ts=f"{number}.5",
    )


def expected(name: str, **changes: Any) -> Session:
    return Session(
        id_of(name),
        "T1",
        OWNER,
        CHANNEL,
        task_input=PROMPT,
        root_ts="1.0",
        thread_ts="1.0",
        created_at=100.0,
        updated_at=120.0,
        version=1,
        schema=SCHEMA,
        **changes,
    )


UPGRADED = {
    "user_feedback": expected(
        "user_feedback", stage=Stage.USER_FEEDBACK, attempts=(a_draft(1), a_draft(2))
    ),
    "generating": expected(
        "generating",
        stage=Stage.GENERATING,
        attempts=(
            a_draft(1),
            Attempt(
                2,
                PROMPT,
                queued_at=100.0,
                started_at=121.0,
                candidates=(Candidate(1, response_id="resp_2"),),
            ),
        ),
    ),
    "final": expected(
        "final",
        stage=Stage.FINAL,
        final_result=1,
        approved_by=OWNER,
        final_ts="9.9",
        publication=Publication.SHOWN,
        attempts=(a_draft(1),),
    ),
}


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Any]:
    """With everything in it that the first version wrote."""
    client: Any = redis_client(redis_url, patience=5.0)
    for score, stored in enumerate(WRITTEN.values()):
        await client.hset(session_key(stored["id"]), mapping=stored)
        await client.zadd(user_key("T1", "U1"), {stored["id"]: score})
    yield client
    await client.aclose()


@pytest.fixture
async def store(redis: Any) -> RedisSessionStore:
    return RedisSessionStore(redis, session_ttl=600, image_ttl=60, patience=5.0)


def test_the_sample_is_of_the_first_form() -> None:
    assert WRITTEN.keys() == UPGRADED.keys()
    for stored in WRITTEN.values():
        assert stored["schema"] == "1"
        assert stored.keys().isdisjoint({"options", "source", "root_ts", "final_candidate"})
        assert all("width" in attempt for attempt in json.loads(stored["attempts"]))
    assert SCHEMA == 3


@pytest.mark.parametrize("name", UPGRADED)
async def test_every_field_is_read_and_reading_writes_nothing(
    store: RedisSessionStore, redis: Any, name: str
) -> None:
    session = await store.load(id_of(name))
    assert session == UPGRADED[name]
    assert (session.options, session.source, session.final_candidate) == (NO_OPTIONS, None, 1)
    assert await store.load_many([id_of(name)]) == [session]
    assert await redis.hgetall(session_key(id_of(name))) == WRITTEN[name]


async def test_they_are_in_the_lists_of_their_user(store: RedisSessionStore) -> None:
    entries = await store.entries_of("T1", "U1")
    assert {entry.session_id: entry[1:] for entry in entries} == {
        session.id: (session.stage, session.in_progress) for session in UPGRADED.values()
    }


async def test_a_session_is_found_by_its_thread_before_it_is_written_anew(
    store: RedisSessionStore,
) -> None:
    found = await store.in_thread("T1", CHANNEL, "1.0", "U1")
    assert set(found) == {id_of(name) for name in UPGRADED}
    assert await store.in_thread("T1", CHANNEL, "2.0", "U1") == []
    assert await store.in_thread("T1", CHANNEL, "1.0", "U2") == []


@pytest.mark.parametrize("name", UPGRADED)
async def test_the_next_write_is_in_todays_form_and_comes_back(
    store: RedisSessionStore, redis: Any, name: str
) -> None:
    written = await store.update(id_of(name), lambda s: replace(s, response_url="https://x"))
    assert written == replace(UPGRADED[name], response_url="https://x", version=2)
    assert await store.load(id_of(name)) == written
    stored = await redis.hgetall(session_key(id_of(name)))
    assert (stored["schema"], stored["root_ts"], stored["version"]) == ("3", "1.0", "2")
    attempts = json.loads(stored["attempts"])
    assert all("candidates" in attempt and "width" not in attempt for attempt in attempts)
    assert await store.in_thread("T1", CHANNEL, "1.0", "U1") == [id_of(name)]


async def test_a_draft_of_then_can_be_approved_and_is_owed_its_publication(
    store: RedisSessionStore,
) -> None:
    name = id_of("user_feedback")
    session = await store.update(name, lambda s: steps.approve(s, ImageRef(2), OWNER, NOW))
    assert (session.stage, session.final_image) == (Stage.FINAL, ImageRef(2))
    assert owed(await store.load(name)) == Job(JobKind.FINISH, name, 2)


async def test_an_earlier_draft_of_then_can_be_used(store: RedisSessionStore) -> None:
    name = id_of("user_feedback")
    session = await store.update(name, lambda s: steps.use_earlier(s, ImageRef(1), OWNER, NOW))
    assert (await store.load(name)).final_image == session.final_image == ImageRef(1)


async def test_a_draft_of_then_can_be_regenerated_refined_and_edited(
    store: RedisSessionStore,
) -> None:
    name = id_of("user_feedback")
    again = await store.update(name, lambda s: steps.regenerate(s, 2, NOW))
    assert (again.latest.number, again.latest.prompt) == (3, PROMPT)
    await store.update(name, lambda s: steps.draft_posted(s, 3, "3.5", NOW))
    refined = await store.update(name, lambda s: steps.refine(s, ImageRef(1), "night", NOW))
    assert (refined.latest.base, refined.changes_up_to(ImageRef(4))) == (ImageRef(1), ("night",))
    await store.update(name, lambda s: steps.cancel(s, 4, "w", NOW))
    options = Options(count=3)
    edited = await store.update(name, lambda s: steps.edit(s, 4, "a cat", options, NOW))
    assert [c.number for c in edited.latest.candidates] == [1, 2, 3]
    assert await store.load(name) == edited


async def test_a_generation_of_then_goes_on_from_its_response(store: RedisSessionStore) -> None:
    name = id_of("generating")
    session = await store.load(name)
    assert session.latest.candidate(1).response_id == "resp_2"
    assert owed(session) == Job(JobKind.ANNOUNCE, name, 2)
    posted = await store.update(name, lambda s: steps.draft_posted(s, 2, "2.5", NOW))
    assert await store.load(name) == posted
    assert [draft.number for draft in posted.earlier_drafts] == [1]


async def test_an_approved_session_of_then_can_be_started_over(store: RedisSessionStore) -> None:
    name = id_of("final")
    session = await store.update(name, lambda s: steps.start_over(s, "T1.U1.next", NOW))
    assert (session.stage, session.restarted_as) == (Stage.INITIAL_INPUT, "T1.U1.next")
    assert await store.load(name) == session


async def test_the_images_of_then_are_found_and_dropped(
    store: RedisSessionStore, redis: Any
) -> None:
    name = id_of("user_feedback")
    for number in (1, 2):
        await redis.set(f"{session_key(name)}:generated_image:{number}", f"image {number}", ex=60)
    assert await store.load_image(name, ImageRef(1)) == "image 1"
    assert await store.load_image(name, ImageRef(2)) == "image 2"
    assert await store.load_image(name, ImageRef(2, 2)) is None
    await store.drop_images(await store.load(name))
    assert await redis.keys("*generated_image*") == []


async def test_attempts_that_a_worker_of_then_wrote_back_are_read_by_their_form(
    store: RedisSessionStore, redis: Any
) -> None:
    """It keeps the schema that it read."""
    name = id_of("generating")
    await store.update(name, lambda s: replace(s, root_ts="0.9"))
    await redis.hset(session_key(name), "attempts", WRITTEN["generating"]["attempts"])
    session = await store.load(name)
    assert session.attempts == UPGRADED["generating"].attempts
    assert session.root_ts == "0.9"


async def test_a_session_of_a_newer_form_is_not_read_and_left_as_it_is(
    store: RedisSessionStore, redis: Any
) -> None:
    created = await store.create(a_session())
    key = session_key(created.id)
    await redis.hset(key, "schema", SCHEMA + 1)
    before = await redis.hgetall(key)
    with pytest.raises(ValueError, match=f"schema {SCHEMA + 1} is newer than {SCHEMA}"):
        await store.load(created.id)
    with pytest.raises(ValueError, match="is newer"):
        await store.update(created.id, lambda s: steps.approve(s, ImageRef(1), OWNER, NOW))
    assert await redis.hgetall(key) == before


def test_an_image_whose_model_was_not_recorded_yet_is_read() -> None:
    session = a_session(attempts=2)
    stored = to_fields(session)
    attempts = json.loads(stored["attempts"])
    for attempt in attempts:
        for candidate in attempt["candidates"]:
            assert candidate.pop("model") == MODEL
    read = from_fields({**stored, "attempts": json.dumps(attempts)})
    assert [a.candidate(1) for a in read.attempts] == [
        replace(a.candidate(1), model="") for a in session.attempts
    ]
