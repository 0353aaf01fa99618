"""The limits on what people may ask for, and the refusal where one is reached."""

from __future__ import annotations

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
    since the epoch. `each` is what one more image counts."""

    scope: Scope
    used: int
    limit: int
    resets_at: float
    each: int = 1

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    def fits(self, images: int) -> bool:
        return self.used + images * self.each <= self.limit

    @property
    def fitting(self) -> int | None:
        """How many images more fit; None where one counts nothing."""
        return self.left // self.each if self.each else None


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
