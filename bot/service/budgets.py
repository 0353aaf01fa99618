"""The limits by day and month: what an attempt reserves, and whether that is left.

A reservation is part of the attempt, and the books follow from it: the commit that stores the
attempt counts it, and judges each limit by what the counters are then. So of two requests at once
no more come in than may, one that is delivered twice counts once, and what is refused is in the
record. The script tells what the counters are then, for the words of the refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from bot.domain.attempt import Attempt, Candidate
from bot.domain.books import WORKSPACE, channel_field, reserved, user_field
from bot.domain.call_defaults import Defaults, base_of
from bot.domain.costs import (
    Cost,
    Expected,
    Reservation,
    day_of,
    end_of_day,
    end_of_month,
    month_of,
    worst_usage,
)
from bot.domain.errors import StoreUnavailable
from bot.domain.ledger import OwnUsage
from bot.domain.limits import (
    CheaperChoices,
    CounterKind,
    LimitReached,
    Limits,
    Quota,
    RefusedAttempt,
    Standing,
    counter_name,
    tightest,
)
from bot.domain.options import LOWEST_QUALITY, Options
from bot.domain.policy import Person
from bot.domain.request_words import words_of
from bot.domain.session import Session
from bot.domain.slack_refusals import ConversationKind, conversation_kind
from bot.ports import (
    BeginRequest,
    ExtraWrite,
    ExtraWrites,
    Limit,
    LimitsOf,
    PersonalSpending,
    Prices,
)

_DAYS = 7
"""Days of which a person's own usage tells."""
_LEFT_WITHIN = 0.5
"""Seconds to find out what is left of a budget, where the words go out without it."""
_AUTO = "auto"
_SMALLEST = "512x512"
"""No smaller size is expected to cost less."""


