"""What processes have logged as JSON, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.support.processes import BotProcess

Line = dict[str, Any]


def lines_of(process: BotProcess) -> list[Line]:
    """Every whole line. Raises `ValueError` for one that is no JSON object."""
    whole, _, _ = process.log.rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines()]
    if odd := [line for line in lines if not isinstance(line, dict)]:
        raise ValueError(f"not an object: {odd}")
    return lines


def about(token: str, lines: Iterable[Line]) -> list[Line]:
    """Those of one session."""
    return [line for line in lines if line.get("session") == token]


async def until_told(process: BotProcess, token: str, message: str) -> list[Line]:
    """The lines of a session, once `message` is one of them. A process logs some lines after what
    they tell is seen in Slack or in the store."""
    await process.wait_until(lambda: message in messages(about(token, lines_of(process))))
    return about(token, lines_of(process))


def messages(lines: Iterable[Line]) -> list[str]:
    return [line["message"] for line in lines]
