"""What one commit writes beside the session's hash.

A further write that must be kept with the session (a hold, a line of a ledger) is one more `Write`
here: the script applies all of them or none. It looks at the types of sorted sets beforehand; a
write to a key of another type needs such a look in `COMMIT` as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from bot.adapters.redis.schema import owner_key, thread_key, unfinished_key
from bot.domain.jobs import owed
from bot.domain.session import Session

IN_THREAD = 10
"""Sessions of one thread that are looked at; the newest may have expired."""


class Write(NamedTuple):
    """One command on one key of the session's workspace."""

    command: str
    key: str
    args: tuple[str, ...]


def writes_with(session: Session, now: float, ttl: int) -> Iterator[Write]:
    """`now` and `ttl` are seconds. What adds comes before what removes, so that a full server
    refuses the first of them."""
    index = owner_key(session.id)
    yield Write("ZADD", index, (repr(now), session.id))
    yield Write("ZREMRANGEBYSCORE", index, ("-inf", f"({now - ttl!r}"))
    yield Write("EXPIRE", index, (str(ttl),))
    yield from _in_thread(session, ttl)
    unfinished = unfinished_key(session.team)
    if owed(session):
        yield Write("ZADD", unfinished, (repr(now), session.id))
        yield Write("EXPIRE", unfinished, (str(ttl),))  # no session on it lives longer
    else:
        yield Write("ZREM", unfinished, (session.id,))


def _in_thread(session: Session, ttl: int) -> Iterator[Write]:
    if not session.thread_ts:
        return
    key = thread_key(session.team, session.channel, session.thread_ts)
    yield Write("ZADD", key, (repr(session.created_at), session.id))
    yield Write("ZREMRANGEBYRANK", key, ("0", str(-IN_THREAD - 1)))
    yield Write("EXPIRE", key, (str(ttl),))


def to_script(writes: list[Write]) -> tuple[list[str], str]:
    """The keys beside the session's, and the writes as the script reads them."""
    keys = list(dict.fromkeys(write.key for write in writes))
    at = {key: number for number, key in enumerate(keys, 2)}  # KEYS[1] is the session
    return keys, json.dumps([[write.command, at[write.key], *write.args] for write in writes])
