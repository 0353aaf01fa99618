"""A record on a real server, as the program writes it, for what changes, seals and reads it."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from bot.__main__ import _parser
from bot.adapters.redis import RecordPolicy, RedisRecord, RedisSessionStore
from bot.adapters.redis.record_schema import floor_key, record_key, seals_key
from bot.domain import begin, generation, publication, transitions
from bot.domain.attempt import ImageRef
from bot.domain.books import call_ended
from bot.domain.costs import CallOutcome, CallState, Cost, Reservation, Usage, day_of, month_of
from bot.domain.seals import SealingKeys
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.jobs.sealer import HEAD_EVERY, RecordSealer
from bot.ops.audit import audit
from bot.settings import Settings
from tests.fakes import IMAGE, OWNER, PROMPT, STRANGER, FakeTime, a_session, with_latest

KEY = "a key of at least thirty-two characters"
KEYS = SealingKeys(KEY)
NEW_KEY = "a newer key of at least thirty-two characters"
DAY = 86_400
TTL = 30 * DAY
NEW = a_session(Stage.INITIAL_INPUT)
FIRST = ImageRef(1)


RECORD, SEALS, FLOOR = record_key("T1"), seals_key("T1"), floor_key("T1")


MEASURED = CallOutcome(CallState.MEASURED, Usage(image_out=5), Cost(700, "test", known=True))
UTC = ZoneInfo("UTC")


class Bench(NamedTuple):
    """A store, its record, a sealer whose clock the test sets, and the commands."""

    redis: Any
    url: str
    store: RedisSessionStore
    record: RedisRecord
    sealer: RecordSealer
    time: FakeTime
    capsys: pytest.CaptureFixture[str]

    async def published(
        self, token: str = "abc123", prompt: str = PROMPT, held: Reservation | None = None
    ) -> Session:
        """A session from its prompt to the channel: five entries. Its image is in the ledger where
        it was held."""
        new = replace(NEW, id=f"T1.{OWNER}.{token}", version=0)
        begun = begin.asked_by(new, begin.submit(new, prompt, 1.0), OWNER)
        if held:
            begun = with_latest(begun, reserved=held)
        await self.store.create(begun)
        for change in (
            lambda s: generation.started(s, FIRST, "r", 2.0),
            lambda s: generation.paid_call_counted(s, FIRST, "r", 0) if held else s,
            lambda s: call_ended(s, FIRST, 1, MEASURED),
            lambda s: generation.image_made(s, FIRST, IMAGE, 3.0),
            lambda s: generation.draft_posted(s, 1, "1.5", 4.0),
            lambda s: transitions.approve(s, FIRST, STRANGER, 5.0),
            lambda s: publication.final_posted(s, "9.0"),
        ):
            session = await self.store.update(begun.id, change)
        return session

    async def paid(self, token: str) -> Session:
        day = day_of(time.time(), UTC)
        held = Reservation(OWNER, day, month_of(day), 1_000, priced=True)
        return await self.published(token, held=held)

    async def run(self, *words: str, key: str = KEY, old: str = "") -> tuple[int, str]:
        """A command's exit code and output."""
        options: argparse.Namespace = _parser().parse_args(["audit", *words])
        settings = Settings(  # type: ignore[call-arg]
            _env_file=None,
            redis_url=SecretStr(self.url),
            audit_key=SecretStr(key),
            audit_key_fallbacks=SecretStr(old),
        )
        code = await audit(options, settings)
        return code, self.capsys.readouterr().out

    async def entries(self, team: str = "T1") -> list[tuple[str, dict[str, str]]]:
        found: list[tuple[str, dict[str, str]]] = await self.redis.xrange(record_key(team))
        return found


def a_bench(redis: Any, redis_url: str, capsys: pytest.CaptureFixture[str]) -> Bench:
    clock = FakeTime()
    policy = RecordPolicy(TTL)
    store = RedisSessionStore(redis, session_ttl=600, image_ttl=60, patience=5.0, record=policy)
    record = RedisRecord(redis, 5.0, policy)
    sealer = RecordSealer(record, KEYS, TTL, lambda: clock.now)
    return Bench(redis, redis_url, store, record, sealer, clock, capsys)


async def sealed(bench: Bench) -> None:
    """Three seals of five entries."""
    for token in ("one", "two", "three"):
        await bench.published(token)
        await bench.sealer.seal_all()


async def rewrite(bench: Bench, number: int, body: str) -> None:
    """Put the stream together anew, as nobody can change an entry of it in place."""
    key, entries = record_key("T1"), await bench.entries()
    await bench.redis.delete(key)
    for identifier, fields in entries:
        written = {**fields, "body": body} if identifier == f"{number}-0" else fields
        await bench.redis.xadd(key, written, id=identifier)


async def aged(bench: Bench) -> None:
    """Three seals of five entries, the first two of which are too old."""
    await sealed(bench)
    bodies = [json.loads(fields["body"]) for _, fields in await bench.entries()]
    await bench.redis.delete(record_key("T1"), seals_key("T1"))
    for number, body in enumerate(bodies, 1):
        at = 1e9 if number <= 10 else 1e9 + TTL + 60
        fields = {"body": json.dumps({**body, "at": at}), "person": ""}
        await bench.redis.xadd(record_key("T1"), fields, id=f"{number}-0")
        if number % 5 == 0:
            bench.time.now = at
            while await bench.sealer.seal("T1"):
                pass
    bench.time.now += HEAD_EVERY


Fields = dict[str, str] | list[tuple[str, str]]
"""Of an entry or a seal; a list where one stands there twice."""


async def put(bench: Bench, key: str, rows: Sequence[tuple[str, Fields]]) -> None:
    """Put a stream together anew, with these in it."""
    await bench.redis.delete(key)
    for identifier, fields in rows:
        pairs = fields.items() if isinstance(fields, dict) else fields
        flat = [text for pair in pairs for text in pair]
        await bench.redis.execute_command("XADD", key, identifier, *flat)
