"""Lines and holds that somebody broke."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from bot.adapters.redis.book_entries import hold_from_json, line_from_json

LINE: dict[str, Any] = {
    "id": "T1.U1.a.1.1.1",
    "at": 1.0,
    "team": "T1",
    "user": "U1",
    "channel": "C1",
    "day": "2026-11-01",
    "month": "2026-11",
    "model": "m",
    "size": "1024x1024",
    "quality": "low",
    "state": "measured",
    "micro": 5,
    "priced": True,
    "prices": "v",
    "tokens": {"image_out": 100},
}
NO_TEXTS: list[Any] = [None, 0, 1.5, True, [], ["x"], {}, math.inf]
NO_NUMBERS: list[Any] = [None, "", "5", "x", [], {}, math.inf, -math.inf, math.nan]
NO_TABLES: list[Any] = [None, "", "x", [], [1], 3, math.inf]
NO_TIMES: list[Any] = [None, "1", [], {}]
NO_FLAGS: list[Any] = [None, "yes", 1, []]
BROKEN = [
    *(
        {name: wrong}
        for name in ("id", "team", "user", "channel", "day", "month", "model", "state", "prices")
        for wrong in NO_TEXTS
    ),
    *({"day": wrong} for wrong in ("", "x", "20261101", "2026-W44-7", "2026-13-01")),
    *({"micro": wrong} for wrong in [*NO_NUMBERS, 1.5, -1, 2**63, 10**400]),
    *({"tokens": wrong} for wrong in NO_TABLES),
    *({"tokens": {"image_out": wrong}} for wrong in [*NO_NUMBERS, 1.5]),
    *({"at": wrong} for wrong in NO_TIMES),
    *({"priced": wrong} for wrong in NO_FLAGS),
]


@pytest.mark.parametrize("broken", BROKEN, ids=repr)
def test_a_broken_line_is_none(broken: dict[str, Any]) -> None:
    text = json.dumps({**LINE, **broken})
    assert line_from_json(text) is None
    hold = json.dumps({"begun": True, "images": 1, "line": {**LINE, **broken}})
    assert hold_from_json("T1", "T1.U1.a.1.1.1", hold) is None


@pytest.mark.parametrize(
    "text", ["", "null", "1", "[]", "{}", '"x"', "nan", "{", "[" * 100_000, json.dumps([LINE])]
)
def test_what_is_no_line_is_none(text: str) -> None:
    assert line_from_json(text) is None
    assert hold_from_json("T1", "T1.U1.a.1.1.1", text) is None


@pytest.mark.parametrize("broken", [{"images": math.inf}, {"images": "x"}, {"line": [LINE]}])
def test_a_broken_hold_is_none(broken: dict[str, Any]) -> None:
    hold = {"begun": True, "images": 1, "line": LINE}
    assert hold_from_json("T1", "T1.U1.a.1.1.1", json.dumps(hold)) is not None
    assert hold_from_json("T1", "T1.U1.a.1.1.1", json.dumps({**hold, **broken})) is None


def test_a_line_of_another_version_may_hold_more_and_whole_seconds() -> None:
    line = line_from_json(json.dumps({**LINE, "at": 7, "colour": "red"}))
    assert line is not None
    assert (line.at, line.micro, line.tokens) == (7.0, 5, {"image_out": 100})
