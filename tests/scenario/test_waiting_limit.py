"""One image more than may wait is refused in private, with what waits; nothing is stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt.response import BoltResponse

from bot.adapters.redis import RedisSessionStore, redis_client
from bot.adapters.redis.schema import session_key, waiting_key
from bot.domain.attempt import ImageRef
from bot.domain.generation import announced, started
from bot.domain.policy import Policy
from bot.domain.refusals import Reason
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.service.waiting_limit import WaitingLimit
from bot.views import ids
from bot.views.refusal_words import REFUSALS
from tests.fakes import ID, OWNER, STRANGER, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.origins import VALUE
from tests.scenario.payloads import click, command, interaction, signed
from tests.scenario.slack_app import SlackApp

AT_MOST = 3
PLAIN = REFUSALS[Reason.TOO_MANY_WAITING].replace("`", "")


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisSessionStore]:
    redis = redis_client(redis_url, 5.0)
    yield RedisSessionStore(redis, session_ttl=600, image_ttl=60, patience=5.0)
    await redis.aclose()


@pytest.fixture
def app(make_app: MakeApp, store: RedisSessionStore) -> SlackApp:
    return make_app(store=store, rules=(WaitingLimit(store, AT_MOST),))


async def stored(store: RedisSessionStore) -> list[Session]:
    return await store.load_many(await store.sessions_of("T1", OWNER))


def words(answer: BoltResponse) -> str:
    return str(json.loads(answer.body)["text"]) if answer.body else ""


def cancels(blocks: list[dict[str, Any]]) -> list[str]:
    found = [block["accessory"] for block in blocks if "accessory" in block]
    assert all(button["action_id"] == ids.CANCEL for button in found)
    return [button["value"] for button in found]


async def begun(store: RedisSessionStore, session: Session) -> None:
    """A worker has begun the first image of the session."""
    await store.update(session.id, lambda s: announced(s, 1, "9.9"))
    await store.update(session.id, lambda s: started(s, ImageRef(1), "run", 1.0))


async def test_one_more_is_told_what_waits_and_each_can_be_cancelled(
    app: SlackApp, store: RedisSessionStore
) -> None:
    for n in range(AT_MOST):
        assert not (await app.command(f"fox <{n}>")).body
    before, queued = await stored(store), len(app.queue.added)
    answer = json.loads((await app.command("one more")).body)
    assert answer["response_type"] == "ephemeral"
    assert "3 images of yours wait already, and 3 are the most" in answer["text"]
    assert "fox &lt;2&gt;" in answer["text"]
    assert sorted(cancels(answer["blocks"])) == sorted(f"{s.id}#1" for s in before)
    assert (await stored(store), len(app.queue.added)) == (before, queued)


async def test_its_cancel_makes_room_and_says_so_in_the_place_of_the_message(
    app: SlackApp, store: RedisSessionStore
) -> None:
    for n in range(AT_MOST):
        await app.command(f"fox {n}")
    answer = json.loads((await app.command("one more")).body)
    pressed = click(ids.CANCEL, cancels(answer["blocks"])[0], thread_ts="")
    pressed["container"]["is_ephemeral"] = True
    await app.send(interaction(pressed))
    (said,) = app.of("respond")
    assert said["replace_original"] is True
    assert said["text"].startswith("🚫 Cancelled: “fox 2”")
    assert not (await app.command("one more")).body
    assert words(await app.command("and another"))


async def test_what_a_worker_has_begun_waits_no_more(
    app: SlackApp, store: RedisSessionStore
) -> None:
    for n in range(AT_MOST):
        await app.command(f"fox {n}")
    await begun(store, (await stored(store))[0])
    assert not (await app.command("one more")).body
    assert words(await app.command("and another"))


@pytest.mark.parametrize("at_once", [2, 7])
async def test_of_requests_at_once_no_more_come_in_than_may(
    app: SlackApp, store: RedisSessionStore, at_once: int
) -> None:
    for n in range(AT_MOST - 1):
        await app.command(f"fox {n}")
    payloads = [app.bolt.async_dispatch(_command(f"at once {n}")) for n in range(at_once)]
    answers = await asyncio.gather(*payloads)
    assert sum(not answer.body for answer in answers) == 1
    assert len(await stored(store)) == AT_MOST
    assert sum(words(answer) != "" for answer in answers) == at_once - 1


async def test_an_attempt_counts_its_images_and_one_of_more_than_may_wait_goes_alone(
    app: SlackApp, store: RedisSessionStore
) -> None:
    assert not (await app.command("four --n 4")).body
    assert "4 images of yours wait already" in words(await app.command("a fox"))
    (session,) = await stored(store)
    await app.click(ids.CANCEL, f"{session.id}#1")
    assert not (await app.command("two --n 2")).body
    assert words(await app.command("two --n 2"))
    assert not (await app.command("one")).body


async def test_another_person_is_not_concerned(app: SlackApp) -> None:
    for n in range(AT_MOST):
        await app.command(f"fox {n}")
    assert not (await app.command("a cat", user_id=STRANGER)).body


async def test_regenerate_is_refused_too_and_told_below_its_button(
    app: SlackApp, store: RedisSessionStore
) -> None:
    await store.create(a_session())
    for n in range(AT_MOST):
        await app.command(f"fox {n}")
    await app.click(ids.REGENERATE, VALUE)
    (said,) = app.of("chat.postEphemeral")
    assert "3 are the most" in said["text"]
    assert len(cancels(said["blocks"])) == AT_MOST
    assert await store.load(ID) == replace(a_session(), version=1)


async def test_who_directs_anothers_session_is_not_told_their_ideas(
    make_app: MakeApp, store: RedisSessionStore
) -> None:
    app = make_app(store=store, rules=(WaitingLimit(store, AT_MOST),), policy=Policy(anyone=True))
    await store.create(a_session())
    for n in range(AT_MOST):
        await app.command(f"secret {n}")
    await app.click(ids.REGENERATE, VALUE, user=STRANGER)
    (said,) = app.of("chat.postEphemeral")
    assert "secret" not in json.dumps(said)
    assert "blocks" not in said
    assert said["text"] == REFUSALS[Reason.TOO_MANY_WAITING]


async def test_a_form_says_it_below_its_field_and_a_mention_in_the_channel(
    app: SlackApp, store: RedisSessionStore
) -> None:
    await store.create(a_session())
    for n in range(AT_MOST):
        await app.command(f"fox {n}")
    answer = await app.submit(ids.REFINE_FORM, VALUE, "night")
    (error,) = json.loads(answer.body)["errors"].values()
    assert error == PLAIN
    await app.mention("another fox")
    (said,) = app.of("chat.postEphemeral")
    assert len(cancels(said["blocks"])) == AT_MOST


async def test_a_session_that_expired_or_that_an_older_version_ended_counts_no_more(
    app: SlackApp, store: RedisSessionStore
) -> None:
    for n in range(AT_MOST):
        await app.command(f"fox {n}")
    first, second, _ = await stored(store)
    await store._redis.delete(session_key(first.id))
    await store._redis.hset(session_key(second.id), "stage", Stage.USER_FEEDBACK.value)
    assert not (await app.command("one more")).body
    assert not (await app.command("and another")).body
    assert words(await app.command("too many"))
    waiting = await store._redis.hgetall(waiting_key("T1", OWNER))
    assert sum(map(int, waiting.values())) == AT_MOST


async def test_a_session_that_is_discarded_leaves_no_number(store: RedisSessionStore) -> None:
    session = a_session(Stage.GENERATING)
    await store.create(session, write_id="w")
    assert await store.images_waiting("T1", OWNER) == {ID: 1}
    await store.discard(session, "w")
    assert await store.images_waiting("T1", OWNER) == {}


def _command(text: str) -> Any:
    return signed(urlencode(command(text)))
