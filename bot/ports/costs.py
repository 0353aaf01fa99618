"""What images cost: prices, the counters of a period, holds that no worker settles, the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from bot.domain.attempt import ImageRef
from bot.domain.costs import Cost, Usage


class Prices(Protocol):
    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        """What a call cost. An unknown price is logged once."""


class Spent(NamedTuple):
    """Images of a person's day, and micro-dollars of the month by scope; holds are in them."""

    images: int = 0
    user: int = 0
    channel: int = 0
    workspace: int = 0


class Spending(Protocol):
    """Raises `StoreUnavailable`."""

    async def spent(self, team: str, payer: str, channel: str, day: str, month: str) -> Spent: ...


class Hold(NamedTuple):
    """A hold, as the books of its workspace have it. `stored` is its text there; `begun`: its call
    was made. `images` is how many images of its day are given back with it."""

    team: str
    session_id: str
    image: ImageRef
    call: int
    begun: bool
    images: int
    id: str
    stored: str


class Holds(Protocol):
    """Raises `StoreUnavailable`."""

    async def older_than(self, seconds: float) -> list[Hold]:
        """The holds of all workspaces that have not changed for so long."""

    async def settle(self, hold: Hold) -> bool:
        """Settle a hold that no session has: estimated where its call was made, else given back.
        False where it is settled, or has changed since."""


class LedgerLine(NamedTuple):
    """One paid call. `at` is seconds since the epoch, `state` is `measured` or `estimated`, `day`
    and `month` are those of the reservation. `tokens` are by kind."""

    id: str
    at: float
    team: str
    user: str
    channel: str
    day: str
    month: str
    model: str
    size: str
    quality: str
    state: str
    micro: int
    priced: bool
    prices: str
    tokens: dict[str, int]


class Ledger(Protocol):
    """Raises `StoreUnavailable`."""

    def lines(self, since: float) -> AsyncIterator[LedgerLine]:
        """The lines of all workspaces that were written since. A measured line may follow an
        estimated one of the same id, and stands in its place."""
