"""HTTP mode: a request counts once, and what Slack repeats by itself is no replay."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.ops.serving import HttpServer
from tests.fakes import PROMPT, FakeSignatures
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import SECRET, command, mention
from tests.scenario.slack_app import SlackApp
from tests.scenario.test_http import FORM, Endpoint, signature
from tests.support.http import routes_for

JSON = "application/json"


class Pair:
    """Two processes with one store, and what both have seen."""

    def __init__(self, app: SlackApp, seen: FakeSignatures, one: Endpoint, other: Endpoint) -> None:
        self.app, self.seen, self.one, self.other = app, seen, one, other

    @property
    def prompts(self) -> list[str]:
        return [session.task_input for session in self.app.store.sessions.values()]


@pytest.fixture
async def pair(make_app: MakeApp) -> AsyncIterator[Pair]:
    app, seen = make_app(), FakeSignatures()
    servers = [HttpServer(routes_for(app.bolt, SECRET, seen), 0, "127.0.0.1") for _ in range(2)]
    ports = [await server.start() for server in servers]
    async with aiohttp.ClientSession() as session:
        one, other = (Endpoint(app, session, f"http://127.0.0.1:{port}") for port in ports)
        yield Pair(app, seen, one, other)
    for server in servers:
        await server.stop()


def spoken(text: str = PROMPT) -> bytes:
    event = mention(text)
    return json.dumps({"type": "event_callback", "team_id": "T1", "event": event}).encode()


async def test_the_same_request_again_is_refused_wherever_it_arrives(pair: Pair) -> None:
    sent = urlencode(command(PROMPT)).encode()
    signed = signature(sent)
    assert await pair.one.post(sent, signed) == (200, "")
    for process in (pair.one, pair.other, pair.one):
        assert (await process.post(sent, signed))[0] == 401
    assert pair.prompts == [PROMPT]


async def test_of_the_same_request_many_times_at_once_one_is_taken(pair: Pair) -> None:
    sent = urlencode(command(PROMPT)).encode()
    signed = signature(sent)
    posts = [process.post(sent, signed) for process in (pair.one, pair.other) for _ in range(5)]
    statuses = [status for status, _ in await asyncio.gather(*posts)]
    assert sorted(statuses) == [200] + [401] * 9


@pytest.mark.parametrize("number", ["1", "2", "3"])
async def test_saying_that_it_is_a_repetition_does_not_let_a_replay_in(
    pair: Pair, number: str
) -> None:
    sent = spoken()
    signed = signature(sent)
    assert (await pair.one.post(sent, signed, JSON))[0] == 200
    repeated = {**signed, "X-Slack-Retry-Num": number, "X-Slack-Retry-Reason": "http_timeout"}
    assert (await pair.other.post(sent, repeated, JSON))[0] == 401


async def test_an_event_that_slack_repeats_counts_once_and_is_acked(pair: Pair) -> None:
    sent, now = spoken(), time.time()
    assert (await pair.one.post(sent, signature(sent, now), JSON))[0] == 200
    for later in (1, 2, 3):
        repeated = {"X-Slack-Retry-Num": str(later), "X-Slack-Retry-Reason": "http_timeout"}
        signed = {**signature(sent, now + later), **repeated}
        assert (await pair.other.post(sent, signed, JSON))[0] == 200
    assert pair.prompts == [PROMPT]


async def test_what_was_not_acked_may_come_again_as_it_is(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the same second, what Slack repeats has the same signature."""
    sent = spoken()
    signed = signature(sent)
    dispatch = pair.app.bolt.async_dispatch

    async def broken(request: AsyncBoltRequest) -> BoltResponse:
        monkeypatch.setattr(pair.app.bolt, "async_dispatch", dispatch)
        raise RuntimeError(PROMPT)

    monkeypatch.setattr(pair.app.bolt, "async_dispatch", broken)
    assert (await pair.one.post(sent, signed, JSON))[0] == 400
    assert (await pair.other.post(sent, signed, JSON))[0] == 200
    assert (await pair.one.post(sent, signed, JSON))[0] == 401
    assert pair.prompts == [PROMPT]


async def test_without_redis_first_requests_are_taken_and_replays_are_not(pair: Pair) -> None:
    pair.seen.away = True
    for prompt in ("a fox", "a wolf"):
        sent = urlencode(command(prompt)).encode()
        signed = signature(sent)
        assert (await pair.one.post(sent, signed))[0] == 200
        assert (await pair.one.post(sent, signed))[0] == 401
    assert pair.prompts == ["a fox", "a wolf"]


async def test_what_slack_did_not_sign_is_not_recorded(pair: Pair) -> None:
    """Nobody but Slack can fill the memory."""
    sent = urlencode(command(PROMPT)).encode()
    for signed in (signature(sent, secret="another"), signature(sent, time.time() - 301), {}):
        assert (await pair.one.post(sent, signed, FORM))[0] == 401
    assert pair.seen.kept == {}
    assert pair.prompts == []
