"""The cost of an image: tokens, the reservation of an attempt, the paid calls of a candidate.

Money is in micro-dollars, whole numbers. A day or a month is a calendar date in the operator's time
zone, so that a change of the clocks neither doubles nor skips one: `2026-11-28`, `2026-11`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.domain.model_names import base_model

DOLLAR = 1_000_000
"""Micro-dollars."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call by kind. Those of the image model come first; `host_*` are those of the
    model that calls it. `*_in` includes what was cached."""

    text_in: int = 0
    image_in: int = 0
    cached_text_in: int = 0
    cached_image_in: int = 0
    image_out: int = 0
    text_out: int = 0
    host_in: int = 0
    host_cached: int = 0
    host_cache_write: int = 0
    host_out: int = 0

    def counts(self) -> dict[str, int]:
        """The kinds that are not 0."""
        counts = {f.name: int(getattr(self, f.name)) for f in fields(self)}
        return {name: count for name, count in counts.items() if count}


@dataclass(frozen=True)
class Cost:
    """Micro-dollars, and the version of the prices. `known` is false where a model has no price:
    then no cost is shown. What has no price counts 0."""

    micro: int = 0
    version: str = ""
    known: bool = False


@dataclass(frozen=True)
class Expected:
    """The expected cost of images: `each` of them at the most where the model may choose the
    size or the quality itself."""

    each: Cost
    images: int = 1
    at_most: bool = False


class CallState(StrEnum):
    """`OPEN`: the answer is awaited. `ESTIMATED`: the provider may have taken the call, and its
    usage is not known. `FREE`: the provider has not taken it, or charges nothing for it."""

    OPEN = "open"
    MEASURED = "measured"
    ESTIMATED = "estimated"
    FREE = "free"


@dataclass(frozen=True)
class CallOutcome:
    """How a paid call ended."""

    state: CallState
    usage: Usage = Usage()
    cost: Cost = Cost()


@dataclass(frozen=True)
class PaidCall:
    """One call for a candidate, by its number among that candidate's calls; `run_id` is the run
    that made it."""

    number: int
    run_id: str = ""
    state: CallState = CallState.OPEN
    micro: int = 0
    priced: bool = False
    version: str = ""
    usage: Usage = Usage()

    def ended(self, end: CallOutcome) -> PaidCall:
        """A call that ended stays so, but for an estimate, which a measurement replaces."""
        if self.state not in {CallState.OPEN, CallState.ESTIMATED} or (
            self.state is CallState.ESTIMATED and end.state is not CallState.MEASURED
        ):
            return self
        cost = end.cost
        return replace(
            self,
            state=end.state,
            usage=end.usage,
            micro=cost.micro,
            priced=cost.known,
            version=cost.version,
        )


@dataclass(frozen=True)
class Reservation:
    """The reservation of each call of an attempt, and where it counts: `payer` is the person's key
    who asked. `model`, `size` and `quality` are what is asked for where nobody chose otherwise."""

    payer: str
    day: str
    month: str
    each: int = 0
    priced: bool = False
    version: str = ""
    model: str = ""
    size: str = ""
    quality: str = ""


def day_of(now: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(now, zone).date().isoformat()


def month_of(day: str) -> str:
    return day[:7]


@lru_cache(maxsize=64)
def end_of_day(day: str, zone: ZoneInfo) -> float:
    """When the next day begins, in seconds since the epoch."""
    return _midnight(date.fromisoformat(day) + timedelta(days=1), zone)


@lru_cache(maxsize=64)
def end_of_month(month: str, zone: ZoneInfo) -> float:
    first = date.fromisoformat(f"{month}-01")
    return _midnight((first + timedelta(days=32)).replace(day=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> float:
    """The first moment of the day. Where the clocks skip midnight it is the moment of the change,
    which both readings of the skipped hour name."""
    return datetime.combine(day, time(), zone).timestamp()


_TOKENS = {"low": 196, "medium": 439, "high": 1_756, "xhigh": 3_122, "max": 7_024}
"""Output tokens of an image of 1024×1024 by `gpt-image-2.5-flare`, as measured by others."""
_FACTORS = (("gpt-image-2.6", 4.0),)
"""How many times these tokens a model takes at the most, by the beginning of its name."""
_AREA = 1024 * 1024
_AUTO_AREA = 1536 * 1024
"""Pixels, of the largest size that `auto` was seen to choose."""
_PARTIAL = 100
"""Output tokens of a partial image."""
_BASE = 4_000
"""Input tokens of an image to edit, at the most."""
_HOST_IN, _HOST_OUT = 1_000, 500
"""Tokens of the host model beside the prompt."""


_TOKEN_OF_TWO = re.compile("[a-z ][aeiou]|[aeiou ][a-z]")
"""Two Latin letters with a vowel, or a space and a letter: `o200k_base` has each as one token."""


def most_tokens(text: str) -> int:
    """The tokens of a text at the most. A tokenizer joins bytes of UTF-8, so it never makes more
    tokens than there are bytes. English counts two to three times as much as it takes."""
    return len(text.encode(errors="replace")) - len(_TOKEN_OF_TWO.findall(text))


def worst_usage(
    model: str, size: str, quality: str, *, words: str, partials: int, edits: bool, host: bool
) -> Usage:
    """The most that one call is expected to take; `words` are all that it is told. `auto` counts as
    its worst case."""
    width, _, height = size.partition("x")
    known = width.isdigit() and height.isdigit()
    area = int(width) * int(height) if known else _AUTO_AREA
    factor = next((f for name, f in _FACTORS if base_model(model).startswith(name)), 1.0)
    out = _TOKENS.get(quality, _TOKENS["max"]) * factor * max(area / _AREA, 0.5)
    base = _BASE if edits else 0
    text = most_tokens(words) + 100
    return Usage(
        text_in=text,
        image_in=base,
        image_out=int(out) + _PARTIAL * partials,
        host_in=text + _HOST_IN + base if host else 0,
        host_out=text + _HOST_OUT if host else 0,
    )
