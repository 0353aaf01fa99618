"""A session as the fields of a Redis hash, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from bot.domain.session import Session

_SESSION = TypeAdapter(Session)
_TEXT = {f.name for f in fields(Session) if f.type in {"str", "Stage"}}


def to_fields(session: Session) -> dict[str, str]:
    """Text fields as they are, so that they can be read with `HGET`; the others as JSON."""
    plain: dict[str, Any] = _SESSION.dump_python(session, mode="json")
    return {
        name: value if name in _TEXT else json.dumps(value, separators=(",", ":"))
        for name, value in plain.items()
    }


def from_fields(stored: dict[str, str]) -> Session:
    """The reverse. Fields that this version does not know are passed over."""
    known = {f.name for f in fields(Session)} & stored.keys()
    return _SESSION.validate_python(
        {name: stored[name] if name in _TEXT else json.loads(stored[name]) for name in known}
    )
