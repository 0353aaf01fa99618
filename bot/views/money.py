"""Amounts of money in words."""

from __future__ import annotations

from bot.domain.costs import DOLLAR


def rounded_down(micro: int) -> str:
    return dollars(micro // _step(micro) * _step(micro))


def rounded_up(micro: int) -> str:
    return dollars(-(-micro // _step(micro)) * _step(micro))


def _step(micro: int) -> int:
    """The last place that `dollars` shows, in micro-dollars."""
    if micro < DOLLAR // 1_000:
        return 1
    return DOLLAR // (1_000 if micro < DOLLAR else 100)


def dollars(micro: int) -> str:
    """`$1,234.50`; three places where an amount is below a dollar, `$0.013`; and as many as it has
    below a tenth of a cent: `$0.0004`."""
    amount, below = micro / DOLLAR, abs(micro)
    if 0 < below < DOLLAR // 1_000:
        return f"${amount:.6f}".rstrip("0")
    return f"${amount:,.3f}" if 0 < below < DOLLAR - 500 else f"${amount:,.2f}"
