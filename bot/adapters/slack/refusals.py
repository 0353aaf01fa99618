"""What Slack's refusals are called."""

from __future__ import annotations

import re

from slack_sdk.errors import SlackApiError

_CODE = re.compile(r"[a-z0-9_]{1,80}")
"""Slack's errors are names. What stands in their place is not for logs."""


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
