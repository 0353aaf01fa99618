"""What images cost and what is left, in words."""

from __future__ import annotations

import csv
import io
from zoneinfo import ZoneInfo

import pytest

from bot.domain.books import Paid
from bot.domain.costs import Cost, Expected, end_of_month
from bot.domain.ledger import OwnUsage, UsageRow
from bot.domain.limits import Quota, Standing, tightest
from bot.views.limit_words import nearly_used_words
from bot.views.usage_words import (
    bar_words,
    csv_message,
    expected_words,
    own_words,
    paid_words,
    workspace_words,
)

NOVEMBER = end_of_month("2026-11", ZoneInfo("UTC"))
MINE = Standing(Quota.USER, 6_900_000, 10_000_000, NOVEMBER, 13_000)
IMAGES = Standing(Quota.USER_IMAGES, 12, 100, NOVEMBER)
EACH = Cost(13_000, "v", known=True)


def test_what_is_expected_stands_with_what_is_left() -> None:
    assert expected_words(Expected(EACH), MINE) == "≈ $0.013 · $3.10 of $10 left in November"
    assert expected_words(Expected(EACH, 4), None) == "≈ $0.052 for 4 images"
    assert expected_words(Expected(EACH, at_most=True), None) == "≈ $0.013 at most"


@pytest.mark.parametrize("cost", [Cost(13_000), Cost(0, "v", known=True)])
def test_an_unknown_price_or_none_has_no_line(cost: Cost) -> None:
    assert expected_words(Expected(cost), MINE) == ""
    assert paid_words(Paid(cost.micro, True, cost.known), MINE) == ""
    assert paid_words(None, MINE) == ""


@pytest.mark.parametrize(
    ("used", "told"),
    [(3_000, "$9.99"), (6_904_000, "$3.09"), (9_987_001, "$0.012"), (9_999_999, "$0.000001")],
)
def test_what_is_left_is_never_told_to_be_more(used: int, told: str) -> None:
    budget = MINE._replace(used=used)
    assert f" · {told} of $10 left in" in expected_words(Expected(EACH), budget)
    assert f"{told} is left" in nearly_used_words(budget)


def test_what_is_measured_is_no_estimate() -> None:
    assert paid_words(Paid(13_000, True, True), MINE) == "$0.013 · $3.10 of $10 left in November"
    assert paid_words(Paid(13_000, False, True), None) == "≈ $0.013"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(("month", "name"), [("2026-02", "February"), ("2026-12", "December")])
def test_the_month_is_the_same_in_every_time_zone(zone: str, month: str, name: str) -> None:
    budget = MINE._replace(resets_at=end_of_month(month, ZoneInfo(zone)))
    assert expected_words(Expected(EACH), budget).endswith(f"left in {name}")


def test_the_budget_of_which_the_least_is_left_is_told() -> None:
    channel = MINE._replace(quota=Quota.CHANNEL, used=9_990_000, channel="C1")
    workspace = MINE._replace(quota=Quota.WORKSPACE, used=20_000_000, limit=50_000_000)
    assert tightest([IMAGES, MINE, channel, workspace]) == channel
    assert "$0.010 of $10 left for this channel in" in expected_words(Expected(EACH), channel)
    assert tightest([IMAGES]) is None
    direct = channel._replace(channel="")
    assert "left for this conversation in" in expected_words(Expected(EACH), direct)


def own(*standings: Standing) -> OwnUsage:
    return OwnUsage({"2026-11-27": 3, "2026-11-28": 12}, "2026-11", 6_900_000, list(standings))


def test_ones_own_days_and_month() -> None:
    words = own_words(own(IMAGES, MINE))
    assert "• 27 November: 3 images\n• 28 November: 12 images" in words
    assert "*November*: $6.90 of yours" in words
    assert "▓▓░░░░░░░░ 12 of 100 images today" in words
    assert "$3.10 of $10 left in November" in words
    assert "No limit is set for you" in own_words(own())
    idle = own()._replace(images={"2026-11-27": 0, "2026-11-28": 0})
    assert "• none in the last 2 days" in own_words(idle)


def test_the_bar_of_the_home_tab() -> None:
    assert bar_words(own(IMAGES, MINE)) == (
        "Today: ▓▓░░░░░░░░ 12 of 100 images · November: ▓▓▓▓▓▓▓░░░ $6.90 of $10"
    )
    assert bar_words(own()) == "Today: 12 images · November: $6.90"


@pytest.mark.parametrize(
    ("used", "bar"),
    [
        (0, "░" * 10),
        (1, "▓" + "░" * 9),
        (91, "▓" * 9 + "░"),
        (99, "▓" * 9 + "░"),
        (100, "▓" * 10),
        (250, "▓" * 10),
    ],
)
def test_a_bar_is_never_longer_than_it_is(used: int, bar: str) -> None:
    assert bar in bar_words(own(IMAGES._replace(used=used)))


def rows(*names: str) -> list[UsageRow]:
    return [UsageRow(name, calls=2, micro=1_000_000 - n) for n, name in enumerate(names)]


TABLES = {
    "person": rows("U1", "T9-U2"),
    "channel": rows("C1", "D5"),
    "day": rows(*(f"2026-11-{day:02}" for day in range(1, 13))),
    "model": rows("<!channel>"),
}


def test_the_workspace_by_person_channel_day_and_model() -> None:
    words = workspace_words("2026-11", TABLES)
    assert "*The workspace in November*: $2.00" in words
    assert "• <@U1>: $1.00, 2 calls" in words
    assert "• <@U2>: " in words
    assert "• <#C1>: " in words
    assert "direct messages (D5)" in words
    assert "12 November: " in words
    assert "• 2 November: " not in words
    assert "… and 2 more" in words
    assert "<!channel>" not in words
    assert "nothing yet" in workspace_words("2026-11", {"person": []})


def test_the_csv_can_be_copied_and_its_cells_are_no_formulas() -> None:
    message = csv_message({"model": rows("=1+1", "```", "a,b")})
    assert message.startswith("```")
    assert message.count("```") == 2
    table = list(csv.DictReader(io.StringIO(message.strip("`"))))
    assert [row["name"] for row in table] == ["'=1+1", "'''", "a,b"]
    assert {row["by"] for row in table} == {"model"}
    assert table[0]["dollars"] == "1.000000"


def test_a_csv_that_is_too_long_is_cut_between_two_rows() -> None:
    people = rows(*(f"U{n}" for n in range(5_000)))
    whole = csv_message({"person": people, "day": rows("2026-11-01"), "model": rows("m")})
    assert "day,2026-11-01" in whole
    assert "model,m" in whole
    message = csv_message({"person": people})
    assert len(message) < 38_000
    body, _, more = message.strip("`").partition("```")
    shown = body.splitlines()
    assert all(len(line.split(",")) == 7 for line in shown)
    assert f"{5_001 - len(shown):,} more rows" in more
