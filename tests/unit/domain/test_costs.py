"""Days, months, and the most that a call takes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.costs import (
    CallOutcome,
    CallState,
    Cost,
    PaidCall,
    Usage,
    day_of,
    end_of_day,
    end_of_month,
    month_of,
    most_tokens,
    worst_usage,
)

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (at("2026-11-30T23:30"), "UTC", "2026-11-30"),
        (at("2026-11-30T23:30"), "Europe/Berlin", "2026-12-01"),
        (at("2026-12-01T00:30"), "America/New_York", "2026-11-30"),
        (at("2026-10-25T00:30"), "Europe/Berlin", "2026-10-25"),  # the clocks go back at 03:00
        (at("2026-10-25T01:30"), "Europe/Berlin", "2026-10-25"),
        (at("2026-12-31T11:00"), "Pacific/Kiritimati", "2027-01-01"),
    ],
)
def test_a_day_is_a_date_of_the_calendar(moment: float, zone: str, day: str) -> None:
    assert day_of(moment, ZoneInfo(zone)) == day


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-28", 24)]
)
def test_a_day_ends_when_the_next_begins(day: str, hours: int) -> None:
    end = end_of_day(day, BERLIN)
    assert end - at(f"{day}T00:00", "Europe/Berlin") == hours * 3600
    assert day_of(end - 1, BERLIN) == day
    assert day_of(end, BERLIN) > day


def test_a_day_whose_midnight_is_skipped_begins_at_the_change() -> None:
    santiago = ZoneInfo("America/Santiago")  # on 2026-09-06 the clocks go from 00:00 to 01:00
    end = end_of_day("2026-09-05", santiago)
    assert day_of(end - 1, santiago) == "2026-09-05"
    assert day_of(end, santiago) == "2026-09-06"


@pytest.mark.parametrize(
    ("month", "next_month"),
    [("2026-11", "2026-12-01"), ("2026-12", "2027-01-01"), ("2028-02", "2028-03-01")],
)
def test_a_month_ends_with_its_last_day(month: str, next_month: str) -> None:
    end = end_of_month(month, BERLIN)
    assert datetime.fromtimestamp(end, BERLIN).isoformat().startswith(f"{next_month}T00:00")
    assert month_of(day_of(end - 1, BERLIN)) == month


def test_auto_counts_as_its_worst_case() -> None:
    def out(size: str, quality: str, model: str = "gpt-image-2.5-flare") -> int:
        usage = worst_usage(
            model, size, quality, words="a red fox", partials=0, edits=False, host=False
        )
        return usage.image_out

    assert out("1024x1024", "low") == 196
    assert out("1024x1024", "auto") == out("1024x1024", "max")
    assert out("auto", "low") == out("1536x1024", "low")
    assert out("3840x2160", "max") > 7 * out("1024x1024", "max")
    assert out("1024x1024", "low", "gpt-image-2.6-flare") == 4 * 196
    assert out("1024x1024", "low", "OpenAI/gpt-image-2.6-flare-2026-11-04") == 4 * 196
    assert out("1024x1024", "what the server likes") == out("1024x1024", "max")


def test_partials_edits_and_the_host_model_are_in_the_estimate() -> None:
    plain = worst_usage("m", "auto", "low", words="a red fox", partials=0, edits=False, host=False)
    more = worst_usage("m", "auto", "low", words="a red fox", partials=3, edits=True, host=True)
    assert more.image_out == plain.image_out + 300
    assert more.image_in > plain.image_in == 0
    assert more.host_in > plain.host_in == 0


MEASURED = CallOutcome(CallState.MEASURED, Usage(image_out=1), Cost(30, "v", known=True))
ESTIMATED, FREE = CallOutcome(CallState.ESTIMATED), CallOutcome(CallState.FREE)


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        ([ESTIMATED, MEASURED], CallState.MEASURED),
        ([MEASURED, ESTIMATED], CallState.MEASURED),
        ([MEASURED, FREE], CallState.MEASURED),
        ([FREE, MEASURED], CallState.FREE),
        ([FREE, ESTIMATED], CallState.FREE),
        ([ESTIMATED, FREE], CallState.ESTIMATED),
        ([ESTIMATED, ESTIMATED], CallState.ESTIMATED),
    ],
)
def test_only_a_measurement_takes_the_place_of_an_estimate(
    ends: list[CallOutcome], state: CallState
) -> None:
    call = PaidCall(1)
    for end in ends:
        call = call.ended(end)
    assert call.state is state


def test_the_end_of_a_day_is_told_in_the_same_zone() -> None:
    assert (
        end_of_day("2026-11-28", ZoneInfo("UTC")) == datetime(2026, 11, 29, tzinfo=UTC).timestamp()
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A serene lake at dawn with mist rising over pine trees, watercolour, soft light", 17),
        (
            "夜明けの静かな湖、霧が立ちこめる松林、水彩画、柔らかな光、鶴が飛ぶ、薔薇の鬱蒼とした庭",
            46,
        ),
        ("새벽의 고요한 호수와 소나무 숲 위로 피어오르는 안개", 22),
        ("ทะเลสาบอันเงียบสงบในยามรุ่งอรุณ มีหมอกลอยเหนือป่าสน ภาพสีน้ำ", 32),
        ("بحيرة هادئة عند الفجر مع ضباب فوق أشجار الصنوبر", 17),
        ("भोर में एक शांत झील जिसमें चीड़ के पेड़ों पर धुंध है", 18),
        ("🦊🌲👨‍👩‍👧‍👦🏳️‍🌈🎨🧑🏽‍🚀", 32),
        ("𠮷𡈽𠀋 ꦲꦏ ᚠᚢᚦ 𓀀𓁐", 36),
        ("ཞོགས་པའི་མཚོ", 20),
        ("3 1 4 1 5 9 2 6 5 3 5", 21),
        ("deadbeef0f9e8a7c6b5d4e3f", 19),
        ("iVBORw0KGgoAAAANSUhEUgAAAyYl0k9Qz", 21),
        ("!?#@ $%^ &*( )_+ {}|", 12),
        ("a b c d e f g h i j k", 11),
        ("A SERENE LAKE AT DAWN WITH QZXV WKJP", 14),
        ("zxqvj kwpt bnmgh qwrtp lkjhg fdszx vbnmq", 20),
        ("aBcDeFgHiJkLmNoP", 10),
        ("\ud83d", 1),
        ("", 0),
    ],
)
def test_a_text_counts_at_least_as_its_tokenizer_counts_it(text: str, tokens: int) -> None:
    """`tokens` are those of `o200k_base`; of half a character, at least one."""
    assert most_tokens(text) >= tokens
    usage = worst_usage("m", "auto", "low", words=text, partials=0, edits=False, host=True)
    assert min(usage.text_in, usage.host_in, usage.host_out) >= tokens


def test_english_counts_less_than_its_letters() -> None:
    assert most_tokens("a fox in the snow") < 12
