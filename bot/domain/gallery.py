"""What a person has, a page at a time: what the Home tab shows."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.options import Options
from bot.domain.session import Session


@dataclass(frozen=True)
class Gallery:
    """One page of each list, newest first. Pages count from 0; `in_progress` and `approved` are
    how many there are in all. `last` holds the options that were asked for last."""

    working: tuple[Session, ...]
    in_progress: int
    working_page: int
    pictures: tuple[Session, ...]
    approved: int
    pictures_page: int
    defaults: Options
    last: Options
