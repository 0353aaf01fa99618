"""What the lines of the ledger come to."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.domain.ledger import LedgerLine, UsageTable, add_lines

LINE = LedgerLine(
    id="T1.U1.a.1.1.1",
    at=1.0,
    team="T1",
    user="U1",
    channel="C1",
    day="2026-11-01",
    month="2026-11",
    model="m",
    size="1024x1024",
    quality="low",
    state="measured",
    micro=1_500_000,
    priced=True,
    prices="v",
    tokens={"image_out": 100},
)
GUESS = LINE._replace(state="estimated", micro=9, tokens={}, day="2026-11-02")


async def of(*lines: LedgerLine) -> AsyncIterator[LedgerLine]:
    for line in lines:
        yield line


async def test_a_row_adds_up_its_lines() -> None:
    table = UsageTable(lambda line: line.user)
    unpriced = GUESS._replace(id="2", priced=False, micro=0)
    await add_lines(of(LINE, unpriced, LINE._replace(id="3", user="U2")), "", table)
    first, second = table.rows()
    assert (first.name, first.calls, first.estimated, first.unpriced) == ("U1", 2, 1, 1)
    assert (first.micro, first.tokens) == (1_500_000, {"image_out": 100})
    assert (second.name, second.calls) == ("U2", 1)


async def test_what_was_measured_stands_in_the_place_of_its_estimate_in_every_table() -> None:
    by_user, by_day = UsageTable(lambda line: line.user), UsageTable(lambda line: line.day)
    await add_lines(of(GUESS, LINE), "", by_user, by_day)
    (row,) = by_user.rows()
    assert (row.calls, row.estimated, row.micro) == (1, 0, 1_500_000)
    assert [row.name for row in by_day.rows()] == [LINE.day]


async def test_an_estimate_of_another_call_stays() -> None:
    table = UsageTable(lambda line: line.user)
    await add_lines(of(GUESS, LINE._replace(id="2"), LINE._replace(id="2")), "", table)
    (row,) = table.rows()
    assert (row.calls, row.estimated) == (3, 1)


async def test_days_before_the_first_are_left_out() -> None:
    table = UsageTable(lambda line: line.day)
    earlier = LINE._replace(day="2026-10-31")
    await add_lines(of(earlier, LINE), "2026-11-01", table)
    assert [row.name for row in table.rows()] == ["2026-11-01"]


async def test_rows_come_by_what_was_spent_or_by_name() -> None:
    table = UsageTable(lambda line: line.day)
    days = [("2026-11-02", 5), ("2026-11-01", 5), ("2026-11-03", 9)]
    await add_lines(of(*(LINE._replace(day=day, micro=micro) for day, micro in days)), "", table)
    assert [row.name[-1] for row in table.rows()] == ["3", "1", "2"]
    assert [row.name[-1] for row in table.rows(by_name=True)] == ["1", "2", "3"]
