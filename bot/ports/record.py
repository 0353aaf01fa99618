"""The record: events that have no session to be written with, and what its sealer needs."""

from __future__ import annotations

from typing import Protocol

from bot.domain.record import RecordEvent
from bot.domain.seals import Floor, RecordEntry, Seal


class Record(Protocol):
    """Where events go that happen without a session: a refusal by a limit, a changed setting, a
    deletion. What happens to a session is written by the commit of the session."""

    async def append(self, team: str, *events: RecordEvent) -> None:
        """Raises `StoreUnavailable`."""


class SealedRecord(Protocol):
    """The records of all workspaces, for their sealer. Every method raises `StoreUnavailable`."""

    async def hold_lease(self, run_id: str, seconds: float) -> bool:
        """Whether this run may seal now; renews the lease where the run has it."""

    async def release_lease(self, run_id: str) -> None: ...

    async def teams(self) -> list[str]:
        """The workspaces that the store knows of."""

    async def last_seal(self, team: str) -> Seal | None:
        """The last seal; of a record whose entries are all trimmed, that of its floor."""

    async def entries_after(self, team: str, number: int, most: int) -> list[RecordEntry]: ...

    async def add_seal(self, team: str, before: int, seal: Seal) -> bool:
        """False, and nothing is written, where `before` is not the number of the last seal."""

    async def floor(self, team: str) -> Floor | None: ...

    async def old_seals(self, team: str, most: int) -> list[Seal]:
        """The oldest seals."""

    async def entries_between(self, team: str, first: int, last: int) -> list[RecordEntry]:
        """The entries with these numbers, and those between."""

    async def last_time(self, team: str) -> float:
        """The time of the newest entry, in seconds since the epoch; 0 where there is none."""

    async def trim(self, team: str, seal: Seal, floor: Floor) -> bool:
        """Remove what the seal and those before it cover, and keep the floor in its place."""
