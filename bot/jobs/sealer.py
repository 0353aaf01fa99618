"""Seals the record of every workspace, trims what is too old, and logs the heads.

One worker does it at a time, by a lease. The lease saves work only: a seal is added where the one
before it is still the last, so two sealers at once make no fork. A sealer that dies is followed by
another worker's when its lease ends. While Redis is away or full, entries wait unsealed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from uuid import uuid4

from bot.domain.errors import StoreUnavailable
from bot.domain.record import entry_time
from bot.domain.seals import (
    Floor,
    Seal,
    SealingKeys,
    floor_at,
    is_floor_intact,
    is_seal_intact,
    seal_entries,
)
from bot.jobs.repeating import repeat_for_ever
from bot.ports import SealedRecord

log = logging.getLogger(__name__)

SEAL_EVERY = 15.0
"""Seconds."""
LEASE = 3 * SEAL_EVERY
HEAD_EVERY = 3_600.0
"""Seconds between two logs of a record's head; it is trimmed as often."""
ENTRIES_OF_A_SEAL = 500
SEALS_OF_A_TRIM = 100


class RecordSealer:
    """`ttl` is how long entries are kept, in seconds. `now` answers seconds since the epoch."""

    def __init__(
        self,
        record: SealedRecord,
        keys: SealingKeys,
        ttl: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._record = record
        self._keys = keys
        self._ttl = ttl
        self._now = now
        self._run_id = uuid4().hex
        self._lacks_key = False
        self._heads: dict[str, Seal] = {}
        self._logged: dict[str, float] = {}
        self._unknown_keys: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Seal for ever."""
        await repeat_for_ever(self.seal_all, SEAL_EVERY, log, "sealing the record", at_once=True)

    async def seal_all(self) -> None:
        """One pass, where no other worker has the lease. A record that cannot be read, because
        somebody broke it, keeps no other from being sealed. A worker that lacks the key leaves the
        lease to those that have it. Raises `StoreUnavailable`."""
        self._lacks_key = False
        for team in await self._record.teams():
            if not await self._record.hold_lease(self._run_id, LEASE):
                return
            try:
                while await self.seal(team):
                    pass
                await self._log_and_trim(team)
            except StoreUnavailable as error:
                log.error("the record of %s is not sealed: %s", team, error)
        if self._lacks_key:
            await self._record.release_lease(self._run_id)

    async def seal(self, team: str) -> bool:
        """Seal the next entries of a workspace. Answers whether there may be more."""
        last = await self._record.last_seal(team)
        self._compare(team, last)
        if last and last.keyed and not self._keys.current:
            self._lacks_key = True
            log.error("the record of %s is sealed with AUDIT_KEY, which this worker lacks", team)
            return False
        if last:
            self._tell_unknown_key(team, last)
        number, mac = (last.number, last.mac) if last else (0, "")
        entries = await self._record.entries_after(team, number, ENTRIES_OF_A_SEAL)
        if not entries:
            return False
        seal = seal_entries(team, mac, repr(self._now()), entries, self._keys.current)
        if not await self._record.add_seal(team, number, seal):
            log.info("another worker sealed the record of %s meanwhile", team)
            return False
        self._heads[team] = seal
        return len(entries) == ENTRIES_OF_A_SEAL

    def _tell_unknown_key(self, team: str, last: Seal) -> None:
        """Once for each key. The record goes on with the worker's own: the old key may be lost."""
        told = (team, last.key_id) in self._unknown_keys
        if told or (self._keys.keys_for(last) and self._keys.explain(last)):
            return
        self._unknown_keys.add((team, last.key_id))
        if last.keyed:
            log.warning(
                "the record of %s is sealed with a key that this worker lacks (its id is %s): "
                "is it missing in AUDIT_KEY_FALLBACKS?",
                team,
                last.key_id,
            )
        else:
            log.warning(
                "the record of %s is sealed without AUDIT_KEY up to %s: was the key set later? "
                "Otherwise somebody has rewritten it (see `none` in docs/audit.md)",
                team,
                last.number,
            )

    def _compare(self, team: str, last: Seal | None) -> None:
        """Seals that this process has made or seen can be gone only where Redis lost its last
        writes, or somebody took them away."""
        known = self._heads.get(team)
        number = last.number if last else 0
        if known and number < known.number:
            log.error(
                "seals of the record of %s are gone: its head was %s and is %s",
                team,
                _named(known),
                _named(last) if last else "none",
            )
        if last:
            self._heads[team] = last
        else:
            self._heads.pop(team, None)

    async def _log_and_trim(self, team: str) -> None:
        """Once an hour. An hour that the clock jumps back does not keep it for ever."""
        now, head, logged = self._now(), self._heads.get(team), self._logged.get(team)
        if head is None or (logged is not None and 0 <= now - logged < HEAD_EVERY):
            return
        self._logged[team] = now
        log.info("the head of the record of %s: %s", team, _named(head))
        while await self._trim(team):
            pass

    async def _trim(self, team: str) -> bool:
        """Remove a part of what is too old. Answers whether there may be more. The age counts from
        the newest entry where the clock is ahead of it, so that a clock that jumps ahead removes
        nothing; Redis itself removes a record that nobody writes any more."""
        too_old = min(self._now(), await self._record.last_time(team)) - self._ttl
        floor = await self._record.floor(team)
        seals = await self._record.old_seals(team, SEALS_OF_A_TRIM)
        newest = await self._newest_of(team, floor, seals, too_old)
        if newest is None:
            return False
        new_floor = floor_at(team, newest, self._keys.current)
        trimmed = await self._record.trim(team, newest, new_floor)
        if trimmed:
            log.info("the record of %s was trimmed: it begins after %s", team, _named(newest))
        return trimmed and newest == seals[-1]

    async def _newest_of(
        self, team: str, floor: Floor | None, seals: list[Seal], too_old: float
    ) -> Seal | None:
        """The newest seal whose entries are all too old. What does not stand is kept, so that a
        signed floor never takes the place of entries that somebody has changed or removed."""
        newest = None
        number, mac, keyed = (floor.number, floor.seal, floor.keyed) if floor else (0, "", False)
        if floor and not (self._keys.explain(floor) and is_floor_intact(team, floor, self._keys)):
            log.error(
                "the record of %s is not trimmed: its floor is %s",
                team,
                _why(self._keys, floor, "not the program's"),
            )
            return None
        for seal in seals:
            entries = await self._record.entries_between(team, number + 1, seal.number)
            is_forged = not seal.keyed and (keyed or not self._keys.explain(seal))
            if is_forged or not is_seal_intact(team, mac, seal, entries, self._keys):
                if await self._record.floor(team) != floor:  # another worker trims meanwhile
                    return None
                log.error(
                    "the record of %s is not trimmed: up to %s it is %s",
                    team,
                    seal.number,
                    _why(self._keys, seal, "not what was sealed"),
                )
                break
            if entry_time(entries[-1].body) >= too_old:
                break
            newest, number, mac, keyed = seal, seal.number, seal.mac, seal.keyed
        return newest


def _why(keys: SealingKeys, mark: Seal | Floor, changed: str) -> str:
    """Why a seal or a floor that does not stand is kept."""
    if not keys.explain(mark):
        return "sealed without AUDIT_KEY, and AUDIT_KEY_FALLBACKS does not list `none`"
    if keys.keys_for(mark):
        return changed
    return f"sealed with a key that is not given (its id is {mark.key_id})"


def _named(seal: Seal) -> str:
    """The head in the form that `verify --head` takes."""
    return f"{seal.number}:{seal.mac}"