class Budgets:
    """An `AttemptRule`, and what attempts reserve. `now` answers seconds since the epoch; days and
    months are those of the `zone`. A refusal names the `admins`, by their user ids."""

    def __init__(
        self,
        spending: PersonalSpending,
        prices: Prices,
        limits: LimitsOf,
        defaults: Defaults,
        zone: ZoneInfo,
        now: Callable[[], float],
        admins: frozenset[str] = frozenset(),
    ) -> None:
        self._spending = spending
        self._prices = prices
        self._limits = limits
        self._defaults = defaults
        self._zone = zone
        self._now = now
        self._admins = admins

    def estimate(
        self, options: Options, *, words: str, edits: bool, base: Candidate | None = None
    ) -> Cost:
        """The most that one image is expected to cost; `words` are all that the call is told.
        `base` is the image that it `edits`, where that is one of ours."""
        asked = self._defaults.of_edit(base) if edits else self._defaults
        usage = worst_usage(
            asked.model,
            *asked.size_and_quality(options),
            words=words,
            partials=asked.partial_images,
            edits=edits,
            host=bool(asked.host_model),
        )
        return self._prices.cost(asked.model, asked.host_model, usage)

    def expected(
        self,
        options: Options,
        *,
        words: str = "",
        edits: bool = False,
        base: Candidate | None = None,
    ) -> Expected:
        """What an attempt with these options is expected to cost."""
        cost = self.estimate(options, words=words, edits=edits, base=base)
        of_any_shape = edits and not base and not options.size
        is_auto = _AUTO in self._defaults.size_and_quality(options)
        return Expected(cost, options.candidates, at_most=is_auto or of_any_shape)

    async def tightest_budget(self, team: str, channel: str, payer: str) -> Standing | None:
        """The budget of which the least is left for a person, by their key, in the channel. None
        where none is set, or the store does not tell soon."""
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_LEFT_WITHIN):
                return tightest(await self.standings(team, channel, payer))
        return None

    async def own_usage(self, team: str, channel: str, payer: str) -> OwnUsage:
        """What the person, by their key, took of late. `channel` may be empty."""
        today = date.fromisoformat(day_of(self._now(), self._zone))
        days = [str(today - timedelta(days=ago)) for ago in reversed(range(_DAYS))]
        month = month_of(days[-1])
        images, micro = await self._spending.of_person(team, payer, days, month)
        standings = await self.standings(team, channel, payer)
        set_here = [each for each in standings if channel or each.quota is not Quota.CHANNEL]
        return OwnUsage(dict(zip(days, images, strict=True)), month, micro, set_here)

    def reserve(self, person: Person, before: Session, after: Session) -> Session:
        """The session with the reservation of the attempt that is new in it, if one is."""
        if len(after.attempts) <= len(before.attempts):
            return after
        attempt, asked, day = after.latest, self._defaults, day_of(self._now(), self._zone)
        base, words = base_of(after, attempt), words_of(after, attempt)
        cost = self.estimate(
            attempt.options, words=words, edits=attempt.base is not None, base=base
        )
        asked = asked.of_edit(base) if base else asked
        reservation = Reservation(
            person.key_in(after.team),
            day,
            month_of(day),
            cost.micro,
            cost.known,
            cost.version,
            asked.model,
            *asked.size_and_quality(attempt.options),
        )
        return reserved(after, reservation)

    async def standings(self, team: str, channel: str, payer: str) -> list[Standing]:
        """How the limits stand that are set, for the person of this key in the channel."""
        day = day_of(self._now(), self._zone)
        cost = self.estimate(Options(), words="", edits=False)
        reserved = Reservation(payer, day, month_of(day), cost.micro)
        return await self._standings(team, channel, reserved)

    async def check(self, request: BeginRequest) -> ExtraWrites | None:
        session, attempt = request.session, request.attempt
        if attempt.reserved is None:
            return None
        limits = await self._limits(session.team, session.channel, attempt.reserved.payer)
        channel = session.channel if session.place is ConversationKind.CHANNEL else ""
        cheaper = cache(lambda: self._cheaper(session, attempt))
        standings = (
            each._replace(channel=channel) for each in self._unused(limits, attempt.reserved)
        )
        judged = [
            _judgement(
                each, session.channel, attempt.reserved, self._refusal(each, request, cheaper)
            )
            for each in standings
            if each.each  # what counts nothing is within a budget that is passed, too
        ]
        return lambda session: judged

    def _refusal(
        self, standing: Standing, request: BeginRequest, cheaper: Callable[[], CheaperChoices]
    ) -> LimitReached:
        attempt, text = request.attempt, request.attempt.change or request.attempt.prompt
        asked, wanted = len(attempt.candidates), RefusedAttempt(request.session, attempt)
        return LimitReached(
            standing, asked, asked - 1, text, wanted=wanted, admins=self._admins, cheaper=cheaper
        )

    def _cheaper(self, session: Session, attempt: Attempt) -> CheaperChoices:
        words, edits = words_of(session, attempt), attempt.base is not None
        base = base_of(session, attempt)
        lowest, smallest = (
            self.estimate(
                attempt.options.replace(**changed), words=words, edits=edits, base=base
            ).micro
            for changed in ({"quality": LOWEST_QUALITY}, {"size": _SMALLEST})
        )
        return CheaperChoices(lowest, smallest)

    async def _standings(self, team: str, channel: str, reserved: Reservation) -> list[Standing]:
        limits = await self._limits(team, channel, reserved.payer)
        standings = self._unused(limits, reserved)
        if not standings:
            return []
        spent = await self._spending.spent(
            team, reserved.payer, channel, reserved.day, reserved.month
        )
        used = dict(zip(Quota, spent, strict=True))
        named = channel if conversation_kind(channel) is ConversationKind.CHANNEL else ""
        return [each._replace(used=used[each.quota], channel=named) for each in standings]

    def _unused(self, limits: Limits, reserved: Reservation) -> list[Standing]:
        """The limits that are set, as they stand where nothing is used."""
        return [
            Standing(
                quota,
                0,
                limit,
                end_of_day(reserved.day, self._zone)
                if quota is Quota.USER_IMAGES
                else end_of_month(reserved.month, self._zone),
                1 if quota is Quota.USER_IMAGES else reserved.each,
            )
            for quota in Quota
            if (limit := limits.of(quota)) is not None
        ]


def _judgement(
    standing: Standing, channel: str, reserved: Reservation, refusal: LimitReached
) -> ExtraWrite:
    """A write of 0: it judges what the commit leaves of the limit."""
    images = counter_name(CounterKind.IMAGES_ASKED, reserved.day)
    spent = counter_name(CounterKind.MONEY_SPENT, reserved.month)
    key, name = {
        Quota.USER_IMAGES: (images, reserved.payer),
        Quota.USER: (spent, user_field(reserved.payer)),
        Quota.CHANNEL: (spent, channel_field(channel)),
        Quota.WORKSPACE: (spent, WORKSPACE),
    }[standing.quota]
    return ExtraWrite("HINCRBY", key, (name, "0"), Limit(standing.limit, refusal))
