"""The chain over the record: what a seal covers, and with which key.

Each seal covers the entries since the one before it, and that seal too:

    seal = HMAC-SHA-256(AUDIT_KEY, [team, seal before, time, entries since])

Each seal names its key by an id, so that the key can be changed: a new key seals from then on, and
seals of the old ones are checked with these. Without a key a seal is a SHA-256, which anybody who
can write to the store can compute anew. When old
entries are trimmed, a signed floor keeps the number and the seal that the rest follows from.

`bot.domain.record_check` reads a record and lists what is wrong with it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

_VERSION = 1
_KEY_ID_LENGTH = 12
NO_KEY = "none"
"""Stands among the older keys for the time before there was one."""


class RecordEntry(NamedTuple):
    """An entry as it is stored: its number, its JSON, and the pseudonym of who did it.
    `uncovered`: what is stored with it that no seal covers, in words."""

    number: int
    body: str
    person: str = ""
    uncovered: str = ""


class Seal(NamedTuple):
    """`number` is that of the last entry that it covers; `at` is seconds since the epoch as text;
    `keyed`: it was made with a key. `key_id` is the key's; empty where there was none, or where the
    version that made it did not name the key. `uncovered` is as in an entry."""

    number: int
    mac: str
    at: str
    keyed: bool
    key_id: str = ""
    uncovered: str = ""


class Floor(NamedTuple):
    """Where a trimmed record begins: the last seal whose entries are gone, and the mark of both.
    `keyed` and `key_id` are as in a seal."""

    number: int
    seal: str
    keyed: bool
    mac: str
    key_id: str = ""


class SealingKeys(NamedTuple):
    """`current` seals; all of them check. `old` are those that sealed earlier. `none_before`: the
    operator says that the record began without a key."""

    current: str = ""
    old: tuple[str, ...] = ()
    none_before: bool = False

    @classmethod
    def listed(cls, current: str, others: Sequence[str]) -> SealingKeys:
        return cls(current, tuple(key for key in others if key != NO_KEY), NO_KEY in others)

    @property
    def given(self) -> tuple[str, ...]:
        return tuple(key for key in (self.current, *self.old) if key)

    def keys_for(self, mark: Seal | Floor) -> tuple[str, ...]:
        """The key that a seal or a floor names; all keys where it names none. Empty where its key
        is not given."""
        if not mark.keyed:
            return ("",)
        return tuple(key for key in self.given if mark.key_id in ("", key_id(key)))

    def explain(self, mark: Seal | Floor) -> bool:
        """Whether it is known why a seal or a floor was made without a key. Somebody without
        the key can make one, too."""
        return mark.keyed or self.none_before or not self.given


def key_id(key: str) -> str:
    """Tells keys apart without telling them; empty for no key."""
    return _mac(["key"], key)[:_KEY_ID_LENGTH] if key else ""


def seal_entries(team: str, before: str, at: str, entries: Sequence[RecordEntry], key: str) -> Seal:
    """The seal of these entries; `before` is the `mac` of the seal before, empty for the first."""
    covered = [[entry.number, entry.body, entry.person] for entry in entries]
    mac = _mac(["seal", team, before, at, covered], key)
    return Seal(entries[-1].number, mac, at, bool(key), key_id(key))


def is_seal_intact(
    team: str, before: str, seal: Seal, entries: Sequence[RecordEntry], keys: SealingKeys
) -> bool:
    """Whether the seal is of these entries and all that is stored with them, behind the seal
    `before`."""
    if not entries or seal.uncovered or any(entry.uncovered for entry in entries):
        return False
    return any(
        is_same(seal_entries(team, before, seal.at, entries, key).mac, seal.mac)
        for key in keys.keys_for(seal)
    )


def floor_at(team: str, seal: Seal, key: str) -> Floor:
    mac = _floor_mac(team, seal.number, seal.mac, key)
    return Floor(seal.number, seal.mac, bool(key), mac, key_id(key))


def is_floor_intact(team: str, floor: Floor, keys: SealingKeys) -> bool:
    return any(
        is_same(_floor_mac(team, floor.number, floor.seal, key), floor.mac)
        for key in keys.keys_for(floor)
    )


def _floor_mac(team: str, number: int, seal: str, key: str) -> str:
    return _mac(["floor", team, number, seal], key)


def is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(*(text.encode(errors="surrogatepass") for text in (one, other)))


def _mac(content: list[object], key: str) -> str:
    text = json.dumps([_VERSION, *content], separators=(",", ":")).encode()
    if not key:
        return hashlib.sha256(text).hexdigest()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def utc_time(at: object) -> str:
    """Seconds since the epoch as a date and a time; empty where it is broken."""
    if not isinstance(at, int | float):
        return ""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return ""
