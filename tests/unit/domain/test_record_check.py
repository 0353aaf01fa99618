"""A record that was changed does not stand, wherever and however it was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from bot.domain.record_check import RecordCheck
from bot.domain.seals import (
    NO_KEY,
    Floor,
    RecordEntry,
    Seal,
    SealingKeys,
    floor_at,
    key_id,
    seal_entries,
)

KEY, TEAM = "k" * 32, "T1"
OLD, OTHER = "o" * 32, "another key, of somebody who rewrote"
NOT_GIVEN = f"sealed with a key that is not given (its id is {key_id(OTHER)})"


@dataclass
class Stored:
    """A record of twelve entries in four seals, and two more without a seal."""

    key: str = KEY
    entries: dict[int, RecordEntry] = field(default_factory=dict)
    seals: list[Seal] = field(default_factory=list)
    floor: Floor | None = None
    last_number: int = 14
    last_seal: int = 12
    now: float = 20.0
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries = {n: RecordEntry(n, f'{{"at":{n}}}', f"p{n}") for n in range(1, 15)}
        self.seal_from(0)

    def seal_from(self, number: int, key: str | None = None, at: float = 0.0) -> None:
        """Seal anew what stands after this number, as somebody with this key would."""
        self.seals = [seal for seal in self.seals if seal.number <= number]
        for last in range(number + 3, 13, 3):
            before = self.seals[-1].mac if self.seals else ""
            covered = [self.entries[n] for n in range(last - 2, last + 1) if n in self.entries]
            key = self.key if key is None else key
            self.seals.append(seal_entries(TEAM, before, str(at or last), covered, key))

    def check(
        self, key: str | None = None, head: tuple[int, str] | None = None, *old: str
    ) -> list[str]:
        """What is wrong, and what could not be checked. The notes of the last check are kept."""
        keys = SealingKeys.listed(self.key if key is None else key, old)
        check = RecordCheck(TEAM, keys, head)
        self.notes = check.notes
        check.begin(self.floor)
        number = self.floor.number if self.floor else 0
        for seal in self.seals:
            entries = [e for n, e in sorted(self.entries.items()) if number < n <= seal.number]
            check.batch(seal, entries)
            number = max(number, seal.number)
        rest = [e for n, e in sorted(self.entries.items()) if n > number]
        check.rest(rest[:1])
        check.rest(rest[1:])
        check.finish(self.last_number, self.last_seal, self.now)
        return check.problems + check.unchecked


def change(stored: Stored) -> None:
    stored.entries[5] = stored.entries[5]._replace(body='{"at":5,"kind":"asked"}')


def change_the_person(stored: Stored) -> None:
    stored.entries[5] = stored.entries[5]._replace(person="p9")


def swap(stored: Stored) -> None:
    four, five = stored.entries[4], stored.entries[5]
    stored.entries[4] = five._replace(number=4)
    stored.entries[5] = four._replace(number=5)


def swap_across_seals(stored: Stored) -> None:
    three, four = stored.entries[3], stored.entries[4]
    stored.entries[3], stored.entries[4] = four._replace(number=3), three._replace(number=4)


def add_one(stored: Stored) -> None:
    stored.entries[14] = RecordEntry(14, "{}")
    stored.seals[-1] = stored.seals[-1]._replace(number=14)


def cut_the_tail(stored: Stored) -> None:
    """As `XDEL` does, with the seals: the streams know the last ids that they gave."""
    stored.entries = {n: e for n, e in stored.entries.items() if n <= 6}
    stored.seals = stored.seals[:2]


def cut_the_entries_alone(stored: Stored) -> None:
    stored.entries = {n: e for n, e in stored.entries.items() if n <= 8}


def cut_what_is_not_sealed(stored: Stored) -> None:
    del stored.entries[14]


def rewrite_from_the_middle(stored: Stored) -> None:
    change(stored)
    stored.seal_from(3, key=OTHER)


def rewrite_all_without_a_key(stored: Stored) -> None:
    change(stored)
    stored.seals = []
    stored.seal_from(0, key="")


def rewrite_the_tail_without_a_key(stored: Stored) -> None:
    change(stored)
    stored.seal_from(3, key="")


def take_a_seal_away(stored: Stored) -> None:
    del stored.seals[1]


def swap_seals(stored: Stored) -> None:
    stored.seals[1], stored.seals[2] = stored.seals[2], stored.seals[1]


def backdate_a_seal(stored: Stored) -> None:
    stored.seals[1] = stored.seals[1]._replace(at="0")


def cut_the_beginning(stored: Stored) -> None:
    stored.entries = {n: e for n, e in stored.entries.items() if n > 6}
    stored.seals = stored.seals[2:]


def cut_the_beginning_with_a_floor_of_their_own(stored: Stored) -> None:
    floor = floor_at(TEAM, stored.seals[1], OTHER)
    cut_the_beginning(stored)
    stored.floor = floor


def cut_the_beginning_with_a_floor_without_a_key(stored: Stored) -> None:
    floor = floor_at(TEAM, stored.seals[1], "")
    cut_the_beginning(stored)
    stored.floor = floor


def cut_the_beginning_with_a_forged_floor(stored: Stored) -> None:
    floor = floor_at(TEAM, stored.seals[1], OTHER)
    cut_the_beginning(stored)
    stored.floor = floor._replace(key_id=key_id(KEY))


def number_anew(stored: Stored) -> None:
    stored.entries = {1: RecordEntry(1, "{}")}
    stored.last_number = 1


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (change, "entries 4–6: not what was sealed"),
        (change_the_person, "entries 4–6: not what was sealed"),
        (swap, "entries 4–6: not what was sealed"),
        (swap_across_seals, "entries 4–6: not what was sealed"),
        (add_one, "entries 10–14: not what was sealed"),
        (lambda s: s.entries.pop(5), "entry 5: missing"),
        (cut_the_tail, "entries 7–14: missing"),
        (cut_the_entries_alone, "entries 10–12: missing"),
        (cut_the_entries_alone, "entries 13–14: missing"),
        (cut_what_is_not_sealed, "entry 14: missing"),
        (rewrite_from_the_middle, f"entries 4–12: {NOT_GIVEN}"),
        (rewrite_all_without_a_key, "no seal was made with AUDIT_KEY"),
        (
            rewrite_the_tail_without_a_key,
            "entries 4–6: sealed without AUDIT_KEY after seals with it",
        ),
        (take_a_seal_away, "entries 4–9: not what was sealed"),
        (swap_seals, "the seal 6 stands out of its order"),
        (backdate_a_seal, "entries 4–6: not what was sealed"),
        (lambda s: s.seals.clear(), "the last seal is gone: there was one of 12"),
        (cut_the_beginning, "entries 1–6: missing"),
        (cut_the_beginning_with_a_floor_of_their_own, f"the floor at 6: {NOT_GIVEN}"),
        (
            cut_the_beginning_with_a_floor_without_a_key,
            "the floor at 6 was made without AUDIT_KEY",
        ),
        (cut_the_beginning_with_a_forged_floor, "the floor at 6 is not the program's"),
        (number_anew, "entries were numbered anew: 1 after 12"),
    ],
)
def test_what_somebody_did_to_it_is_found(spoil: Callable[[Stored], object], problem: str) -> None:
    stored = Stored()
    assert stored.check() == []
    spoil(stored)
    assert problem in stored.check()


def test_a_change_is_told_where_it_is_and_nowhere_else() -> None:
    stored = Stored()
    change(stored)
    assert stored.check() == ["entries 4–6: not what was sealed"]


def test_a_trimmed_record_stands_on_its_floor() -> None:
    stored = Stored()
    stored.floor = floor_at(TEAM, stored.seals[1], KEY)
    cut_the_beginning(stored)
    assert stored.check() == []
    stored.entries.pop(7)
    assert "entry 7: missing" in stored.check()


def test_without_a_key_changes_are_found_but_not_a_rewrite_of_the_whole_tail() -> None:
    stored = Stored(key="")
    assert stored.check() == []
    change(stored)
    assert stored.check() == ["entries 4–6: not what was sealed"]
    stored.seal_from(3)
    assert stored.check() == []


FIRST_SEALED = (
    "entries up to {}: sealed without AUDIT_KEY; a change of them before it first sealed, at "
    "1970-01-01T00:00:{}.000+00:00, is not found"
)
ADD_NONE = ". Add `none` to AUDIT_KEY_FALLBACKS if the key was set then"


def test_a_key_that_is_set_later_holds_what_came_before_too_where_none_is_listed() -> None:
    stored = Stored(key="")
    stored.seal_from(6, key=KEY)
    assert stored.check(KEY, None, NO_KEY) == []
    assert stored.notes == [FIRST_SEALED.format(6, "09")]
    change(stored)
    assert stored.check(KEY, None, NO_KEY) == ["entries 4–6: not what was sealed"]
    stored.seal_from(3, key="")
    assert stored.check(KEY, None, NO_KEY) != []


def test_a_record_that_was_rewritten_without_the_key_is_told_once_the_key_seals_on() -> None:
    stored = Stored()
    rewrite_all_without_a_key(stored)
    stored.seal_from(9, key=KEY)
    assert stored.check() == [FIRST_SEALED.format(9, "12") + ADD_NONE]
    assert stored.check(KEY, None, OLD) == [FIRST_SEALED.format(9, "12") + ADD_NONE]


def test_none_among_the_old_keys_explains_no_seal_behind_one_with_a_key() -> None:
    stored = Stored()
    rewrite_the_tail_without_a_key(stored)
    found = "entries 4–6: sealed without AUDIT_KEY after seals with it"
    assert found in stored.check(KEY, None, NO_KEY)
    stored.seal_from(9, key=KEY)
    assert found in stored.check(KEY, None, NO_KEY)
    rewrite_all_without_a_key(stored)
    assert stored.check(KEY, None, NO_KEY) == ["no seal was made with AUDIT_KEY"]


def test_a_record_that_was_trimmed_before_a_key_was_set_stands_where_none_is_listed() -> None:
    stored = Stored(key="")
    stored.seal_from(9, key=KEY)
    stored.floor = floor_at(TEAM, stored.seals[1], "")
    cut_the_beginning(stored)
    assert stored.check(KEY, None, NO_KEY) == []
    assert stored.check(KEY) == [FIRST_SEALED.format(9, "12") + ADD_NONE]
    stored.seals = stored.seals[:0]
    assert "the floor at 6 was made without AUDIT_KEY" in stored.check(KEY, None, NO_KEY)


def test_entries_that_were_sealed_late_are_noted() -> None:
    stored = Stored()
    assert stored.check() == []
    assert stored.notes == []
    stored.seal_from(6, at=3_700.0)
    assert stored.check() == []
    (note,) = stored.notes
    assert note == (
        "6 entries up to 12 were sealed more than an hour after they were written: a change of "
        "them before that is not found"
    )


@pytest.mark.parametrize(
    ("now", "span"), [(3_612.0, ""), (3_613.5, "entry 13"), (9_000.0, "entries 13–14")]
)
def test_entries_that_wait_long_for_their_seal_are_not_checked(now: float, span: str) -> None:
    stored = Stored(now=now)
    told = "written more than an hour ago and not sealed: nothing tells whether one was changed"
    assert stored.check() == ([f"{span}: {told}"] if span else [])


def test_an_entry_without_a_seal_whose_time_is_broken_is_not_checked() -> None:
    stored = Stored(now=3_612.0)
    stored.entries[14] = RecordEntry(14, "{}")
    (unchecked,) = stored.check()
    assert unchecked.startswith("entry 14: written more than an hour ago")


def test_a_record_without_a_seal_is_not_checked() -> None:
    stored = Stored()
    stored.seals, stored.last_seal = [], 0
    assert stored.check() == ["no entry has a seal: nothing tells whether one was changed"]


def leave_one_below_the_floor(stored: Stored) -> None:
    stored.floor = floor_at(TEAM, stored.seals[3], KEY)
    stored.entries = {n: e for n, e in stored.entries.items() if n in (5, 13, 14)}
    stored.seals = []


def say_what_no_seal_covers(stored: Stored) -> None:
    stored.entries[5] = stored.entries[5]._replace(uncovered="it stands as 5-7")
    stored.seals[2] = stored.seals[2]._replace(uncovered="its fields are not the program's")


@pytest.mark.parametrize(
    "problem",
    [
        "entry 5: it stands as 5-7",
        "entries 4–6: not what was sealed",
        "the seal 9: its fields are not the program's",
        "entries 7–9: not what was sealed",
    ],
)
def test_what_no_seal_covers_is_told(problem: str) -> None:
    stored = Stored()
    say_what_no_seal_covers(stored)
    assert problem in stored.check()


def test_an_entry_below_the_floor_is_told() -> None:
    stored = Stored()
    leave_one_below_the_floor(stored)
    check = RecordCheck(TEAM, SealingKeys(KEY))
    check.begin(stored.floor)
    check.rest(list(stored.entries.values()))
    check.finish(14, 12, 20.0)
    assert check.problems == ["entry 5 stands out of its order"]


def test_seals_with_a_key_cannot_be_checked_without_it() -> None:
    not_set = f"sealed with AUDIT_KEY, which is not set here (its id is {key_id(KEY)})"
    assert Stored().check("") == [f"entries 1–12: {not_set}"]


def test_another_workspaces_record_does_not_pass_for_this_ones() -> None:
    stored = Stored()
    check = RecordCheck("T2", SealingKeys(KEY))
    check.batch(stored.seals[0], [stored.entries[n] for n in (1, 2, 3)])
    assert check.problems == ["entries 1–3: not what was sealed"]


def test_a_logged_head_finds_even_a_record_that_was_put_back_or_made_anew() -> None:
    stored = Stored()
    head = (12, stored.seals[-1].mac)
    assert stored.check(head=head) == []
    stored.last_number, stored.last_seal = 8, 6
    cut_the_tail(stored)
    stored.entries |= {n: RecordEntry(n, "{}") for n in (7, 8)}
    assert stored.check() == []
    assert stored.check(head=head) == ["the logged head 12 is not in the record"]
    anew = Stored()
    change(anew)
    anew.seal_from(0)
    assert anew.check(head=head) != []


def test_a_head_that_was_trimmed_since_says_so() -> None:
    stored = Stored()
    head = (3, stored.seals[0].mac)
    stored.floor = floor_at(TEAM, stored.seals[1], KEY)
    cut_the_beginning(stored)
    assert stored.check(head=head) == ["the logged head 3 was trimmed: take a newer one"]
    assert stored.check(head=(6, stored.floor.seal)) == []


def rotated() -> Stored:
    """A record that was sealed up to 6 with an old key."""
    stored = Stored(key=OLD)
    stored.seal_from(6, key=KEY)
    return stored


def without_key_ids(stored: Stored) -> None:
    """As an earlier version sealed."""
    stored.seals = [seal._replace(key_id="") for seal in stored.seals]


@pytest.mark.parametrize("named", [True, False])
def test_a_record_stands_after_a_change_of_the_key_where_the_old_one_is_given(named: bool) -> None:
    stored = rotated()
    if not named:
        without_key_ids(stored)
    assert stored.check(KEY, None, OLD) == []
    assert stored.check(KEY, None, "x" * 32, OLD) == []
    assert stored.check(OLD, None, KEY) == []
    stored.entries[5] = stored.entries[5]._replace(person="p9")
    assert stored.check(KEY, None, OLD)[0].startswith("entries 4–6: not what was sealed")


def test_without_the_old_key_its_entries_are_unchecked_and_not_called_changed() -> None:
    named = f"its id is {key_id(OLD)}"
    assert rotated().check(KEY) == [f"entries 1–6: sealed with a key that is not given ({named})"]
    stored = rotated()
    stored.entries[8] = stored.entries[8]._replace(body="{}")
    assert "entries 7–9: not what was sealed" in stored.check(KEY)


def test_a_floor_of_the_old_key_stands_and_is_unchecked_without_it() -> None:
    stored = rotated()
    stored.floor = floor_at(TEAM, stored.seals[1], OLD)
    cut_the_beginning(stored)
    assert stored.check(KEY, None, OLD) == []
    (sentence,) = stored.check(KEY)
    assert sentence.startswith("the floor at 6: sealed with a key that is not given")


def test_a_seal_without_a_key_id_that_no_given_key_made_leaves_both_open() -> None:
    stored = rotated()
    without_key_ids(stored)
    both = "not what was sealed, or sealed with a key that is not given"
    assert stored.check(KEY) == [f"entries 1–3: {both}", f"entries 4–6: {both}"]


@pytest.mark.parametrize(
    ("forged", "sentence"),
    [
        (key_id(OLD), "entries 7–9: not what was sealed"),
        ("", "entries 7–9: not what was sealed, or sealed with a key that is not given"),
        ("made up", "entries 7–9: sealed with a key that is not given (its id is made up)"),
    ],
)
def test_a_forged_key_id_passes_no_rewritten_entries(forged: str, sentence: str) -> None:
    stored = rotated()
    stored.entries[8] = stored.entries[8]._replace(body="{}")
    stored.seal_from(6, key=OTHER)
    stored.seals = [s._replace(key_id=forged) if s.number > 6 else s for s in stored.seals]
    assert sentence in [told.replace("7–12", "7–9") for told in stored.check(KEY, None, OLD)]


def test_seals_without_a_key_after_those_of_any_key_are_found() -> None:
    stored = rotated()
    stored.seal_from(9, key="")
    found = "entries 10–12: sealed without AUDIT_KEY after seals with it"
    assert found in stored.check(KEY, None, OLD)
    assert found in stored.check("x" * 32)
