"""How long Redis holds an image, and how much of one person's."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.adapters.redis import RedisPictures, RedisSessionStore
from bot.adapters.redis.schema import image_key, images_key, picture_key
from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.generation import draft_posted, image_made
from bot.domain.images import BaseImage, GeneratedImage
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.transitions import cancel
from tests.fakes import a_session, an_attempt, generating, with_latest

SESSION_TTL, IMAGE_TTL = 9_000, 60
IMAGE = ImageRef(1)
MADE = GeneratedImage(b"", "image/png", 9, 9)
BYTES = "x" * 100
MOST = 3 * len(BYTES)


def store_on(redis: Any, user_bytes: int = MOST) -> RedisSessionStore:
    return RedisSessionStore(
        redis,
        patience=5.0,
        user_bytes=user_bytes,
        session_ttl=SESSION_TTL,
        image_ttl=IMAGE_TTL,
    )


async def made(
    store: RedisSessionStore, token: str, user: str = "U1", data: str = BYTES, images: int = 1
) -> Session:
    """A session whose images are stored, and that says so; Slack does not have them."""
    session_id, attempts = f"T1.{user}.{token}", (an_attempt(images=images),)
    session = replace(generating(), id=session_id, attempts=attempts, version=0)
    session = await store.create(session)
    for number in range(1, images + 1):
        image = ImageRef(1, number)
        await store.keep_image(session.id, image, data)
        session = await store.update(session.id, partial(_made, image))
    return session


def _made(image: ImageRef, session: Session) -> Session:
    return image_made(session, image, MADE, 1.0)


async def posted(store: RedisSessionStore, session: Session) -> Session:
    return await store.update(session.id, lambda s: draft_posted(s, 1, "7.7", time.time()))


async def stored(redis: Any) -> set[str]:
    """The tokens of the sessions whose images are there, and the files of pictures."""
    images = [key async for key in redis.scan_iter("*:generated_image:*")]
    pictures = [key async for key in redis.scan_iter("*:picture:*")]
    tokens = {key.split(":generated_image:")[0].rpartition(".")[2] for key in images}
    return tokens | {key.rpartition(":")[2] for key in pictures}


async def ttl(redis: Any, session: Session, image: ImageRef = IMAGE) -> int:
    return int(await redis.ttl(image_key(session.id, image)))


# how long


async def test_an_image_lives_as_its_session_until_slack_shows_it(redis: Any) -> None:
    store = store_on(redis)
    session = await made(store, "a")
    assert await ttl(redis, session) > SESSION_TTL - 60
    await redis.expire(image_key(session.id, IMAGE), 5)
    await store.update(session.id, lambda s: replace(s, thread_ts="5.5"))
    assert await ttl(redis, session) > SESSION_TTL - 60
    await posted(store, session)
    assert 0 < await ttl(redis, session) <= IMAGE_TTL
    await store.update(session.id, lambda s: replace(s, thread_ts="6.6"))
    assert 0 < await ttl(redis, session) <= IMAGE_TTL


async def test_reading_what_slack_does_not_have_leaves_it_its_time(redis: Any) -> None:
    store = store_on(redis)
    session = await made(store, "a")
    assert await store.load_image(session.id, IMAGE) == BYTES
    assert await ttl(redis, session) > SESSION_TTL - 60


async def test_what_could_not_be_delivered_is_kept_for_another_try(redis: Any) -> None:
    store = store_on(redis)
    session = await made(store, "a")
    await store.update(
        session.id,
        lambda s: replace(
            with_latest(s, failure=FailureKind.NOT_DELIVERED), stage=Stage.INITIAL_INPUT
        ),
    )
    assert await ttl(redis, session) > SESSION_TTL - 60
    await store.update(session.id, lambda s: replace(s, attempts=(*s.attempts, an_attempt(2))))
    assert 0 < await ttl(redis, session) <= IMAGE_TTL


async def test_a_cancelled_image_is_not_kept_for_slack(redis: Any) -> None:
    store = store_on(redis)
    session = await made(store, "a")
    await store.update(session.id, lambda s: cancel(s, 1, "words", 2.0))
    assert 0 < await ttl(redis, session) <= IMAGE_TTL


async def _recorded(store: RedisSessionStore, session: Session, image: ImageRef = IMAGE) -> None:
    await store.keep_image(session.id, image, BYTES)
    await store.update(session.id, partial(_made, image))


async def test_an_image_that_comes_after_its_cancel_is_not_kept_for_slack(redis: Any) -> None:
    store = store_on(redis)
    session = await store.create(replace(generating(), version=0))
    await store.update(session.id, lambda s: cancel(s, 1, "words", 2.0))
    await _recorded(store, session)
    assert 0 < await ttl(redis, session) <= IMAGE_TTL


async def test_nor_is_one_that_comes_while_the_next_attempt_is_made(redis: Any) -> None:
    store = store_on(redis)
    session = await store.create(replace(generating(), version=0))
    await store.update(session.id, lambda s: cancel(s, 1, "words", 2.0))
    await store.update(
        session.id,
        lambda s: replace(s, stage=Stage.GENERATING, attempts=(*s.attempts, an_attempt(2))),
    )
    await _recorded(store, session)
    assert 0 < await ttl(redis, session) <= IMAGE_TTL


async def test_a_run_that_comes_late_does_not_keep_an_image_that_slack_has(redis: Any) -> None:
    store = store_on(redis)
    session = await posted(store, await made(store, "a"))
    await _recorded(store, session)
    assert 0 < await ttl(redis, session) <= IMAGE_TTL


async def test_what_is_too_much_is_logged_where_it_cannot_be_removed(
    redis: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_on(redis)
    session = await made(store, "a")

    async def away(*args: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(store._images, "trim", away)
    with caplog.at_level("INFO"):
        await posted(store, session)
    assert "ConnectionError" in caplog.text


async def test_an_image_that_is_not_recorded_yet_outlives_image_ttl(redis: Any) -> None:
    store = store_on(redis)
    await store.create(replace(generating(), version=0))
    await store.keep_image(generating().id, IMAGE, BYTES)
    assert await ttl(redis, generating()) > SESSION_TTL - 60


async def test_all_candidates_wait_for_their_draft(redis: Any) -> None:
    store = store_on(redis, 0)
    session = await made(store, "a", images=3)
    times = [await ttl(redis, session, ImageRef(1, n)) for n in (1, 2, 3)]
    assert min(times) > SESSION_TTL - 60
    await posted(store, session)
    times = [await ttl(redis, session, ImageRef(1, n)) for n in (1, 2, 3)]
    assert 0 < min(times) <= max(times) <= IMAGE_TTL


# how much


async def test_the_oldest_goes_first(redis: Any) -> None:
    store = store_on(redis)
    for token in "abcd":
        await posted(store, await made(store, token))
    assert await stored(redis) == {"b", "c", "d"}
    await posted(store, await made(store, "e", data="x" * 250))
    assert await stored(redis) == {"e"}


@pytest.mark.parametrize("images", [4, 12])
async def test_nothing_that_slack_does_not_have_goes(redis: Any, images: int) -> None:
    store = store_on(redis)
    sessions = [await made(store, f"s{n}") for n in range(images)]
    assert len(await stored(redis)) == images
    for session in sessions:
        await posted(store, session)
    assert await stored(redis) == {session.id.rpartition(".")[2] for session in sessions[-3:]}


async def test_many_attempts_of_one_session_stay_within_the_bound(redis: Any) -> None:
    store = store_on(redis)
    session = await posted(store, await made(store, "a", images=2))
    for number in range(2, 7):
        session = await store.update(session.id, partial(_again, number))
        for image in (ImageRef(number, 1), ImageRef(number, 2)):
            await store.keep_image(session.id, image, BYTES)
            assert await redis.exists(image_key(session.id, image))
            session = await store.update(session.id, partial(_made, image))
        assert await stored_bytes(redis) <= MOST
        await store.update(session.id, partial(_posted_as, number))
        assert await redis.exists(image_key(session.id, ImageRef(number, 1)))
        assert await stored_bytes(redis) <= MOST


def _posted_as(number: int, session: Session) -> Session:
    return draft_posted(session, number, f"7.{number}", time.time())


def _again(number: int, session: Session) -> Session:
    attempts = (*session.attempts, an_attempt(number, images=2))
    return replace(session, stage=Stage.GENERATING, attempts=attempts)


async def stored_bytes(redis: Any) -> int:
    keys = [key async for key in redis.scan_iter("*:generated_image:*")]
    return sum([await redis.strlen(key) for key in keys])


async def test_an_image_stays_before_it_is_recorded_and_goes_once_slack_has_it(redis: Any) -> None:
    store = store_on(redis, 1)
    session = await store.create(replace(generating(), version=0))
    await store.keep_image(session.id, IMAGE, BYTES)
    await posted(store, await made(store, "b"))
    assert await redis.exists(image_key(session.id, IMAGE))
    session = await store.update(session.id, partial(_made, IMAGE))
    await posted(store, session)
    assert await stored(redis) == set()


async def test_nobody_elses_images_count(redis: Any) -> None:
    store = store_on(redis)
    for token in "abc":
        await posted(store, await made(store, token, "U1"))
        await posted(store, await made(store, f"{token}2", "U2"))
        await posted(store, await made(store, f"{token}3", "T2-U1"))
    assert len(await stored(redis)) == 9


async def test_what_expired_or_was_deleted_does_not_count(redis: Any) -> None:
    store = store_on(redis)
    for token in "abc":
        await posted(store, await made(store, token))
    for token in "bc":
        await redis.delete(image_key(f"T1.U1.{token}", IMAGE))
    for token in "de":
        await posted(store, await made(store, token))
    assert await stored(redis) == {"a", "d", "e"}
    assert await redis.zcard(images_key("T1", "U1")) == 3


async def test_the_same_image_stored_twice_counts_once(redis: Any) -> None:
    store = store_on(redis)
    await posted(store, await made(store, "a"))
    session = await made(store, "b")
    for _ in range(5):
        await store.keep_image(session.id, IMAGE, BYTES)
    assert await stored(redis) == {"a", "b"}


async def test_without_a_bound_all_stay(redis: Any) -> None:
    store = store_on(redis, 0)
    for n in range(8):
        await posted(store, await made(store, f"s{n}"))
    assert len(await stored(redis)) == 8
    assert await redis.exists(images_key("T1", "U1")) == 0


async def test_the_list_lives_as_long_as_what_it_names(redis: Any) -> None:
    store = store_on(redis)
    session = await made(store, "a")
    await redis.expire(images_key("T1", "U1"), 5)
    await store.update(session.id, lambda s: replace(s, thread_ts="5.5"))
    assert SESSION_TTL - 60 < await redis.ttl(images_key("T1", "U1")) <= SESSION_TTL


async def test_a_picture_does_not_shorten_the_life_of_the_list(redis: Any) -> None:
    await made(store_on(redis), "a")
    pictures = RedisPictures(redis, ttl=IMAGE_TTL, patience=5.0, user_bytes=MOST)
    await pictures.keep("T1", "U1", "F1", BaseImage(b"x", "image/jpeg", width=9, height=9))
    assert await redis.ttl(images_key("T1", "U1")) > SESSION_TTL - 60


async def test_pictures_count_with_the_images(redis: Any) -> None:
    store = store_on(redis, 1_000)
    pictures = RedisPictures(redis, ttl=IMAGE_TTL, patience=5.0, user_bytes=1_000)
    picture = BaseImage(b"x" * 600, "image/jpeg", width=9, height=9)
    await posted(store, await made(store, "a"))
    await pictures.keep("T1", "U1", "F1", picture)
    assert await stored(redis) == {"a", "F1"}
    await posted(store, await made(store, "b"))
    assert await stored(redis) == {"F1", "b"}
    await pictures.keep("T1", "U1", "F2", picture)
    assert await stored(redis) == {"F2", "b"}
    assert await redis.strlen(picture_key("T1", "F2")) > 800


async def test_two_workers_at_once_stay_within_the_bound(redis: Any) -> None:
    stores = [store_on(redis), store_on(redis)]

    async def one(n: int) -> None:
        store = stores[n % 2]
        await posted(store, await made(store, f"s{n}"))

    await asyncio.gather(*(one(n) for n in range(20)))
    await posted(stores[0], await made(stores[0], "last"))
    left = await stored(redis)
    assert "last" in left
    assert len(left) == 3


def test_a_session_without_attempts_owes_slack_nothing() -> None:
    assert list(a_session(Stage.INITIAL_INPUT).images_for_slack()) == []
    assert list(a_session().images_for_slack()) == []
    assert list(generating(2).images_for_slack()) == [ImageRef(2)]
