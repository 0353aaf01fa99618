"""How the record lies in Redis: its keys, its entries, and the scripts that write them.

The number of an entry is its id in the stream, `<number>-0`. The script takes the next one from the
stream's own `last-generated-id`, so that there is no counter beside it to lose, and numbers are not
given twice when the last entry is deleted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from bot.adapters.redis.schema import WORKSPACES
from bot.adapters.redis.writes import WRITES, Write
from bot.domain.record import (
    PromptRecording,
    RecordEvent,
    commit,
    commitment_of,
    entry_body,
)
from bot.domain.seals import Floor, RecordEntry, Seal
from bot.domain.session_ids import SessionId

SEALER = "imagine:sealer"
"""String: the run of the worker that seals the records of all workspaces."""

EVERY_RECORD = "imagine:{*}:record"

record_key = "imagine:{{{}}}:record".format
"""(team) → stream: the entries."""

seals_key = "imagine:{{{}}}:record:seals".format
"""(team) → stream: the seals; the id of each is the number of the last entry that it covers."""

floor_key = "imagine:{{{}}}:record:floor".format
"""(team) → string: where a trimmed record begins, as JSON."""

person_key = "imagine:{{{}}}:record:person:{}".format
"""(team, user) → string: the salt and the pseudonym of a person, with a space between."""

_words_key = "imagine:{{{}}}:record:words:{}.{}".format
"""(team, owner, token of a session) → hash: the hash of a text → its salt and itself, as JSON."""

DEFAULT_TTL = 400 * 24 * 3600
PSEUDONYM_LENGTH = 32
NO_SESSION = "others"
"""Stands for a session's token in the key of words that belong to none."""


class RecordPolicy(NamedTuple):
    """`ttl` is how long entries, names and words are kept, in seconds."""

    ttl: int = DEFAULT_TTL
    prompts: PromptRecording = PromptRecording.FULL


APPEND = (
    WRITES
    + """
-- KEYS: the key of each write; ARGV: the writes as JSON
local writes = cjson.decode(ARGV[1])
local obstacle = obstacle_to(writes, 0)
if obstacle then return obstacle end
write_all(writes, 0)
return 1
"""
)

SEAL = """
-- KEYS: the seals, the floor
-- ARGV: the number of the seal before (0 for none), that of the new one, mac, at, keyed, ttl, the
-- id of the key
local found = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local before = found and string.match(found[1], '^%d+')
if not before then
  local floor = redis.call('GET', KEYS[2])
  before = floor and string.format('%.0f', cjson.decode(floor)[1]) or '0'
end
if before ~= ARGV[1] then return 0 end
local fields = {'mac', ARGV[3], 'at', ARGV[4], 'keyed', ARGV[5], 'key_id', ARGV[7]}
redis.call('XADD', KEYS[1], ARGV[2] .. '-0', unpack(fields))
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return 1
"""

TRIM = """
-- KEYS: the record, the seals, the floor; ARGV: the number and the mac of a seal, the floor, ttl
local seal = redis.call('XRANGE', KEYS[2], ARGV[1] .. '-0', ARGV[1] .. '-0')[1]
if not seal or seal[2][2] ~= ARGV[2] then return 0 end
local first = string.format('%.0f-0', tonumber(ARGV[1]) + 1)
redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[4])
redis.call('XTRIM', KEYS[1], 'MINID', first)
redis.call('XTRIM', KEYS[2], 'MINID', first)
return 1
"""


async def list_workspace(redis: Any, team: str, ttl: int) -> None:
    """The sealer looks for records in the workspaces that are listed. Where the list lives longer
    for its sessions, it stays so."""
    await redis.zadd(WORKSPACES, {team: time.time()})
    if await redis.pttl(WORKSPACES) < 1000 * ttl:
        await redis.expire(WORKSPACES, ttl)


def words_key(session_id: str) -> str:
    """Hash: the texts of a session. The key names the owner, to find all of a person's."""
    return _words_key(*SessionId.parse(session_id))


def record_writes(
    team: str, events: Iterable[RecordEvent], now: float, policy: RecordPolicy
) -> Iterator[Write]:
    """The writes of a commit for these events."""
    record, ttl, any_event = record_key(team), str(policy.ttl), False
    for event in events:
        any_event = True
        words = {name: commit(text) for name, text in event.texts(policy.prompts).items()}
        if words:
            owner = f"{team}.{event.about or event.person}.{NO_SESSION}"
            key = words_key(event.session_id or owner)
            for salt, text, commitment in words.values():
                yield key, ["HSET", commitment, json.dumps([salt, text], separators=(",", ":"))]
            yield key, ["EXPIRE", ttl]
        if event.person:
            yield person_key(team, event.person), ["PERSON", _new_pseudonym(event.person), ttl]
        yield record, ["XENTRY", entry_body(event, now, words), "1" if event.person else ""]
    if any_event:
        yield record, ["EXPIRE", ttl]


def _new_pseudonym(user: str) -> str:
    salt, _, commitment = commit(user)
    return f"{salt} {commitment[:PSEUDONYM_LENGTH]}"


def pseudonym_fits(user: str, kept: str) -> bool:
    """Whether the pseudonym in a person's key is that person's."""
    salt, _, pseudonym = kept.partition(" ")
    return commitment_of(salt, user)[:PSEUDONYM_LENGTH] == pseudonym


def entry_from(found: tuple[str, dict[str, str]]) -> RecordEntry:
    identifier, fields = found
    return RecordEntry(number_of(identifier), fields.get("body", ""), fields.get("person", ""))


def up_to(last: int, entries: list[RecordEntry]) -> list[RecordEntry]:
    """Without those that came since that number was the last: their names and words may have come
    since the keys of these were looked up."""
    return [entry for entry in entries if entry.number <= last]


def seal_from(found: tuple[str, dict[str, str]]) -> Seal:
    identifier, fields = found
    return Seal(
        number_of(identifier),
        fields.get("mac", ""),
        fields.get("at", ""),
        fields.get("keyed") == "1",
        fields.get("key_id", ""),
    )


def floor_to_json(floor: Floor) -> str:
    """`keyed` is the key's id where there is one, which an older version reads as true."""
    kept = [floor.number, floor.seal, floor.key_id or floor.keyed, floor.mac]
    return json.dumps(kept, separators=(",", ":"))


def floor_from_json(stored: str) -> Floor:
    try:
        number, seal, keyed, mac = json.loads(stored)
        floor = Floor(int(number), str(seal), bool(keyed), str(mac))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return Floor(0, "", keyed=False, mac="")  # somebody broke it: it is not the program's
    return floor._replace(key_id=keyed) if isinstance(keyed, str) else floor


def number_of(identifier: str) -> int:
    """The number in the id of an entry or a seal."""
    return int(identifier.partition("-")[0])
