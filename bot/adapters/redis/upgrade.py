"""Reading sessions that an earlier version of the program has written.

Schema 1 had one image for each attempt, among the attempt's own fields, and no options; its root
message was always the one that its thread hangs on. Schema 2 did not count the paid calls for an
image, and did not say who made them.

The next write stores the session in today's form. An earlier version that is still running then
reads it as far as it understands, and writes attempts in its own form back: those are told by
their shape, not by the session's schema. The images that it dropped are lost, so earlier workers
are to be stopped before later ones start.
"""

from __future__ import annotations

from typing import Any

from bot.domain.session import SCHEMA

_OF_CANDIDATE = ("response_id", "revised_prompt", "mime_type", "width", "height", "file_id")


def upgraded(plain: dict[str, Any]) -> dict[str, Any]:
    """The fields of a session in today's form. Raises `ValueError` where they are newer."""
    schema = plain.get("schema", SCHEMA)
    if schema > SCHEMA:
        raise ValueError(f"schema {schema} is newer than {SCHEMA}")
    attempts = [
        attempt if "candidates" in attempt else _attempt_of_1(attempt)
        for attempt in plain.get("attempts", [])
    ]
    shown = plain.get("final_shown", bool(plain.get("final_ts")))
    root_ts = plain.get("root_ts", "") if schema > 1 else plain.get("thread_ts", "")
    today = {"attempts": attempts, "root_ts": root_ts, "final_shown": shown, "schema": SCHEMA}
    return plain | today


def _attempt_of_1(attempt: dict[str, Any]) -> dict[str, Any]:
    candidate = {name: attempt[name] for name in _OF_CANDIDATE if name in attempt}
    kept = {name: value for name, value in attempt.items() if name not in _OF_CANDIDATE}
    return kept | {"candidates": [{"number": 1, **candidate}]}
