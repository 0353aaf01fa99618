"""The limits on what people may ask for, and the refusal where one is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.limit_settings import LimitKind
from bot.domain.options import Options
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session


class Quota(StrEnum):
    """What one limit counts: `USER_IMAGES` images of a day, the others micro-dollars of a month."""

    USER_IMAGES = "user_images"
    USER = "user"
    CHANNEL = "channel"
    WORKSPACE = "workspace"


KIND_OF = {
    Quota.USER_IMAGES: LimitKind.USER_IMAGES_PER_DAY,
    Quota.USER: LimitKind.USER_BUDGET_PER_MONTH,
    Quota.CHANNEL: LimitKind.CHANNEL_BUDGET_PER_MONTH,
    Quota.WORKSPACE: LimitKind.WORKSPACE_BUDGET_PER_MONTH,
}
"""The setting of each limit."""


class CounterKind(StrEnum):
    """What the store counts for limits: images of a day by person, micro-dollars of a month by
    person, channel and workspace, and images of a user's that wait, by session."""

    IMAGES_ASKED = "asked"
    MONEY_SPENT = "spent"
    IMAGES_WAITING = "waiting"


def counter_name(counted: CounterKind, of: str) -> str:
    """The name of these counters in the store of a workspace; `of` is the day, month or user."""
    return f"{counted}:{of}"


class Limits(NamedTuple):
    """None is no limit; in the order of `Quota`."""

    user_images: int | None = None
    user: int | None = None
    channel: int | None = None
    workspace: int | None = None

    def of(self, quota: Quota) -> int | None:
        limit: int | None = getattr(self, quota.value)
        return limit


class Standing(NamedTuple):
    """How a limit stands: what is used of it, holds included, and when it begins anew, in seconds
    since the epoch. `each` is what one more image counts, `lowest` what it would count in the
    lowest quality, and `smallest` in the smallest size; 0 where that is not known. `channel` is the
    id of the channel that the image is for; empty for a direct conversation."""

    quota: Quota
    used: int
    limit: int
    resets_at: float
    each: int = 1
    lowest: int = 0
    smallest: int = 0
    channel: str = ""

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def fitting(self) -> int | None:
        """How many images more fit; None where one counts nothing."""
        return self.left // self.each if self.each else None

    @property
    def fitting_in_lowest(self) -> int | None:
        """How many images more fit in the lowest quality. An image counts as one in any."""
        each = self.lowest or self.each
        return self.left // each if each else None


def tightest(standings: Iterable[Standing]) -> Standing | None:
    """The budget of which the least is left; None where none is set."""
    budgets = (each for each in standings if each.quota is not Quota.USER_IMAGES)
    return min(budgets, key=lambda each: each.left, default=None)


class CheaperChoices(NamedTuple):
    """What an image of an attempt would count in the lowest quality, and in the smallest size."""

    lowest: int
    smallest: int


class RefusedAttempt(NamedTuple):
    """An attempt that was refused, and the session as it was before, which may be stored or not."""

    session: Session
    attempt: Attempt

    @property
    def new_words(self) -> tuple[str | None, str | None]:
        """Prompt and change; None for those of the session's newest attempt."""
        attempts = self.session.attempts
        known = (attempts[-1].prompt, attempts[-1].change) if attempts else ("", "")
        asked = self.attempt.prompt, self.attempt.change
        prompt, change = (a if a != k else None for a, k in zip(asked, known, strict=True))
        return prompt, change


def gives_back(waiting: Session, quota: Quota, wanted: RefusedAttempt) -> bool:
    """Whether to cancel the waiting session leaves more of this limit for the refused attempt: it
    holds some of it, of the same period."""
    held, asked = waiting.latest.reserved, wanted.attempt.reserved
    if held is None or asked is None:
        return False
    if quota is Quota.USER_IMAGES:
        return (held.payer, held.day) == (asked.payer, asked.day)
    counts_for = {
        Quota.USER: held.payer == asked.payer,
        Quota.CHANNEL: waiting.channel == wanted.session.channel,
        Quota.WORKSPACE: True,
    }
    return counts_for[quota] and held.month == asked.month and held.each > 0


class ReducedRequest(NamedTuple):
    """What begins in the place of a refused request. Words that are None are those of the session's
    newest attempt."""

    options: Options
    base: ImageRef | None = None
    prompt: str | None = None
    change: str | None = None


class LimitReached(Refusal):
    """More than a limit leaves was asked for. `fitting` images may still be asked for, in view of
    all limits, and `lowest_fitting` in the lowest quality, where that counts less. `text` is the
    prompt or the change that was asked for. `waiting` are the person's own sessions whose images
    wait, the newest first: each would give back what it holds. `kept` is the id of the
    `RefusedRequest` that holds its words; empty where there is none. `admins` are the user ids of
    the operator's `ADMINS`; others may be admins, too. `cheaper` is asked only where a budget is
    reached: most attempts pass."""

    def __init__(
        self,
        standing: Standing,
        asked: int,
        fitting: int,
        text: str,
        lowest_fitting: int = 0,
        wanted: RefusedAttempt | None = None,
        admins: frozenset[str] = frozenset(),
        cheaper: Callable[[], CheaperChoices] | None = None,
    ) -> None:
        super().__init__(Reason.LIMIT_REACHED)
        self.standing = standing
        self.asked = asked
        self.fitting = fitting
        self.text = text
        self.lowest_fitting = lowest_fitting
        self.wanted = wanted
        self.admins = admins
        self._cheaper = cheaper
        self.waiting: tuple[Session, ...] = ()
        self.kept = ""

    @property
    def has_offers(self) -> bool:
        return self.wanted is not None and max(self.fitting, self.lowest_fitting) > 0

    @property
    def limit(self) -> str:
        return KIND_OF[self.standing.quota].value

    def in_view_of(self, lefts: Mapping[LimitReached, int]) -> LimitReached:
        """This refusal, with what the attempt would leave of the counters of all `lefts`; this is
        one of them. Where the attempt passes several limits, the refusal tells the one that leaves
        the least, and among equals the one that begins anew last."""
        standings = {each: each._standing_before(left) for each, left in lefts.items()}
        fitting = [each.fitting for each in standings.values()]
        lowest = [each.fitting_in_lowest for each in standings.values()]
        is_less = any(0 < each.lowest < each.each for each in standings.values())
        passed = [standings[each] for each in lefts if lefts[each] > each.standing.limit]
        return LimitReached(
            min(passed, key=lambda each: (each.fitting or 0, -each.resets_at)),
            self.asked,
            _least(self.asked - 1, fitting),
            self.text,
            _least(self.asked, lowest) if is_less else 0,
            self.wanted,
            self.admins,
        )

    def _standing_before(self, left: int) -> Standing:
        standing = self.standing._replace(used=left - self.asked * self.standing.each)
        if self._cheaper is None or standing.quota is Quota.USER_IMAGES:
            return standing
        return standing._replace(**self._cheaper()._asdict())


def _least(most: int, numbers: Iterable[int | None]) -> int:
    return min([most, *(number for number in numbers if number is not None)])
