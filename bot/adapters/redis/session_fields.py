"""How a session, options and a question are written in Redis: text as it is, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.adapters.redis.json_text import json_text
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options, Value
from bot.domain.questions import Question
from bot.domain.session import NEWEST_SCHEMA, SCHEMA, Session

_SESSION = TypeAdapter(Session)
_OPTIONS = TypeAdapter(dict[str, Value])
_QUESTION: TypeAdapter[Question] = TypeAdapter(Question)
_NAMES = frozenset(f.name for f in fields(Session))
_TEXT = {f.name for f in fields(Session) if f.type in {"str", "Stage", "Publication", "Discard"}}


def to_fields(session: Session, before: Session | None = None) -> dict[str, str]:
    """Text fields as they are, so that `HGET` reads them; the others as JSON. Only those that
    differ from the session before, where there is one."""
    if before is None:
        return _DEFAULT_FIELDS | to_fields(session, _DEFAULT)
    changed = {name for name in _NAMES if getattr(session, name) != getattr(before, name)}
    return _encoded(session, changed)


def _encoded(session: Session, names: Set[str]) -> dict[str, str]:
    plain: dict[str, Any] = _SESSION.dump_python(session, mode="json", include={*names})
    for holder in (plain, *plain.get("attempts", ())):
        if "options" in holder:
            holder["options"] = dict(holder["options"]["chosen"])
    return {name: value if name in _TEXT else json_text(value) for name, value in plain.items()}


_DEFAULT = Session("", "", "", "")
_DEFAULT_FIELDS = _encoded(_DEFAULT, _NAMES)
"""Most of a new session's fields: to encode them each time takes as long as all others."""


def from_fields(stored: dict[str, str]) -> Session:
    """The reverse. Fields that this version does not know are ignored. Raises `ValueError` for a
    session that a newer version has written or that is broken; its text quotes no person."""
    known = _NAMES & stored.keys()
    plain = {name: stored[name] if name in _TEXT else json.loads(stored[name]) for name in known}
    schema = int(plain.get("schema", SCHEMA))
    if schema > NEWEST_SCHEMA:
        raise ValueError(f"schema {schema} is newer than {NEWEST_SCHEMA}")
    try:
        for holder in (plain, *plain.get("attempts", [])):
            options = Options(**_OPTIONS.validate_python(holder.get("options", {})))
            # an image without an option that only a newer version knows is not what was asked for
            if unknown := {name for name, _ in options.chosen} - {spec.name for spec in OPTIONS}:
                raise ValueError(f"{len(unknown)} options are not known")
            holder["options"] = options
        return _SESSION.validate_python(plain)
    except ValidationError:
        raise ValueError("some values are not of their form") from None


def options_to_json(options: Options) -> str:
    return json_text(dict(options.chosen))


def options_from_json(stored: str) -> Options:
    return Options(**_OPTIONS.validate_json(stored))


def question_to_json(question: Question) -> str:
    return _QUESTION.dump_json(question).decode()


def question_from_json(stored: str) -> Question:
    return _QUESTION.validate_json(stored)
