"""`RecordCheck` reads a record from its floor to its end and lists what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.record import entry_time
from bot.domain.seals import (
    NO_KEY,
    Floor,
    RecordEntry,
    Seal,
    SealingKeys,
    is_floor_intact,
    is_same,
    is_seal_intact,
    utc_time,
)

LATE = 3_600.0
"""Seconds. What was sealed so long after it was written, nobody could check until then."""
_ADD_NONE = f"Add `{NO_KEY}` to AUDIT_KEY_FALLBACKS if the key was set then"


@dataclass
class RecordCheck:
    """Takes a record in its order: `begin` once, `batch` for each seal, `rest`, `finish` once.
    `problems` are sentences; empty where nothing was changed. So are `unchecked`: what no seal or
    none of a given key holds. The record stands where both are empty. `notes` are what a reader of
    a record that stands has to know. `head` is one that was logged earlier, as its number and its
    seal."""

    team: str
    keys: SealingKeys
    head: tuple[int, str] | None = None
    problems: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sealed: int = 0
    unsealed: int = 0
    _number: int = 0
    _tail: int = 0
    _mac: str = ""
    _keyed: bool = False
    _unkeyed_floor: bool = False
    _unkeyed_up_to: int = 0
    _first_keyed: Seal | None = None
    _late: int = 0
    _late_up_to: int = 0
    _waiting: list[tuple[int, float]] = field(default_factory=list)
    _head_found: bool = False
    _last_unchecked: tuple[int, int, str] | None = None

    def begin(self, floor: Floor | None) -> None:
        if floor is None:
            return
        self._number, self._mac = floor.number, floor.seal
        self._keyed = floor.keyed
        if floor.number:
            trimmed = f"the entries up to {floor.number} were trimmed, with a signed floor"
            self.notes.append(trimmed)
        self._look_for_head(floor.number, floor.seal)
        if self.head and self.head[0] < floor.number:
            self.problems.append(f"the logged head {self.head[0]} was trimmed: take a newer one")
            self._head_found = True
        if not self.keys.keys_for(floor):
            self.unchecked.append(f"the floor at {floor.number}: {self._unknown_key(floor)}")
        elif not is_floor_intact(self.team, floor, self.keys):
            self.problems.append(f"the floor at {floor.number} is not the program's")
        self._unkeyed_floor = bool(self.keys.given) and not floor.keyed
        self._unkeyed_up_to = floor.number if self._unkeyed_floor else 0

    def batch(self, seal: Seal, entries: Sequence[RecordEntry]) -> None:
        """`entries` are those after the seal before, up to this one."""
        if seal.number <= self._number:
            self.problems.append(f"the seal {seal.number} stands out of its order")
            return
        if not self.sealed:
            self._judge_unkeyed_floor(seal.keyed)
        if seal.uncovered:
            self.problems.append(f"the seal {seal.number}: {seal.uncovered}")
        self._judge_numbers(self._number, entries, seal.number)
        self._judge_seal(seal, entries)
        self.sealed += len(entries)
        self._keyed = self._keyed or seal.keyed
        self._number, self._mac = seal.number, seal.mac
        self._look_for_head(seal.number, seal.mac)

    def _judge_seal(self, seal: Seal, entries: Sequence[RecordEntry]) -> None:
        span = _span(self._number + 1, seal.number)
        if self._keyed and not seal.keyed:
            self.problems.append(f"{span}: sealed without AUDIT_KEY after seals with it")
        elif not self.keys.keys_for(seal):
            self._cannot_check(self._number + 1, seal)
        elif not is_seal_intact(self.team, self._mac, seal, entries, self.keys):
            self.problems.append(f"{span}: not what was sealed{_or_unknown_key(seal)}")
        elif not seal.keyed and self.keys.given:
            self._unkeyed_up_to = seal.number
        elif not self._keyed:
            self._first_keyed = seal
        if entries and _sealed_at(seal) - entry_time(entries[0].body) > LATE:
            self._late += len(entries)
            self._late_up_to = seal.number

    def rest(self, entries: Sequence[RecordEntry]) -> None:
        """`entries` have no seal yet; they come in parts."""
        tail = max(self._tail, self._number)
        self._tail = max([tail, *(entry.number for entry in entries)])
        self._judge_numbers(tail, entries, self._tail)
        self.unsealed += len(entries)
        self._waiting += [(entry.number, entry_time(entry.body)) for entry in entries]

    def finish(self, last_number: int, last_seal: int, now: float) -> None:
        """`last_number` and `last_seal` are the highest numbers that the store had ever given to an
        entry and to a seal of this record before it was read; `now` is seconds since the epoch."""
        if not self.sealed:
            self._judge_unkeyed_floor(has_key_behind=True)
            self.unchecked.append("no entry has a seal: nothing tells whether one was changed")
        elif waiting := [number for number, at in self._waiting if now - at > LATE]:
            self.unchecked.append(
                f"{_span(waiting[0], waiting[-1])}: written more than an hour ago and not sealed: "
                "nothing tells whether one was changed"
            )
        if last_seal > self._number:
            self.problems.append(f"the last seal is gone: there was one of {last_seal}")
        self._judge_numbers(max(self._tail, self._number), [], last_number)
        if last_number < last_seal:
            self.problems.append(f"entries were numbered anew: {last_number} after {last_seal}")
        self._judge_unkeyed_beginning()
        if self._late:
            self.notes.append(
                f"{self._late} entries up to {self._late_up_to} were sealed more than an hour "
                "after they were written: a change of them before that is not found"
            )
        if self.head and not self._head_found:
            self.problems.append(f"the logged head {self.head[0]} is not in the record")

    def _judge_unkeyed_floor(self, has_key_behind: bool) -> None:
        """A floor without a key is the program's where seals without one follow: AUDIT_KEY was set
        later."""
        if self._unkeyed_floor and has_key_behind:
            self.problems.append(f"the floor at {self._number} was made without AUDIT_KEY")
            self._unkeyed_up_to = 0
        self._unkeyed_floor = False

    def _judge_unkeyed_beginning(self) -> None:
        """Seals without a key are those of a record that began before AUDIT_KEY was set, or of
        somebody who has rewritten it without knowing the key. Nothing in Redis tells which."""
        if not self._unkeyed_up_to:
            return
        if not self._keyed:
            to = self.unchecked if self.keys.none_before else self.problems
            to.append("no seal was made with AUDIT_KEY")
            return
        first = self._first_keyed
        at = f", at {utc_time(_sealed_at(first))}," if first else ""
        sentence = (
            f"entries up to {self._unkeyed_up_to}: sealed without AUDIT_KEY; a change of them "
            f"before it first sealed{at} is not found"
        )
        if self.keys.none_before:
            self.notes.append(sentence)
        else:
            self.unchecked.append(f"{sentence}. {_ADD_NONE}")

    def _look_for_head(self, number: int, mac: str) -> None:
        if self.head and self.head[0] == number:
            self._head_found = is_same(self.head[1], mac)

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

    def _judge_numbers(self, before: int, entries: Sequence[RecordEntry], last: int) -> None:
        """The entries after `before`, up to `last`: each number once, and none of them missing."""
        expected = before + 1
        for entry in entries:
            if entry.uncovered:
                self.problems.append(f"entry {entry.number}: {entry.uncovered}")
            elif entry.number < expected:
                self.problems.append(f"entry {entry.number} stands out of its order")
            self._judge_gap(expected, entry.number)
            expected = max(expected, entry.number + 1)
        self._judge_gap(expected, last + 1)

    def _judge_gap(self, expected: int, number: int) -> None:
        if number > expected:
            self.problems.append(f"{_span(expected, number - 1)}: missing")


def _or_unknown_key(seal: Seal) -> str:
    """A version that did not name its key leaves open whether the key is a given one."""
    return ", or sealed with a key that is not given" if seal.keyed and not seal.key_id else ""


def _sealed_at(seal: Seal) -> float:
    """0 where somebody broke it."""
    try:
        return float(seal.at)
    except ValueError:
        return 0.0


def _span(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first}–{last}"
