"""Every way to ask for an attempt passes the gateway: its rules are asked first, and once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from slack_bolt.response import BoltResponse

from bot.adapters.redis import RedisSessionStore, redis_client
from bot.adapters.redis.record_schema import record_key
from bot.domain.attempt import Source
from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.publication import not_published
from bot.domain.questions import PictureQuestion
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import BeginRequest, ExtraWrite, ExtraWrites, Limit
from bot.service import RequestOrigin
from bot.views import ids
from bot.views.refusal_words import REFUSALS
from tests.fakes import BOSS, CHANNEL, ID, PROMPT, a_session, generating
from tests.scenario.conftest import MakeApp
from tests.scenario.origins import PICTURES, VALUE
from tests.scenario.payloads import (
    Payload,
    click,
    command,
    direct,
    interaction,
    mention,
    picture,
    submission,
)
from tests.scenario.slack_app import SlackApp
from tests.support.redis_content import content_of

Send = Callable[[], Awaitable[BoltResponse]]
DRAFT, WAITING = a_session(), a_session(Stage.INITIAL_INPUT)
FAILED = attempt_failed(generating(), 1, FailureKind.TIMED_OUT, "w", "7.0", 1.0)


SAID = RequestOrigin("T1", BOSS, CHANNEL, "", "T1|C1|7.7", "4.4")
QUESTION = PictureQuestion(
    SAID.session_id(), "T1", BOSS, CHANNEL, "4.4", SAID.idempotency_key, "night", Source("F1")
)


@dataclass(frozen=True)
class Route:
    """`request` is a form, or an event where `is_event`. `number` is that of the attempt that it
    begins. `question` was asked before, where it answers one."""

    request: Payload
    before: Session | None = None
    question: PictureQuestion | None = None
    is_event: bool = False
    number: int = 1
    images: int = 1

    def send(self, app: SlackApp) -> Awaitable[BoltResponse]:
        """The same request each time."""
        return app.event(self.request) if self.is_event else app.send(self.request)


def _button(action: str, value: str = VALUE) -> Payload:
    payload = click(action, value)
    return interaction({**payload, "actions": [{**payload["actions"][0], "action_ts": "5.1"}]})


def _form(name: str, metadata: str = VALUE, text: str = "a cat", **chosen: str) -> Payload:
    return interaction(submission(name, metadata, text, **chosen))


ROUTES: dict[str, Route] = {
    "command": Route(command("a fox --n 3"), images=3),
    "mention": Route(mention("a fox"), is_event=True),
    "mention with a picture": Route(mention("in blue", files=[picture()]), is_event=True),
    "direct message": Route(direct("a fox --n 2"), is_event=True, images=2),
    "prompt form": Route(_form(ids.PROMPT_FORM, f"{ID}#0", count="4"), WAITING, images=4),
    "image form": Route(_form(ids.IMAGE_FORM, PICTURES)),
    "use picture": Route(_button(ids.USE_PICTURE, f"{QUESTION.id}#0"), question=QUESTION),
    "words only": Route(_button(ids.WORDS_ONLY, f"{QUESTION.id}#0"), question=QUESTION),
    "regenerate": Route(_button(ids.REGENERATE), DRAFT, number=2),
    "try again": Route(_button(ids.TRY_AGAIN), FAILED, number=2),
    "refine form": Route(_form(ids.REFINE_FORM, text="night --n 2"), DRAFT, number=2, images=2),
    "edit form": Route(_form(ids.EDIT_FORM), DRAFT, number=2),
    "reply to a draft": Route(mention("night", thread_ts="1.0"), DRAFT, is_event=True, number=2),
    "reply to a failure": Route(mention("a cat", thread_ts="1.0"), FAILED, is_event=True, number=2),
}
every_route = pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES.keys())


class Rule:
    """Notes what it is asked, and says no where it is `closed`."""

    def __init__(self, *, closed: bool = False) -> None:
        self.closed = closed
        self.asked: list[BeginRequest] = []

    async def check(self, request: BeginRequest) -> None:
        self.asked.append(request)
        if self.closed:
            raise Refusal(Reason.NOT_CHECKED)


class ImagesADay:
    """A rule that counts: so many images a day and person."""

    def __init__(self, most: int) -> None:
        self._limit = Limit(most, Refusal(Reason.NOT_CHECKED))

    async def check(self, request: BeginRequest) -> ExtraWrites:
        who = request.person.key_in(request.session.team)
        images = str(request.attempt.options.candidates)
        return lambda session: [
            ExtraWrite("HINCRBY", "images:2026-11-28", (who, images), self._limit),
            ExtraWrite("EXPIRE", "images:2026-11-28", ("172800",)),
        ]


class Kept:
    """Sessions in a real Redis. `content` is every key with its value."""

    def __init__(self, url: str) -> None:
        self.redis = redis_client(url, 5.0)
        self.store = RedisSessionStore(self.redis, session_ttl=600, image_ttl=60, patience=5.0)

    async def content(self) -> dict[str, object]:
        """All but the record, which tells of refusals too."""
        found = await content_of(self.redis)
        return {key: value for key, value in found.items() if ":record" not in key}

    async def recorded(self) -> list[str]:
        """The kinds of the entries of the record."""
        entries: Any = await self.redis.xrange(record_key(BOSS.org))
        return [json.loads(fields["body"])["kind"] for _, fields in entries]

    async def asked_by(self) -> set[str]:
        """Who began the newest attempts."""
        ids = await self.store.sessions_of(BOSS.org, BOSS.user)
        return {s.latest.asked_by for s in await self.store.load_many(ids) if s.attempts}

    async def prepare(self, route: Route) -> None:
        if route.before is not None:
            await self.store.create(route.before)
        if route.question is not None:
            await self.store.keep_question(route.question)

    async def sessions(self) -> list[Session]:
        return await self.store.load_many(await self.store.sessions_of(BOSS.org, BOSS.user))


@pytest.fixture
async def kept(redis_url: str) -> AsyncIterator[Kept]:
    kept = Kept(redis_url)
    yield kept
    await kept.redis.aclose()


@every_route
async def test_a_rule_says_no_before_anything_is_stored(
    route: Route, kept: Kept, make_app: MakeApp
) -> None:
    rule = Rule(closed=True)
    app = make_app(rules=(rule,), store=kept.store, scopes=frozenset({"files:read"}))
    await kept.prepare(route)
    before = await kept.content()
    response = await route.send(app)
    check_refused(app, response)
    assert len(rule.asked) == 1
    assert await kept.content() == before
    assert app.queue.added == []


@every_route
async def test_a_rule_is_asked_once_however_often_the_request_comes(
    route: Route, kept: Kept, make_app: MakeApp
) -> None:
    first, second = Rule(), Rule()
    app = make_app(rules=(first, second), store=kept.store, scopes=frozenset({"files:read"}))
    await kept.prepare(route)
    for _ in "ab":
        assert (await route.send(app)).status == 200
    (session,) = await kept.sessions()
    assert (session.stage, len(session.attempts)) == (Stage.GENERATING, route.number)
    assert len(first.asked) == len(second.asked) == 1
    check_request(first.asked[0], session, route)


def check_request(request: BeginRequest, session: Session, route: Route) -> None:
    """It tells who asks, what there was before, and what is to begin."""
    assert request.person == BOSS
    assert request.session.id == session.id
    assert len(request.session.attempts) == route.number - 1
    assert request.attempt == replace(session.latest, queued_at=request.attempt.queued_at)
    assert request.attempt.options.candidates == route.images
    assert request.idempotency_key


@every_route
async def test_a_rule_counts_what_begins_and_refuses_what_is_too_much(
    route: Route, kept: Kept, make_app: MakeApp
) -> None:
    rules = (Rule(), ImagesADay(route.images))
    app = make_app(rules=rules, store=kept.store, scopes=frozenset({"files:read"}))
    await kept.prepare(route)
    for _ in "ab":
        assert (await route.send(app)).status == 200
    counted = await kept.redis.hgetall(f"imagine:{{{BOSS.org}}}:images:2026-11-28")
    assert counted == {BOSS.user: str(route.images)}
    before, queued = await kept.content(), list(app.queue.added)
    assert BOSS.user in await kept.asked_by()
    check_refused(app, await app.command("one more"))
    assert await kept.content() == before
    assert app.queue.added == queued
    assert (await kept.recorded())[-1] == "refused"


@every_route
async def test_what_a_count_refuses_stores_nothing(
    route: Route, kept: Kept, make_app: MakeApp
) -> None:
    """The workspace is listed before the first commit; so there is a session before."""
    rule = ImagesADay(route.images - 1)
    app = make_app(rules=(rule,), store=kept.store, scopes=frozenset({"files:read"}))
    await kept.prepare(route if route.before else replace(route, before=a_session()))
    before = await kept.content()
    check_refused(app, await route.send(app))
    assert await kept.content() == before
    assert app.queue.added == []


async def test_what_cannot_begin_is_refused_without_asking_a_rule(make_app: MakeApp) -> None:
    rule = Rule()
    app = make_app(generating(), rules=(rule,))
    for action in (ids.REGENERATE, ids.TRY_AGAIN):
        await app.click(action, f"{ID}#2")
    await app.submit(ids.EDIT_FORM, f"{ID}#2", PROMPT)
    await app.command("a fox --n 9")
    assert rule.asked == []


async def test_what_begins_no_attempt_asks_no_rule(make_app: MakeApp) -> None:
    rule = Rule()
    final = not_published(a_session(Stage.FINAL), "Slack did not take it.")
    app = make_app(final, rules=(rule,))
    await app.command("")
    await app.click(ids.TRY_AGAIN, VALUE)
    assert (app.session.error_message, rule.asked) == ("", [])


def check_refused(app: SlackApp, response: BoltResponse) -> None:
    """In words that only the person sees."""
    told = [*app.of("chat.postEphemeral"), *app.of("respond")]
    said = response.body + "".join(call["text"] for call in told)
    assert response.status == 200
    assert REFUSALS[Reason.NOT_CHECKED] in said
