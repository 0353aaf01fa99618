"""The cost of images, and the rest of the limits, in words."""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from bot.domain.books import Paid
from bot.domain.costs import DOLLAR, Expected
from bot.domain.ledger import OwnUsage, UsageRow
from bot.domain.limits import Quota, Standing
from bot.views.blocks import escape
from bot.views.csv_cells import write_csv
from bot.views.ids import COMMAND
from bot.views.limit_words import image_count
from bot.views.money import dollars, rounded_down

HEADINGS = ("calls", "estimated", "unpriced", "tokens", "dollars")
USAGE_LOST = "I can't reach my memory right now. Please ask again in a moment."
FOR_ADMINS = "The numbers of the whole workspace are for its admins."
NOTHING_COUNTED = "What images cost is not counted here."
TOO_MANY_CALLS = (
    "There are too many calls this month to add them up here. Whoever runs me can, with "
    "`python -m bot usage`."
)

_HALF_A_MONTH = 15 * 86_400
_BAR = 10
"""Characters of a bar."""
_SHOWN = 10
"""Rows of each table in words."""
_MOST_CSV = 30_000
"""Characters, escaped, of a CSV in a message, which holds 40,000."""
_PERSON = re.compile(r"(?:[TE][A-Z0-9]+-)?([UW][A-Z0-9]+)")
"""Of people from outside, their organisation stands in front."""


def expected_words(expected: Expected, budget: Standing | None) -> str:
    """Such as: ≈ $0.013 · $3.10 of $10 left in November. Empty where no price is known, or nothing
    is paid."""
    if not expected.each.known or not expected.each.micro:
        return ""
    cost = f"≈ {dollars(expected.each.micro * expected.images)}"
    images = f" for {expected.images} images" if expected.images > 1 else ""
    at_most = " at most" if expected.at_most else ""
    return " · ".join(filter(None, [f"{cost}{images}{at_most}", left_words(budget)]))


def paid_words(paid: Paid | None, budget: Standing | None) -> str:
    """The paid cost and the rest of the budget; a measured cost has no ≈."""
    if paid is None or not paid.known or not paid.micro:
        return ""
    cost = f"{'' if paid.measured else '≈ '}{dollars(paid.micro)}"
    return " · ".join(filter(None, [cost, left_words(budget)]))


def left_words(budget: Standing | None) -> str:
    if budget is None:
        return ""
    left, limit = _short(rounded_down(budget.left)), _short(dollars(budget.limit))
    place = "channel" if budget.channel else "conversation"
    whose = {Quota.CHANNEL: f" for this {place}", Quota.WORKSPACE: " for the workspace"}
    return f"{left} of {limit} left{whose.get(budget.quota, '')} in {_month_of(budget)}"


def own_words(own: OwnUsage) -> str:
    """A person's own days and month."""
    taken = [(day, count) for day, count in own.images.items() if count]
    days = "\n".join(f"• {_day(day)}: {image_count(count)}" for day, count in taken)
    days = days or f"• none in the last {len(own.images)} days"
    spent = f"*{_month_name(own.month)}*: {dollars(own.micro)} of yours, as far as prices are known"
    limits = [_standing_words(each) for each in own.standings]
    told = "\n".join(f"• {each}" for each in limits) or "• No limit is set for you."
    return f"*Your images*\n{days}\n{spent}\n*Limits*\n{told}\nWhat is being made counts, too."


def bar_words(own: OwnUsage) -> str:
    """One line for the Home tab: the day and the month."""
    today = list(own.images.values())[-1]
    bars = {each.quota: each for each in own.standings}
    day, month = bars.get(Quota.USER_IMAGES), bars.get(Quota.USER)
    images = image_count(today)
    if day:
        images = f"{_bar(day)} {day.used:,} of {image_count(day.limit)}"
    spent = dollars(own.micro)
    if month:
        spent = f"{_bar(month)} {dollars(month.used)} of {_short(dollars(month.limit))}"
    return f"Today: {images} · {_month_name(own.month)}: {spent}"


