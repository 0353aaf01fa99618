"""The record as it is at the end, read past the program; and what `verify` says about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from redis.asyncio import Redis

from bot.adapters.redis import RecordPolicy, RedisBooks, RedisRecord
from bot.domain.seals import SealingKeys
from bot.jobs.sealer import RecordSealer
from bot.ops.audit.verify import Verification

DAY = 86_400
AUDIT_KEY = "the chaos run's own key, which nobody else has"


class RecordLine(NamedTuple):
    """An entry; `person` is the user id behind the pseudonym, `session` the token of its id."""

    number: int
    kind: str
    session: str = ""
    attempt: int = 0
    person: str = ""
    message: str = ""
    sha256: str = ""


@dataclass
class RecordBook:
    """`problems`: what breaks the chain."""

    lines: list[RecordLine] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def of(self, kind: str, session_id: str) -> list[RecordLine]:
        """Those of a session; of one that was taken back and begun anew, those of the last."""
        token = session_id.split(".", 2)[-1]
        mine = [line for line in self.lines if line.session == token]
        ends = [number for number, line in enumerate(mine) if line.kind == "deleted"]
        return [line for line in mine[ends[-1] + 1 if ends else 0 :] if line.kind == kind]


async def read_record(redis: Redis) -> RecordBook:
    """Every workspace's, after what is left to seal has been sealed, as the next worker would."""
    book = RecordBook()
    record = RedisRecord(redis, 30.0, RecordPolicy())
    for team in await record.recorded_teams():
        sealer = RecordSealer(record, SealingKeys(AUDIT_KEY), RecordPolicy().ttl)
        while await sealer.seal(team):
            pass
        books = RedisBooks(redis, ledger_ttl=DAY, patience=30.0)
        verification = Verification(
            record, books, SealingKeys(AUDIT_KEY), RecordPolicy().ttl, delay=DAY
        )
        check = await verification.check(team)
        book.problems += check.problems + check.unchecked
        book.lines += await _lines(redis, team)
    return book


async def _lines(redis: Any, team: str) -> list[RecordLine]:
    people = {}
    prefix = f"imagine:{{{team}}}:record:person:"
    async for key in redis.scan_iter(f"{prefix}*"):
        people[(await redis.get(key)).split(" ")[1]] = key.removeprefix(prefix)
    lines = []
    for identifier, fields in await redis.xrange(f"imagine:{{{team}}}:record"):
        facts = json.loads(fields["body"])
        known = {name: facts[name] for name in RecordLine._fields[2:] if name in facts}
        known["person"] = people[fields["person"]] if fields["person"] else ""
        lines.append(RecordLine(int(identifier.split("-")[0]), facts["kind"], **known))
    return lines
