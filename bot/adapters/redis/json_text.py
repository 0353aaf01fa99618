"""JSON as Redis keeps it."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


def json_text(value: Any) -> str:
    """The value as JSON without spaces. Pydantic takes a quarter of the time of `json`, which alone
    can write half of a character, such as a provider leaves of an emoji that it cut."""
    try:
        return _ANYTHING.dump_json(value).decode()
    except ValueError:
        return json.dumps(value, separators=(",", ":"))