def workspace_words(month: str, tables: Mapping[str, list[UsageRow]]) -> str:
    """The spending of the workspace, by each table's name."""
    total = sum(row.micro for row in next(iter(tables.values())))
    lines = [f"*The workspace in {_month_name(month)}*: {dollars(total)} for what is settled"]
    for by, rows in tables.items():
        lines.append(f"*By {by}*")
        lines += [_row_words(by, row) for row in _most(by, rows)]
        if len(rows) > _SHOWN:
            lines.append(f"• … and {len(rows) - _SHOWN:,} more")
        if not rows:
            lines.append("• nothing yet")
    lines.append(f"`{COMMAND} usage csv` shows all of it as CSV.")
    return "\n".join(lines)


def csv_message(tables: Mapping[str, list[UsageRow]]) -> str:
    """The tables as one CSV in a code block, to be copied: only the reader sees it, and no file of
    it stays in Slack. The short tables come first, and the longest is cut."""
    out = io.StringIO()
    shortest_first = sorted(tables.items(), key=lambda table: len(table[1]))
    cells = ([by, *usage_cells(row)] for by, rows in shortest_first for row in rows)
    write_csv(out, ["by", "name", *HEADINGS], cells)
    kept, size = [], 0
    lines = escape(out.getvalue().replace("`", "'")).splitlines()
    for line in lines:
        size += len(line) + 1
        if size > _MOST_CSV:
            break
        kept.append(line)
    more = f"\n{len(lines) - len(kept):,} more rows do not fit. Whoever runs me can get them all."
    return "```" + "\n".join(kept) + "```" + (more if len(kept) < len(lines) else "")


def usage_cells(row: UsageRow) -> list[object]:
    """In the order of `HEADINGS`, after the name."""
    tokens = sum(row.tokens.values())
    cost = Decimal(row.micro) / DOLLAR
    return [row.name, row.calls, row.estimated, row.unpriced, tokens, f"{cost:.6f}"]


def _standing_words(standing: Standing) -> str:
    if standing.quota is Quota.USER_IMAGES:
        return f"{_bar(standing)} {standing.used:,} of {image_count(standing.limit)} today"
    return f"{_bar(standing)} {left_words(standing)}"


def _bar(standing: Standing) -> str:
    """A bar of the used part; a use above 0 always shows, and only a used up limit fills it."""
    used = -(-_BAR * standing.used // standing.limit) if standing.limit else _BAR
    full = _BAR if not standing.left else min(_BAR - 1, used)
    return "▓" * full + "░" * (_BAR - full)


def _most(by: str, rows: list[UsageRow]) -> list[UsageRow]:
    """The newest days, or the rows that come first."""
    return rows[-_SHOWN:] if by == "day" else rows[:_SHOWN]


def _row_words(by: str, row: UsageRow) -> str:
    calls = f"{row.calls:,} call{'' if row.calls == 1 else 's'}"
    unpriced = f", {row.unpriced:,} without a price" if row.unpriced else ""
    return f"• {_name(by, row.name)}: {dollars(row.micro)}, {calls}{unpriced}"


def _name(by: str, name: str) -> str:
    if by == "person" and (person := _PERSON.fullmatch(name)):
        return f"<@{person[1]}>"
    if by == "channel":
        return f"<#{name}>" if not name.startswith("D") else f"direct messages ({escape(name)})"
    return escape(_day(name) if by == "day" else name)


def _short(amount: str) -> str:
    return amount.removesuffix(".00")


def _day(day: str) -> str:
    return f"{int(day[8:])} {_month_name(day)}"


def _month_name(month: str) -> str:
    return calendar.month_name[int(month[5:7])]


def _month_of(budget: Standing) -> str:
    """The name of the month that ends when the budget begins anew."""
    middle = datetime.fromtimestamp(budget.resets_at - _HALF_A_MONTH, UTC)
    return calendar.month_name[middle.month]
