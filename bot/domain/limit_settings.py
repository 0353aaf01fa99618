"""The limits that admins set in Slack, and what counts where several say something.

A limit is set for a scope: the workspace, one channel or one person. What is set for the channel or
the person counts before what is set for the workspace, and that before the operator's settings.
Values are whole numbers: images, or micro-dollars. 0 sets no limit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from bot.domain.costs import DOLLAR

MOST_IMAGES = 100_000
MOST_DOLLARS = 1_000_000

_IMAGES = re.compile(r"\d{1,7}(?:[.,]0{1,6})?")
_DOLLARS = re.compile(r"\d{1,7}(?:[.,]\d{1,6})?")
_THOUSANDS = re.compile(r"\d{1,3}[.,]\d{3}")


class LimitKind(StrEnum):
    """The limits, by the names of the operator's settings."""

    USER_IMAGES_PER_DAY = "user_images_per_day"
    USER_BUDGET_PER_MONTH = "user_budget_per_month"
    CHANNEL_BUDGET_PER_MONTH = "channel_budget_per_month"
    WORKSPACE_BUDGET_PER_MONTH = "workspace_budget_per_month"

    @property
    def in_dollars(self) -> bool:
        return self is not LimitKind.USER_IMAGES_PER_DAY


class ScopeKind(StrEnum):
    """The workspace, channel or person that a limit is for."""

    WORKSPACE = "workspace"
    CHANNEL = "channel"
    USER = "user"


KINDS_OF: dict[ScopeKind, tuple[LimitKind, ...]] = {
    ScopeKind.WORKSPACE: tuple(LimitKind),
    ScopeKind.CHANNEL: (LimitKind.CHANNEL_BUDGET_PER_MONTH,),
    ScopeKind.USER: (LimitKind.USER_IMAGES_PER_DAY, LimitKind.USER_BUDGET_PER_MONTH),
}
"""The limits that can be set for each scope."""
_NARROW = {
    LimitKind.USER_IMAGES_PER_DAY: ScopeKind.USER,
    LimitKind.USER_BUDGET_PER_MONTH: ScopeKind.USER,
    LimitKind.CHANNEL_BUDGET_PER_MONTH: ScopeKind.CHANNEL,
}


class Scope(NamedTuple):
    """`id` is a channel's or a person's; empty for the workspace."""

    kind: ScopeKind
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)


WORKSPACE = Scope(ScopeKind.WORKSPACE)


class ChosenLimit(NamedTuple):
    """A value that an admin set; `at` is seconds since the epoch."""

    value: int
    by: str
    at: float


Field = tuple[Scope, LimitKind]
"""The limits that can be set."""
ChosenLimits = Mapping[Field, ChosenLimit]
OperatorLimits = Mapping[LimitKind, int]
"""The limits in the environment; a missing one sets no limit."""


class LimitInForce(NamedTuple):
    """`scope` is what it is set for and `by` who set it; both are empty for the environment's."""

    value: int
    scope: Scope | None = None
    by: str = ""


def fields_of(*scopes: Scope) -> list[Field]:
    """The limits that can be set for these scopes."""
    return [(scope, kind) for scope in scopes for kind in KINDS_OF[scope.kind]]


def limit_in_force(
    kind: LimitKind,
    chosen: ChosenLimits,
    operator: OperatorLimits,
    *,
    channel: str = "",
    user: str = "",
) -> LimitInForce:
    """The limit that counts for an image of this person in this channel."""
    narrow = {ScopeKind.USER: user, ScopeKind.CHANNEL: channel}
    scopes = [WORKSPACE]
    if (of := _NARROW.get(kind)) and narrow[of]:
        scopes.insert(0, Scope(of, narrow[of]))
    for scope in scopes:
        if found := chosen.get((scope, kind)):
            return LimitInForce(found.value, scope, found.by)
    return LimitInForce(operator.get(kind, 0))


def parse_limit(kind: LimitKind, text: str) -> int | None:
    """The value of a typed number of images or dollars; None for an empty text. Raises
    `ValueError`, whose text says what may be typed."""
    if not text.strip():
        return None
    typed = text.strip().removeprefix("$").strip()
    if not _DOLLARS.fullmatch(typed):
        raise ValueError("Type a number, such as 25 (0 sets no limit), or leave it empty.")
    if _is_thousands(typed):
        raise ValueError("Type a number of thousands without a mark in it, or leave it empty.")
    number = Decimal(typed.replace(",", "."))
    if not kind.in_dollars:
        if not _IMAGES.fullmatch(typed) or number > MOST_IMAGES:
            raise ValueError(f"Type a whole number up to {MOST_IMAGES}, or leave it empty.")
        return int(number)
    if number > MOST_DOLLARS:
        raise ValueError(f"Type at most {MOST_DOLLARS} dollars, or leave it empty.")
    return int(number * DOLLAR)


def _is_thousands(typed: str) -> bool:
    """Whether the mark in it may be one of thousands, as in 1,000 and 1.000."""
    return bool(_THOUSANDS.fullmatch(typed)) and not typed.startswith("0")


def parse_budget(given: object) -> Decimal | None:
    """The dollars of an operator's setting: 0, which sets no limit, or at least a micro-dollar,
    because less would come to 0. Raises `ValueError`, whose text says what may be set."""
    if given is None:
        return None
    with suppress(ArithmeticError):
        amount = Decimal(str(given).strip())
        if amount == 0 or Decimal(1) / DOLLAR <= amount <= MOST_DOLLARS:
            return amount
    raise ValueError(
        f"must be dollars above 0 and at most {MOST_DOLLARS}, such as 25 or 12.50; 0 sets no "
        "limit, and so does leaving it empty"
    )


def micro_dollars(budget: Decimal | None) -> int:
    """A budget as a limit; 0 for none."""
    return int((budget or 0) * DOLLAR)


def typed_limit(kind: LimitKind, value: int) -> str:
    """The value as it can be typed."""
    if not kind.in_dollars:
        return str(value)
    text = f"{Decimal(value) / DOLLAR:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text}0" if _is_thousands(text) else text


def limit_words(kind: LimitKind, value: int) -> str:
    """Such as: 1,000 images, $12.50, $0.001, no limit."""
    if not value:
        return "no limit"
    if not kind.in_dollars:
        return f"{value:,} image{'' if value == 1 else 's'}"
    dollars = Decimal(value) / DOLLAR
    return f"${dollars:,.2f}" if dollars == round(dollars, 2) else f"${typed_limit(kind, value)}"
