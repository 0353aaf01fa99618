"""The cost of images: prices, the counters of a period, holds that no worker settles, the
ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from bot.domain.attempt import ImageRef
from bot.domain.costs import Cost, Usage
from bot.domain.ledger import LedgerLine
from bot.domain.limits import Quota


class Prices(Protocol):
    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        """The cost of a call. An unknown price is logged once."""


class Spent(NamedTuple):
    """Images of a person's day, and micro-dollars of the month by quota; holds are in them."""

    images: int = 0
    user: int = 0
    channel: int = 0
    workspace: int = 0


class Spending(Protocol):
    """Raises `StoreUnavailable`."""

    async def spent(self, team: str, payer: str, channel: str, day: str, month: str) -> Spent: ...


class PersonalSpending(Spending, Protocol):
    async def of_person(
        self, team: str, payer: str, days: Sequence[str], month: str
    ) -> tuple[list[int], int]:
        """Images of each day, and micro-dollars of the month."""


class Hold(NamedTuple):
    """A hold, as the books of its workspace have it. `stored` is its text there; `begun`: its call
    was made. `images` is how many images of its day are given back with it. `line` is its estimate,
    and tells when it changed last."""

    team: str
    session_id: str
    image: ImageRef
    call: int
    begun: bool
    images: int
    id: str
    stored: str
    line: LedgerLine


class BudgetNotice(NamedTuple):
    """A notice that a limit is nearly used up in a day or month. It is about a person, by their
    key, or about a channel; about a workspace, `whom` is an admin by their user id, or empty for
    all of them. The attempt is the one that was asked for."""

    team: str
    period: str
    quota: Quota
    whom: str
    session_id: str
    attempt: int


class NoticeLog(Protocol):
    """What was told in a period, and what is still to be told, for all processes. Raises
    `StoreUnavailable`."""

    async def claim(self, notice: BudgetNotice) -> bool:
        """Whether it is the caller's to tell: it was not told, and nobody tells it just now."""

    async def told(self, notice: BudgetNotice) -> None:
        """Records that it was told."""

    async def drop(self, notice: BudgetNotice) -> None:
        """Drops a notice that need not be told any more. It does not count as told."""

    async def untold(self) -> list[BudgetNotice]:
        """What was claimed and not told in time, of all workspaces."""


class Holds(Protocol):
    """Raises `StoreUnavailable`."""

    async def older_than(self, seconds: float) -> list[Hold]:
        """The holds of all workspaces that have not changed for so long."""

    async def settle(self, hold: Hold) -> bool:
        """Settle a hold that no session has: estimated where its call was made, else given back.
        False where it is settled, or has changed since."""


class Ledger(Protocol):
    """Raises `StoreUnavailable`."""

    def lines(self, since: float, team: str = "") -> AsyncIterator[LedgerLine]:
        """The lines that were written since: of the workspace, or of all. A measured line may
        follow an estimated one of the same id, and stands in its place."""
