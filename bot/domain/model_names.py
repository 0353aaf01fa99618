"""The names under which a model may be known: a snapshot has a date behind its model's name, and a
server that passes calls on has the provider in front of it."""

from __future__ import annotations

import re

_DATE = re.compile(
    r"(?<=.)[-@]20\d\d(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])$", re.ASCII | re.DOTALL
)
"""Of a snapshot: `-2026-08-01`, `-20260801`."""


def names_of(model: str) -> tuple[str, ...]:
    """The model as it is named, then without its date, then both without the provider. Servers
    take any case. A name that only begins as another does is a model of its own."""
    named = model.strip().lower()
    names = (each for name in (named, without_provider(named)) for each in (name, _undated(name)))
    return tuple(dict.fromkeys(names))


def base_model(model: str) -> str:
    """The name of the model itself, which has no provider and no date."""
    return names_of(model)[-1]


def without_provider(name: str) -> str:
    return name.rpartition("/")[2] or name


def _undated(name: str) -> str:
    return _DATE.sub("", name)
