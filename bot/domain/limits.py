"""The limits on what people may ask for, and the refusal where one is reached."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from bot.domain.errors import Reason, Refusal
from bot.domain.limit_settings import LimitKind


class Scope(StrEnum):
    """`USER_IMAGES` counts images of a day, the others micro-dollars of a month."""

    USER_IMAGES = "user_images"
    USER = "user"
    CHANNEL = "channel"
    WORKSPACE = "workspace"


KIND_OF = {
    Scope.USER_IMAGES: LimitKind.USER_IMAGES_PER_DAY,
    Scope.USER: LimitKind.USER_BUDGET_PER_MONTH,
    Scope.CHANNEL: LimitKind.CHANNEL_BUDGET_PER_MONTH,
    Scope.WORKSPACE: LimitKind.WORKSPACE_BUDGET_PER_MONTH,
}
"""The setting of each limit."""


class Limits(NamedTuple):
    """None is no limit; in the order of `Scope`."""

    user_images: int | None = None
    user: int | None = None
    channel: int | None = None
    workspace: int | None = None

    def of(self, scope: Scope) -> int | None:
        limit: int | None = getattr(self, scope.value)
        return limit


class Standing(NamedTuple):
    """How a limit stands: what is used of it, holds included, and when it begins anew, in seconds
    since the epoch. `each` is what one more image counts, and `lowest` what it would count in the
    lowest quality; 0 where that is not known."""

    scope: Scope
    used: int
    limit: int
    resets_at: float
    each: int = 1
    lowest: int = 0

    def fits_in_lowest(self, images: int) -> bool:
        """Whether so many images fit in the lowest quality, and not in the one asked for."""
        fits = self.used + images * self.lowest <= self.limit
        return 0 < self.lowest < self.each and fits

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def fitting(self) -> int | None:
        """How many images more fit; None where one counts nothing."""
        return self.left // self.each if self.each else None


def tightest(standings: Iterable[Standing]) -> Standing | None:
    """The budget of which the least is left; None where none is set."""
    budgets = (each for each in standings if each.scope is not Scope.USER_IMAGES)
    return min(budgets, key=lambda each: each.left, default=None)


class LimitReached(Refusal):
    """More than a limit leaves was asked for. `fitting` images may still be asked for, in view of
    all limits; `text` is the prompt or the change that was asked for."""

    def __init__(self, standing: Standing, asked: int, fitting: int, text: str) -> None:
        super().__init__(Reason.LIMIT_REACHED)
        self.standing = standing
        self.asked = asked
        self.fitting = fitting
        self.text = text

    @property
    def limit(self) -> str:
        return KIND_OF[self.standing.scope].value

    def where_left(self, left: int) -> LimitReached:
        """The same where the attempt would leave the counter at this."""
        standing = self.standing
        standing = standing._replace(used=left - self.asked * standing.each)
        fitting = self.fitting if standing.fitting is None else min(self.fitting, standing.fitting)
        return LimitReached(standing, self.asked, fitting, self.text)

    def with_fitting(self, fitting: int) -> LimitReached:
        return LimitReached(self.standing, self.asked, fitting, self.text)
