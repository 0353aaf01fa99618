"""How the record lies in Redis: its keys, its entries, its seals and its floor.

The number of an entry is its id in the stream, `<number>-0`. The script takes the next one from the
stream's own `last-generated-id`, so that there is no counter beside it to lose, and numbers are not
given twice when the last entry is deleted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from bot.adapters.redis.atomic_writes import Write
from bot.adapters.redis.json_text import json_text
from bot.adapters.redis.schema import WORKSPACES
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
_BROKEN_FLOOR = Floor(0, "", keyed=False, mac="")  # no program's
NO_SESSION = "others"
"""Stands for a session's token in the key of words that belong to none."""


class RecordPolicy(NamedTuple):
    """`ttl` is how long entries, names and words are kept, in seconds."""

    ttl: int = DEFAULT_TTL
    prompts: PromptRecording = PromptRecording.FULL


Stored = tuple[str, list[str]]
"""An entry or a seal in its stream: its id, and its fields and their values in turn."""


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
                yield key, ["HSET", commitment, json_text([salt, text])]
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


def entry_from(found: Stored) -> RecordEntry:
    identifier, fields = found
    stored = _pairs(fields)
    is_whole = fields[::2] == ["body", "person"]
    return RecordEntry(
        number_of(identifier),
        stored.get("body", ""),
        stored.get("person", ""),
        _uncovered(identifier, is_whole=is_whole),
    )


def up_to(last: int, entries: list[RecordEntry]) -> list[RecordEntry]:
    """Without those that came since that number was the last: their names and words may have come
    since the keys of these were looked up."""
    return [entry for entry in entries if entry.number <= last]


def seal_from(found: Stored) -> Seal:
    """An older version did not name the key."""
    identifier, fields = found
    stored = _pairs(fields)
    keyed, key_id = stored.get("keyed"), stored.get("key_id", "")
    is_old = fields[::2] == ["mac", "at", "keyed"]
    names_key = fields[::2] == ["mac", "at", "keyed", "key_id"] and bool(key_id) == (keyed == "1")
    return Seal(
        number_of(identifier),
        stored.get("mac", ""),
        stored.get("at", ""),
        keyed == "1",
        key_id,
        _uncovered(identifier, is_whole=keyed in ("0", "1") and (is_old or names_key)),
    )


def _pairs(fields: list[str]) -> dict[str, str]:
    return dict(zip(fields[::2], fields[1::2], strict=True))


def _uncovered(identifier: str, *, is_whole: bool) -> str:
    """What is not as the program stores it, in words. The seals cover the number and the values."""
    if not identifier.endswith("-0"):
        return f"it stands as {identifier}"
    return "" if is_whole else "its fields are not the program's"


def floor_to_json(floor: Floor) -> str:
    """`keyed` is the key's id where there is one, which an older version reads as true."""
    kept = [floor.number, floor.seal, floor.key_id or floor.keyed, floor.mac]
    return json.dumps(kept, separators=(",", ":"))


def floor_from_json(stored: str) -> Floor:
    try:
        number, seal, keyed, mac = json.loads(stored)
        floor = Floor(int(number), str(seal), bool(keyed), str(mac))
        if isinstance(keyed, str):
            floor = floor._replace(key_id=keyed)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return _BROKEN_FLOOR
    return floor if floor_to_json(floor) == stored else _BROKEN_FLOOR


def number_of(identifier: str) -> int:
    """The number in the id of an entry or a seal."""
    return int(identifier.partition("-")[0])
