"""That a person's picture is being read is kept in its session beforehand: a picture can be more
than a worker survives, and then only the record tells which one it was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bot.domain.errors import FailureKind, GenerationError, ReadElsewhere
from bot.domain.session import Session


def reading_begun(session: Session, reader: str, lost: Collection[str]) -> Session:
    """`reader` names the run; `lost` those that began before and live no more. Raises
    `ReadElsewhere` where yet another has begun, and `GenerationError(SOURCE_STOPS_WORKERS)` where
    too many never came to an end with it."""
    source = session.source
    if source is None:
        return session
    if source.stops_workers:
        raise GenerationError(FailureKind.SOURCE_STOPS_WORKERS)
    others = tuple(other for other in source.readers if other != reader)
    if not set(others) <= set(lost):
        raise ReadElsewhere
    return replace(session, source=replace(source, readers=(*others, reader)))


def reading_ended(session: Session) -> Session:
    """The picture was read, or found unreadable; whoever did not come so far was lost to something
    else."""
    if session.source is None:
        return session
    return replace(session, source=replace(session.source, readers=()))


def reading_stopped(session: Session, reader: str) -> Session:
    """The run was told to stop, and lost nobody. The others count on."""
    if session.source is None:
        return session
    others = tuple(other for other in session.source.readers if other != reader)
    return replace(session, source=replace(session.source, readers=others))
