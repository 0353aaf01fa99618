"""A commit: the script that writes a session and all that changes with it, and what that is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bot.adapters.redis.atomic_writes import WRITES
from bot.adapters.redis.schema import (
    image_key,
    images_key,
    session_key,
    thread_keys,
    unfinished_key,
    user_key,
    waiting_key,
)
from bot.adapters.redis.session_fields import to_fields
from bot.domain.attempt import ImageRef
from bot.domain.jobs import due_jobs
from bot.domain.session import Session
from bot.domain.session_ids import SessionId
from bot.domain.waiting import images_waiting

SESSIONS_OF_A_THREAD = 10
"""Sessions of one thread that are looked at; the newest may have expired."""

COMMIT = (
    WRITES
    + """
-- Write a session and all that changes with it, or nothing.
-- KEYS: the session, then the key of each write
-- ARGV: write id, expected version ('' = must not exist), the writes as JSON ([command,
--       arguments...] each), the limits of counting writes as JSON (number of the write -> the most
--       it may leave: of an HSET, as the sum of all fields)
-- Answers 1 when all is written, 0 when somebody was faster, {n, i, number, ...} when the n-th
-- write would pass its limit: what each write with a limit would leave. A repeated commit (the same
-- write id, after a lost answer) answers 1 and writes nothing.
local obstacle = obstacle_of_type(KEYS[1], 'hash')
if obstacle then return obstacle end
local stored = redis.call('HMGET', KEYS[1], 'write_id', 'version')
if stored[1] == ARGV[1] then return 1 end
if (stored[2] or '') ~= ARGV[2] then return 0 end
local writes, limits = cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
local passed, lefts = nil, {}
local function judge(i, left, grows)
  local most = limits[tostring(i)]
  if not most then return end
  table.insert(lefts, i)
  table.insert(lefts, left)
  if grows and left > most then passed = math.min(passed or i, i) end
end
obstacle = obstacle_to(writes, 1, judge)
if obstacle then return obstacle end
for i, write in ipairs(writes) do  -- the limits of sums
  if write[1] == 'HSET' and limits[tostring(i)] then
    local sum, before, new = 0, 0, tonumber(write[3])
    local fields = redis.call('HGETALL', KEYS[1 + i])
    for at = 1, #fields, 2 do
      local number = whole(fields[at + 1])
      if not number then return broken(KEYS[1 + i], fields[at], 'is no whole number') end
      if fields[at] == write[2] then before = number else sum = sum + number end
    end
    judge(i, sum + new, new > before)
  end
end
if passed then return {passed, unpack(lefts)} end
for i, write in ipairs(writes) do
  local judges = write[1] == 'HINCRBY' and write[3] == '0'
  if not judges then write_one(KEYS[1 + i], write) end
end
return 1
"""
)

CORRECT_WAITING = """
-- KEYS: a user's count of waiting images; ARGV: session id, the number that was read, the right one
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '0' then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
"""


def waiting_writes(
    before: Session | None, after: Session, ttl: int
) -> Iterator[tuple[str, list[str]]]:
    """How many of its images wait, where a commit changes that. `ttl` is seconds."""
    waiting = images_waiting(after)
    if waiting == (images_waiting(before) if before else 0):
        return
    team, user, _ = SessionId.parse(after.id)
    key = waiting_key(team, user)
    if waiting:
        yield key, ["HSET", after.id, str(waiting)]
        yield key, ["EXPIRE", str(ttl)]
    else:
        yield key, ["HDEL", after.id]


class Lifetimes(NamedTuple):
    """Seconds: of a session since its last change, and of an image since Slack has it."""

    session: int
    image: int


def session_writes(
    before: Session | None, after: Session, write_id: str, ttl: int
) -> Iterator[tuple[str, list[str]]]:
    """The session itself: what differs from the one before, which the version stands for. `ttl` is
    seconds."""
    key, changed = session_key(after.id), to_fields(after, before)
    pairs = (text for pair in changed.items() for text in pair)
    yield key, ["HSET", "write_id", write_id, *pairs]
    yield key, ["EXPIRE", str(ttl)]


def writes_with(
    before: Session | None, session: Session, now: float, ttls: Lifetimes
) -> Iterator[tuple[str, list[str]]]:
    """What a commit writes beside the session's hash: a key, and a command with its arguments.
    `now` is in seconds. A full server refuses the first write of a script, or none."""
    ttl = ttls.session
    team, user, _ = SessionId.parse(session.id)
    index, unfinished = user_key(team, user), unfinished_key(session.team)
    yield index, ["ZADD", repr(now), session.id]
    yield index, ["ZREMRANGEBYSCORE", "-inf", f"({now - ttl!r}"]
    yield index, ["EXPIRE", str(ttl)]
    for thread in thread_keys(session):
        yield thread, ["ZADD", repr(session.created_at), session.id]
        yield thread, ["ZREMRANGEBYRANK", "0", str(-SESSIONS_OF_A_THREAD - 1)]
        yield thread, ["EXPIRE", str(ttl)]
    if due_jobs(session):
        yield unfinished, ["ZADDNOW", session.id]
        yield unfinished, ["EXPIRE", str(ttl)]  # no session on the list lives longer
    else:
        yield unfinished, ["ZREM", session.id]
    yield from _times_of_images(before, session, now, ttls)


def _times_of_images(
    before: Session | None, session: Session, now: float, ttls: Lifetimes
) -> Iterator[tuple[str, list[str]]]:
    """An image that Slack does not have yet lives as long as its session; `ttls.image` begins when
    Slack shows it, or will never be given it."""
    team, user, _ = SessionId.parse(session.id)
    images = images_key(team, user)
    awaited = set(session.images_for_slack())
    for image in sorted(awaited):
        if session.attempt(image.attempt).candidate(image.candidate).has_image:
            key = image_key(session.id, image)
            yield key, ["EXPIRE", str(ttls.session)]
            yield images, ["ZADD", "XX", "inf", key.removeprefix(f"imagine:{{{team}}}:")]
            yield images, ["EXPIRE", str(max(ttls))]
    for image in released_images(before, session):
        key = image_key(session.id, image)
        yield key, ["EXPIRE", str(ttls.image)]
        yield images, ["ZADD", "XX", repr(now), key.removeprefix(f"imagine:{{{team}}}:")]


def released_images(before: Session | None, session: Session) -> list[ImageRef]:
    """The images that Slack has, or will never be given, since this change. So is one that comes
    after its attempt was cancelled."""
    awaited = set(before.images_for_slack()) if before else set()
    new = _images_made(session) - (_images_made(before) if before else set())
    return sorted((awaited | new) - set(session.images_for_slack()))


def _images_made(session: Session) -> set[ImageRef]:
    return {
        ImageRef(attempt.number, candidate.number)
        for attempt in session.attempts
        for candidate in attempt.candidates
        if candidate.has_image
    }
