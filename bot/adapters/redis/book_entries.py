"""Holds and lines of the books as JSON."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from bot.adapters.redis.json_text import json_text
from bot.domain.attempt import ImageRef
from bot.domain.books import Entry
from bot.domain.costs import CallState
from bot.ports import Hold, LedgerLine

_LINE = TypeAdapter(LedgerLine)
_MOST = 2**63 - 1
"""Micro-dollars that the store can add up."""
_BROKEN = (ValueError, TypeError, KeyError, OverflowError, RecursionError)


def hold_to_json(entry: Entry, now: float) -> str:
    """With the line that it becomes where its answer is lost."""
    line = {**_fields(entry, entry.session_id.partition(".")[0], now), "state": "estimated"}
    hold = {"begun": bool(entry.call.run_id), "images": int(entry.alone), "line": line}
    return json_text(hold)


def hold_from_json(team: str, id_: str, stored: str) -> Hold | None:
    """None where somebody broke it."""
    try:
        session_id, *numbers = id_.rsplit(".", 3)
        attempt, candidate, call = map(int, numbers)
        told = json.loads(stored)
        line, begun, images = _line(told["line"]), bool(told["begun"]), int(told["images"])
    except _BROKEN:
        return None
    image = ImageRef(attempt, candidate)
    return Hold(team, session_id, image, call, begun, images, id_, stored, line)


def line_to_json(entry: Entry, team: str, now: float) -> str:
    return json_text(_fields(entry, team, now))


def line_from_json(stored: str) -> LedgerLine | None:
    """None where somebody broke it. What another version adds to it does not matter."""
    try:
        return _line(json.loads(stored))
    except _BROKEN:
        return None


def _line(told: dict[str, Any]) -> LedgerLine:
    """Raises one of `_BROKEN`."""
    known = {name: told[name] for name in LedgerLine._fields}
    line = _LINE.validate_python(known, strict=True)
    if str(date.fromisoformat(line.day)) != line.day or not 0 <= line.micro <= _MOST:
        raise ValueError
    return line


def _fields(entry: Entry, team: str, now: float) -> dict[str, Any]:
    reserved, call = entry.reserved, entry.call
    measured = call.state is CallState.MEASURED
    return LedgerLine(
        id=entry.id,
        at=now,
        team=team,
        user=reserved.payer,
        channel=entry.channel,
        day=reserved.day,
        month=reserved.month,
        model=entry.model,
        size=reserved.size,
        quality=reserved.quality,
        state=call.state.value,
        micro=entry.micro,
        priced=call.priced if measured else reserved.priced,
        prices=call.version if measured else reserved.version,
        tokens=call.usage.counts(),
    )._asdict()
