"""`python -m bot usage`: its rows and their forms."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.errors import ImagineError
from bot.domain.ledger import LedgerLine, UsageRow
from bot.ops.usage import earliest_time, first_day, rows_of, usage, write_rows
from bot.settings import Settings

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
LINES = [
    LINE._replace(state="estimated", micro=9, tokens={}),
    LINE,  # in the place of the one before
    LINE._replace(id="2", user="=U2", day="2026-11-03", micro=2_000_000),
    LINE._replace(id="3", channel="C2", model="", priced=False, micro=0, state="estimated"),
    LINE._replace(id="4", day="2026-10-31"),
]


async def each() -> AsyncIterator[LedgerLine]:
    for line in LINES:
        yield line


async def rows(by: str) -> list[UsageRow]:
    return await rows_of(each(), by, "2026-11-01")


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("user", ["=U2", "U1"]),
        ("channel", ["C1", "C2"]),
        ("day", ["2026-11-01", "2026-11-03"]),
        ("model", ["m", "unknown"]),
    ],
)
async def test_rows_by_what_is_asked_for(by: str, names: list[str]) -> None:
    found = await rows(by)
    assert [row.name for row in found] == names
    assert {row.team for row in found} == {"T1"}
    assert sum(row.micro for row in found) == 3_500_000
    assert sum(row.calls for row in found) == 3
    assert sum(row.estimated for row in found) == sum(row.unpriced for row in found) == 1


async def test_json_and_csv_hold_the_same() -> None:
    found = await rows("user")
    as_json, as_csv = io.StringIO(), io.StringIO()
    write_rows(found, "user", "json", as_json)
    write_rows(found, "user", "csv", as_csv)
    parsed: list[dict[str, Any]] = json.loads(as_json.getvalue())
    table = list(csv.DictReader(io.StringIO(as_csv.getvalue())))
    assert [row["dollars"] for row in parsed] == ["2.000000", "1.500000"]
    assert [row["dollars"] for row in table] == ["2.000000", "1.500000"]
    assert parsed[0]["tokens_by_kind"] == {"image_out": 100}
    assert [row["team"] for row in parsed] == [row["team"] for row in table] == ["T1", "T1"]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("user", [("T2", "=U2"), ("T1", "U1"), ("T1", "=U2")]),
        ("channel", [("T2", "C1"), ("T1", "C1")]),
        ("day", [("T1", "2026-11-01"), ("T1", "2026-11-03"), ("T2", "2026-11-03")]),
        ("model", [("T2", "m"), ("T1", "m")]),
    ],
)
async def test_several_workspaces_are_told_apart(by: str, names: list[tuple[str, str]]) -> None:
    async def of_two() -> AsyncIterator[LedgerLine]:
        yield LINE
        yield LINE._replace(id="2", user="=U2", day="2026-11-03", micro=1)
        yield LINE._replace(id="3", team="T2", user="=U2", day="2026-11-03", micro=9_000_000)

    found = await rows_of(of_two(), by, "2026-11-01")
    assert [(row.team, row.name) for row in found] == names
    out = io.StringIO()
    write_rows(found, by, "table", out)
    first, *others, total = out.getvalue().splitlines()
    assert first.split()[-1] == "team"
    assert [(line.split()[-1], line.split()[0]) for line in others] == names
    assert total.split()[-1] == "10.500001"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
def test_a_cell_is_no_formula(name: str) -> None:
    out = io.StringIO()
    write_rows([UsageRow(name)], "model", "csv", out)
    assert out.getvalue().splitlines()[1].startswith(f"'{name}")


def test_a_table_ends_with_the_sum() -> None:
    out = io.StringIO()
    write_rows(
        [UsageRow("a", calls=2, micro=1), UsageRow("b", calls=3, micro=2)], "model", "table", out
    )
    last = out.getvalue().splitlines()[-1].split()
    assert last == ["all", "together", "5", "0", "0", "0", "0.000003"]


def test_a_table_of_nothing_is_a_table() -> None:
    out = io.StringIO()
    write_rows([], "user", "table", out)
    assert len(out.getvalue().splitlines()) == 2


@pytest.mark.parametrize("text", ["2026-11-01", "2026-11-1", " 2026-11-01 ", "２０２６-11-01"])
def test_the_first_day_is_written_as_in_the_ledger(text: str) -> None:
    assert first_day(text) == "2026-11-01"


@pytest.mark.parametrize(
    "wrong", ["yesterday", "2026-13-01", "2026-11-01T00:00", "2026-02-30", "1"]
)
def test_what_is_no_day_is_refused_in_words(wrong: str) -> None:
    with pytest.raises(ImagineError, match="--since"):
        first_day(wrong)


async def test_an_empty_day_is_no_day_either() -> None:
    options = argparse.Namespace(since="", team=None, by="user", format="table")
    with pytest.raises(ImagineError, match="--since"):
        await usage(options, Settings(_env_file=None))  # type: ignore[call-arg]


def test_lines_of_a_day_are_looked_for_from_its_beginning_anywhere() -> None:
    kiritimati = datetime(2026, 11, 1, tzinfo=ZoneInfo("Pacific/Kiritimati"))
    assert earliest_time("2026-11-01") == kiritimati.timestamp()
    assert earliest_time("1969-12-31") == earliest_time("0001-01-01") == 0.0
