"""A message, and the block id by which it is found again when nobody recorded its `ts`."""

from __future__ import annotations

from typing import NamedTuple

from bot.domain.session import Session
from bot.views.blocks import Block


class Message(NamedTuple):
    """`text` is what notifications and screen readers get. The first block carries the marker."""

    text: str
    blocks: list[Block]


def root_marker(session: Session) -> str:
    return _marker(session, "root", 0)


def draft_marker(session: Session, number: int) -> str:
    return _marker(session, "draft", number)


def preview_marker(session: Session, number: int) -> str:
    return _marker(session, "preview", number)


def failure_marker(session: Session, number: int) -> str:
    return _marker(session, "failure", number)


def final_marker(session: Session) -> str:
    return _marker(session, "final", session.final_result)


def _marker(session: Session, kind: str, number: int) -> str:
    """Opaque; at most 255 characters."""
    return f"{kind}-{session.id}-{number}"
