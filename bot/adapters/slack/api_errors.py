"""What the answer to a failed call of Slack's says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isnan
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.domain.slack_errors import RATE_LIMITED

_CODE = re.compile(r"[a-z0-9_]{1,80}")
"""Slack's errors are names. Anything else in their place stays out of the logs."""
_SHORTEST_WAIT = 1.0
"""Seconds; `Retry-After` is in whole seconds."""
_LONGEST_WAIT = 3600.0
"""Seconds; a longer `Retry-After` is not waited for."""


def is_busy(error: SlackApiError) -> bool:
    """Whether Slack refuses a call because there were too many."""
    return status_of(error) == 429 or code_of(error) in RATE_LIMITED


def status_of(error: SlackApiError) -> int:
    """The HTTP status; 0 where it is not known."""
    response = error.response
    return getattr(response, "status_code", 0) or getattr(response, "status", 0)


def code_of(error: SlackApiError) -> str:
    """Slack's name of the error, or `http_…` with the status where a gateway answered in its
    place."""
    data = getattr(error.response, "data", None)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if not code:
        return f"http_{status_of(error)}"
    return code if _CODE.fullmatch(code) else "unknown_error"


def retry_after(headers: Mapping[str, Any]) -> float:
    """Seconds from the header `Retry-After`, at least 1; 1 where there is none that can be read.
    All processes are held for so long, and one that waits no time would ask again and again."""
    for key, value in headers.items():
        if key.lower() == "retry-after":
            try:
                seconds = float(value)
            except ValueError:
                break
            if isnan(seconds):
                break
            return min(max(_SHORTEST_WAIT, seconds), _LONGEST_WAIT)
    return _SHORTEST_WAIT
