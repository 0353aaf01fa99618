"""The chain over the record: what a seal covers, and what breaks it.

Each seal covers the entries since the one before it, and that seal too:

    seal = HMAC-SHA-256(AUDIT_KEY, [team, seal before, time, entries since])

Each seal names its key by an id, so that the key can be changed: a new key seals from then on, and
seals of the old ones are checked with these. Without a key a seal is a SHA-256, which anybody who
can write to the store can compute anew. When old
entries are trimmed, a signed floor keeps the number and the seal that the rest follows from.

`RecordCheck` reads a record from its floor to its end and lists what is wrong with it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_VERSION = 1
_KEY_ID_LENGTH = 12


class RecordEntry(NamedTuple):
    """An entry as it is stored: its number, its JSON, and the pseudonym of who did it."""

    number: int
    body: str
    person: str = ""


class Seal(NamedTuple):
    """`number` is that of the last entry that it covers; `at` is seconds since the epoch as text;
    `keyed`: it was made with a key. `key_id` is the key's; empty where there was none, or where the
    version that made it did not name the key."""

    number: int
    mac: str
    at: str
    keyed: bool
    key_id: str = ""


class Floor(NamedTuple):
    """Where a trimmed record begins: the last seal whose entries are gone, and the mark of both.
    `keyed` and `key_id` are as in a seal."""

    number: int
    seal: str
    keyed: bool
    mac: str
    key_id: str = ""


class SealingKeys(NamedTuple):
    """`current` seals; all of them check. `old` are those that sealed earlier."""

    current: str = ""
    old: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        return tuple(key for key in (self.current, *self.old) if key)

    def keys_for(self, mark: Seal | Floor) -> tuple[str, ...]:
        """The key that a seal or a floor names; all keys where it names none. Empty where its key
        is not given."""
        if not mark.keyed:
            return ("",)
        return tuple(key for key in self.given if mark.key_id in ("", key_id(key)))


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
    """Whether the seal is of these entries, behind the seal `before`."""
    if not entries:
        return False
    return any(
        _is_same(seal_entries(team, before, seal.at, entries, key).mac, seal.mac)
        for key in keys.keys_for(seal)
    )


def floor_at(team: str, seal: Seal, key: str) -> Floor:
    mac = _floor_mac(team, seal.number, seal.mac, key)
    return Floor(seal.number, seal.mac, bool(key), mac, key_id(key))


def is_floor_intact(team: str, floor: Floor, keys: SealingKeys) -> bool:
    return any(
        _is_same(_floor_mac(team, floor.number, floor.seal, key), floor.mac)
        for key in keys.keys_for(floor)
    )


def _floor_mac(team: str, number: int, seal: str, key: str) -> str:
    return _mac(["floor", team, number, seal], key)


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _mac(content: list[object], key: str) -> str:
    text = json.dumps([_VERSION, *content], separators=(",", ":")).encode()
    if not key:
        return hashlib.sha256(text).hexdigest()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


@dataclass
class RecordCheck:
    """Takes a record in its order: `begin` once, `batch` for each seal, `rest`, `finish` once.
    `problems` are sentences; empty where nothing was changed. So are `unchecked`: what was sealed
    with keys that are not given. The record stands where both are empty. `head` is one that was
    logged earlier, as its number and its seal."""

    team: str
    keys: SealingKeys
    head: tuple[int, str] | None = None
    problems: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    sealed: int = 0
    unsealed: int = 0
    _number: int = 0
    _tail: int = 0
    _mac: str = ""
    _keyed: bool = False
    _unkeyed_floor: bool = False
    _head_found: bool = False
    _last_unchecked: tuple[int, int, str] | None = None

    def begin(self, floor: Floor | None) -> None:
        if floor is None:
            return
        self._number, self._mac = floor.number, floor.seal
        self._keyed = floor.keyed
        self._look_for_head(floor.number, floor.seal)
        if self.head and self.head[0] < floor.number:
            self.problems.append(f"the logged head {self.head[0]} was trimmed: take a newer one")
            self._head_found = True
        if not self.keys.keys_for(floor):
            self.unchecked.append(f"the floor at {floor.number}: {self._unknown_key(floor)}")
        elif not is_floor_intact(self.team, floor, self.keys):
            self.problems.append(f"the floor at {floor.number} is not the program's")
        self._unkeyed_floor = bool(self.keys.given) and not floor.keyed

    def batch(self, seal: Seal, entries: Sequence[RecordEntry]) -> None:
        """`entries` are those after the seal before, up to this one."""
        if seal.number <= self._number:
            self.problems.append(f"the seal {seal.number} stands out of its order")
            return
        if not self.sealed:
            self._judge_unkeyed_floor(seal.keyed)
        self._gaps(self._number, entries, seal.number)
        span = _span(self._number + 1, seal.number)
        if self._keyed and not seal.keyed:
            self.problems.append(f"{span}: sealed without AUDIT_KEY after seals with it")
        elif not self.keys.keys_for(seal):
            self._cannot_check(self._number + 1, seal)
        elif not is_seal_intact(self.team, self._mac, seal, entries, self.keys):
            self.problems.append(f"{span}: not what was sealed{_or_unknown_key(seal)}")
        self.sealed += len(entries)
        self._keyed = self._keyed or seal.keyed
        self._number, self._mac = seal.number, seal.mac
        self._look_for_head(seal.number, seal.mac)

    def rest(self, entries: Sequence[RecordEntry]) -> None:
        """`entries` have no seal yet; they come in parts."""
        tail = max(self._tail, self._number)
        self._tail = max([tail, *(entry.number for entry in entries)])
        self._gaps(tail, entries, self._tail)
        self.unsealed += len(entries)

    def finish(self, last_number: int, last_seal: int) -> None:
        """`last_number` and `last_seal` are the highest numbers that the store had ever given to an
        entry and to a seal of this record before it was read."""
        if not self.sealed:
            self._judge_unkeyed_floor(has_key_behind=True)
        if last_seal > self._number:
            self.problems.append(f"the last seal is gone: there was one of {last_seal}")
        self._gaps(max(self._tail, self._number), [], last_number)
        if last_number < last_seal:
            self.problems.append(f"entries were numbered anew: {last_number} after {last_seal}")
        if self.keys.given and self.sealed and not self._keyed:
            self.problems.append("no seal was made with AUDIT_KEY")
        if self.head and not self._head_found:
            self.problems.append(f"the logged head {self.head[0]} is not in the record")

    def _judge_unkeyed_floor(self, has_key_behind: bool) -> None:
        """A floor without a key is the program's where seals without one follow: AUDIT_KEY was set
        later."""
        if self._unkeyed_floor and has_key_behind:
            self.problems.append(f"the floor at {self._number} was made without AUDIT_KEY")
        self._unkeyed_floor = False

    def _look_for_head(self, number: int, mac: str) -> None:
        if self.head and self.head[0] == number:
            self._head_found = _is_same(self.head[1], mac)

    def _cannot_check(self, first: int, seal: Seal) -> None:
        """Seals of one key that follow each other are told together."""
        last = self._last_unchecked
        if last and last[1:] == (first - 1, seal.key_id):
            first = last[0]
            self.unchecked.pop()
        self._last_unchecked = first, seal.number, seal.key_id
        self.unchecked.append(f"{_span(first, seal.number)}: {self._unknown_key(seal)}")

    def _unknown_key(self, mark: Seal | Floor) -> str:
        named = f" (its id is {mark.key_id})" if mark.key_id else ""
        if not self.keys.given:
            return f"sealed with AUDIT_KEY, which is not set here{named}"
        return f"sealed with a key that is not given{named}"

    def _gaps(self, before: int, entries: Sequence[RecordEntry], last: int) -> None:
        """Numbers that are missing after `before`, up to `last`."""
        expected = before + 1
        for number in [*(entry.number for entry in entries), last + 1]:
            if number > expected:
                self.problems.append(f"{_span(expected, number - 1)}: missing")
            expected = max(expected, number + 1)


def _or_unknown_key(seal: Seal) -> str:
    """A version that did not name its key leaves open whether the key is a given one."""
    return ", or sealed with a key that is not given" if seal.keyed and not seal.key_id else ""


def _span(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first}–{last}"
