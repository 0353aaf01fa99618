"""The entries of a record as rows, with the names and words that are not deleted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

from bot.adapters.redis import RedisRecord
from bot.adapters.redis.record_reader import SideKeys, Words
from bot.adapters.redis.record_schema import pseudonym_fits, up_to
from bot.domain.record import commitment_of, entry_facts
from bot.domain.seals import RecordEntry, utc_time

WITHHELD = "withheld"
COLUMNS = (
    "workspace",
    "number",
    "time",
    "kind",
    "session",
    "person",
    "attempt",
    "candidate",
    "model",
    "sha256",
    "channel",
    "message",
    "reason",
    "prompt",
    "change",
    "other",
    "sealed",
    "withheld",
)
_RENAMED = {"at", "words", "sealed", "workspace", "number", "time", "person", "other", "withheld"}


class Row(NamedTuple):
    """An entry with what stands for its hashes. `problems` are sentences: names and words that are
    not those of the entry. `withheld` are the columns and facts whose name or text is deleted: a
    person can have typed that word, too."""

    values: dict[str, Any]
    problems: list[str]
    withheld: list[str]


async def rows_of(record: RedisRecord, team: str) -> AsyncIterator[Row]:
    """Every entry of a workspace, oldest first, as the record is now."""
    last, _ = await record.last_numbers(team)
    sides = await record.side_keys(team)
    async for batch in record.batches(team):
        entries = up_to(last, batch.entries)
        words = await record.words_of(entries, sides)
        for entry in entries:
            yield row_of(team, entry, sides, words, sealed=batch.seal is not None)


def row_of(team: str, entry: RecordEntry, sides: SideKeys, kept: Words, *, sealed: bool) -> Row:
    facts, problems = entry_facts(entry.body), list[str]()
    hashes = hashes_of(facts)
    told = {name: _text(name, entry.number, of, kept, problems) for name, of in hashes.items()}
    withheld = [name for name, of in hashes.items() if of not in kept]
    if entry.person and entry.person not in sides.people:
        withheld.append("person")
    person = _person(entry, sides, problems)
    rest = {n: v for n, v in {**facts, **told}.items() if n not in {*COLUMNS, *_RENAMED}}
    values = {name: facts[name] for name in COLUMNS if name in facts and name not in _RENAMED}
    values |= {
        "workspace": team,
        "number": entry.number,
        "time": utc_time(facts.get("at")),
        "person": person,
        "other": json.dumps(rest, sort_keys=True) if rest else "",
        "sealed": sealed,
        "withheld": " ".join(withheld),
        **told,
    }
    return Row({name: values.get(name, "") for name in COLUMNS}, problems, withheld)


def hashes_of(facts: Mapping[str, Any]) -> dict[str, str]:
    """What stands for the texts of an entry, by their names."""
    words = facts.get("words", {})
    return {name: str(of) for name, of in words.items()} if isinstance(words, dict) else {}


def _text(name: str, number: int, commitment: str, kept: Words, problems: list[str]) -> str:
    if commitment not in kept:
        return WITHHELD
    salt, text = kept[commitment]
    if commitment_of(salt, text) != commitment:
        problems.append(f"entry {number}: the stored {name} is not the one of the entry")
    return text


def _person(entry: RecordEntry, sides: SideKeys, problems: list[str]) -> str:
    if not entry.person:
        return ""
    if entry.person not in sides.people:
        return WITHHELD
    user, kept = sides.people[entry.person]
    if not pseudonym_fits(user, kept):
        problems.append(f"entry {entry.number}: the stored name is not the one of the entry")
    return user
