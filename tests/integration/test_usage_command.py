"""`python -m bot usage` against a real Redis: which lines it shows, of which workspaces."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis import Redis

from bot.__main__ import main
from bot.adapters.redis.schema import ledger_key
from bot.domain.ledger import LedgerLine

pytestmark = pytest.mark.usefixtures("own_logs")

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
Usage = Callable[..., str]


@pytest.fixture
def ledger(redis_url: str) -> Iterator[Callable[..., None]]:
    with Redis.from_url(redis_url) as redis:

        def write(*lines: LedgerLine) -> None:
            for line in lines:
                redis.xadd(ledger_key(line.team), {"line": json.dumps(line._asdict())})

        yield write


@pytest.fixture
def usage(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Usage:
    monkeypatch.setenv("REDIS_URL", redis_url)

    def run(*options: str) -> str:
        assert main(["usage", "--since", "2026-01-01", *options]) == 0
        return capsys.readouterr().out

    return run


def of_two_workspaces(count: int = 3) -> list[LedgerLine]:
    mine = [LINE._replace(id=f"T1.U1.a.1.1.{n}", day=f"2026-11-0{1 + n}") for n in range(count)]
    return [*mine, LINE._replace(id="T2.U1.b.1.1.1", team="T2", micro=7)]


def rows(told: str, form: str) -> list[dict[str, Any]]:
    if form == "json":
        parsed: list[dict[str, Any]] = json.loads(told)
        return parsed
    return list(csv.DictReader(io.StringIO(told)))


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("user", ["U1", "U1"]),
        ("channel", ["C1", "C1"]),
        ("model", ["m", "m"]),
        ("day", ["2026-11-01", "2026-11-01", "2026-11-02", "2026-11-03"]),
    ],
)
def test_every_row_tells_its_workspace(
    ledger: Callable[..., None], usage: Usage, by: str, names: list[str], form: str
) -> None:
    ledger(*of_two_workspaces())
    told = rows(usage("--by", by, "--format", form), form)
    assert [row[by] for row in told] == names
    assert [row["team"] for row in told] == (
        ["T1", "T2", "T1", "T1"] if by == "day" else ["T1", "T2"]
    )


@pytest.mark.parametrize("by", ["user", "channel", "model", "day"])
@pytest.mark.parametrize("form", ["csv", "json"])
def test_one_workspace_is_shown_alone(
    ledger: Callable[..., None], usage: Usage, by: str, form: str
) -> None:
    ledger(*of_two_workspaces())
    told = rows(usage("--team", "T2", "--by", by, "--format", form), form)
    assert [(row["team"], row["dollars"]) for row in told] == [("T2", "0.000007")]


def test_a_table_tells_the_workspaces_where_there_are_several(
    ledger: Callable[..., None], usage: Usage
) -> None:
    ledger(*of_two_workspaces())
    assert usage("--by", "model").splitlines() == [
        "model         calls  estimated  unpriced  tokens   dollars  team",
        "m                 3          0         0     300  4.500000    T1",
        "m                 1          0         0     100  0.000007    T2",
        "all together      4          0         0     400  4.500007",
    ]
    assert usage("--by", "model", "--team", "T1").splitlines() == [
        "model         calls  estimated  unpriced  tokens   dollars",
        "m                 3          0         0     300  4.500000",
        "all together      3          0         0     300  4.500000",
    ]


@pytest.mark.parametrize("team", ["T9", "", "t1", "*", "T1}:x", "T1 T2"])
def test_a_workspace_without_a_ledger_is_told(
    ledger: Callable[..., None],
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    team: str,
) -> None:
    ledger(LINE)
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert main(["usage", "--team", team]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"imagine-bot: --team {team}: there is no ledger of such a workspace\n"


@pytest.mark.parametrize("count", [0, 1, 2_500])
def test_all_lines_are_added_up(ledger: Callable[..., None], usage: Usage, count: int) -> None:
    ledger(*(LINE._replace(id=f"T1.U1.a.1.1.{n}", micro=n) for n in range(count)))
    told = rows(usage("--format", "json"), "json")
    assert sum(row["micro_dollars"] for row in told) == count * (count - 1) // 2
    assert sum(row["calls"] for row in told) == count


@pytest.mark.parametrize("since", ["2026-12-01", "9999-12-31"])
def test_a_day_to_come_has_nothing(ledger: Callable[..., None], usage: Usage, since: str) -> None:
    ledger(LINE)
    assert rows(usage("--since", since, "--format", "json"), "json") == []


@pytest.mark.parametrize("since", ["2026-11-01", "2026-10-31", "1970-01-01", "0001-01-01"])
def test_a_line_of_the_day_is_shown(ledger: Callable[..., None], usage: Usage, since: str) -> None:
    ledger(LINE)
    assert len(rows(usage("--since", since, "--format", "json"), "json")) == 1


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", "2026-10-25"),  # 25 hours
        ("Europe/Berlin", "2026-03-29"),  # 23 hours
        ("America/Santiago", "2026-09-06"),  # no midnight
        ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
        ("Pacific/Kiritimati", "2026-11-01"),
        ("Pacific/Pago_Pago", "2026-11-01"),
    ],
)
def test_a_line_of_the_first_minute_is_one_of_its_day(
    redis_url: str, usage: Usage, monkeypatch: pytest.MonkeyPatch, zone: str, day: str
) -> None:
    monkeypatch.setenv("TIMEZONE", zone)
    start = datetime.fromisoformat(f"{day}T00:00:01").replace(tzinfo=ZoneInfo(zone))
    with Redis.from_url(redis_url) as redis:
        for number, at in enumerate([start - timedelta(minutes=1), start]):
            line = LINE._replace(id=f"{number}", day=at.date().isoformat(), micro=number)
            id_ = f"{int(at.timestamp() * 1000)}-{number}"
            redis.xadd(ledger_key("T1"), {"line": json.dumps(line._asdict())}, id=id_)
    (row,) = rows(usage("--since", day, "--by", "day", "--format", "json"), "json")
    assert (row["day"], row["micro_dollars"]) == (day, 1)


@pytest.mark.parametrize(
    "text", ["nonsense", json.dumps({**LINE._asdict(), "day": None}), '{"micro": Infinity}']
)
def test_a_broken_line_hides_no_other(
    ledger: Callable[..., None], redis_url: str, usage: Usage, text: str
) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.xadd(ledger_key("T1"), {"line": text})
        redis.xadd(ledger_key("T1"), {"other": text})
    ledger(LINE)
    assert len(rows(usage("--format", "json"), "json")) == 1


@pytest.mark.parametrize("by", [[], ["--team", "T3"]])
@pytest.mark.parametrize(
    "broken", [("SET", ledger_key("T3"), "x"), ("XADD", ledger_key("T3"), "*", "line", b"\xff")]
)
def test_a_broken_ledger_is_told_in_words(
    ledger: Callable[..., None],
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    by: list[str],
    broken: tuple[Any, ...],
) -> None:
    ledger(LINE)
    with Redis.from_url(redis_url) as redis:
        redis.execute_command(*broken)
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert main(["usage", *by]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "T3" in said
