"""What the store has shown of each session so far: starting one over clears its attempts."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

_EVERY = 0.4
Candidate = tuple[str, int, int]
"""Session id, attempt, candidate."""


@dataclass(frozen=True)
class Stored:
    """A session's hash, as plain values."""

    id: str
    stage: str
    root_ts: str = ""
    thread_ts: str = ""
    final_result: int = 0
    final_ts: str = ""
    publication: str = ""
    approved_by: str = ""
    attempts: tuple[dict[str, Any], ...] = ()

    @property
    def owner(self) -> str:
        return self.id.split(".")[1]

    @property
    def newest_draft(self) -> int:
        """Its number, 0 where there is none."""
        drafts = [a["number"] for a in self.attempts if a["message_ts"]]
        return max(drafts, default=0)


def stored_from(fields: dict[str, str]) -> Stored:
    return Stored(
        id=fields["id"],
        stage=fields["stage"],
        root_ts=fields.get("root_ts", ""),
        thread_ts=fields.get("thread_ts", ""),
        final_result=json.loads(fields.get("final_result", "0")),
        final_ts=fields.get("final_ts", ""),
        publication=fields.get("publication", ""),
        approved_by=fields.get("approved_by", ""),
        attempts=tuple(json.loads(fields.get("attempts", "[]"))),
    )


async def read_sessions(redis: Redis) -> list[Stored]:
    """Every session there is."""
    keys = [key async for key in redis.scan_iter("imagine:{*}:session:*", count=500)]
    wanted = [key for key in keys if ":generated_image:" not in key]
    pipeline = redis.pipeline(transaction=False)
    for key in wanted:
        pipeline.hgetall(key)
    return [stored_from(fields) for fields in await pipeline.execute() if fields]


@dataclass
class Archive:
    """`last`: each session as it last had attempts. `responses`: every response id that was ever
    recorded, in their order."""

    url: str
    last: dict[str, Stored] = field(default_factory=dict)
    responses: dict[Candidate, list[str]] = field(default_factory=dict)

    async def run(self) -> None:
        """Look now and then, past all links; Valkey may be away."""
        while True:
            with suppress(RedisError, OSError):
                await self.look()
            await asyncio.sleep(_EVERY)

    async def look(self) -> None:
        async with Redis.from_url(self.url, decode_responses=True, socket_timeout=2.0) as redis:
            self.take(await read_sessions(redis))

    def take(self, sessions: list[Stored]) -> None:
        for session in sessions:
            if session.attempts or session.id not in self.last:
                self.last[session.id] = session
            for attempt in session.attempts:
                for candidate in attempt["candidates"]:
                    if response := candidate["response_id"]:
                        key = (session.id, attempt["number"], candidate["number"])
                        known = self.responses.setdefault(key, [])
                        if response not in known:
                            known.append(response)
