"""Amounts of money in words."""

from __future__ import annotations

from bot.domain.costs import DOLLAR


def dollars(micro: int) -> str:
    """`$1,234.50`, and three places where an amount is below a dollar: `$0.013`."""
    amount = micro / DOLLAR
    return f"${amount:,.3f}" if 0 < abs(amount) < 1 else f"${amount:,.2f}"
