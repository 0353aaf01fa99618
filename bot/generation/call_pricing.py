"""How a paid call ended, with its cost, for the books."""

from __future__ import annotations

from bot.domain.costs import CallOutcome, CallState, Cost, Usage
from bot.ports import Prices


class NoPrices:
    """Implements `bot.ports.Prices` where nothing has a price."""

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        return Cost()


class CallPricing:
    """`model` makes the images where an answer names none; `host_model` calls it."""

    def __init__(self, prices: Prices, model: str = "", host_model: str = "") -> None:
        self._prices = prices
        self._model = model
        self._host_model = host_model

    def of(self, usage: Usage | None, *, may_be_paid: bool, model: str = "") -> CallOutcome:
        """Measured where the usage is known. Else the call is estimated where it may be paid for,
        and free where it is not."""
        if usage is None:
            return CallOutcome(CallState.ESTIMATED if may_be_paid else CallState.FREE)
        cost = self._prices.cost(model or self._model, self._host_model, usage)
        return CallOutcome(CallState.MEASURED, usage, cost)


UNPRICED = CallPricing(NoPrices())
