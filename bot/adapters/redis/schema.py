"""How the program's data lies in Redis: the keys, the fields of a session, the writes of a commit.

A session id is `team.user.token`, where the user is the owner's key in the installation `team`: see
`bot.domain.session`. Every key of a workspace carries the hash tag `{team}`: one script writes
several of them, and a workspace can be moved to another server. The keys of a server name no
workspace's data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from bot.adapters.redis.record_schema import WRITES
from bot.domain.attempt import ImageRef
from bot.domain.errors import Reason, Refusal
from bot.domain.jobs import due_jobs
from bot.domain.options import OPTIONS, Options, Value
from bot.domain.questions import Question
from bot.domain.session import NEWEST_SCHEMA, SCHEMA, Session
from bot.domain.waiting import images_waiting

# keys of a server

WORKSPACES = "imagine:workspaces"
"""Sorted set: the workspaces that have sessions on this server → when one was last written."""

CANCELLED = "imagine:cancelled"
"""Channel: the id of a session whose attempt was cancelled just now."""

APP_BLOCKED = "imagine:slack:shut_out"
"""String: that Slack refuses the app, as JSON. There is no such key while Slack does not."""

TEST_WRITE = "imagine:test-write"
"""String: a value without a meaning, written to see whether Redis takes changes."""

PROVIDER_SLOTS = "{imagine}:provider:slot:"
"""Followed by a number, string: the lease of who may call the provider."""

PROVIDER_PAUSE = "{imagine}:provider:pause"
"""String: there while the provider wants no calls."""

EVERY_SESSION = "imagine:{*}:session:*"
"""Matches the key of every session, and those of their images, which are no hashes."""

signature_key = "imagine:signature:{}".format
"""(signature of a request of Slack's) → string: a mark of the process that saw it first."""

run_key = "imagine:run:{}".format
"""(run of a generation) → string: whether the run lives or has ended."""

refused_key = "imagine:refused:{}".format
"""(server, call and models as a hash) → sorted set: the settings that it refuses → until when that
is remembered."""

# keys of a workspace

user_key = "imagine:{{{}}}:sessions:{}".format
"""(team, user) → sorted set: the ids of a user's sessions → when each last changed."""

unfinished_key = "imagine:{{{}}}:unfinished".format
"""(team) → sorted set: the ids of sessions that are owed a job → when each last changed."""

defaults_key = "imagine:{{{}}}:defaults:{}".format
"""(team, user) → string: the options that a user has made their defaults, as JSON."""

thread_key = "imagine:{{{}}}:thread:{}:{}".format
"""(team, channel, thread_ts) → sorted set: the ids of a thread's sessions → when each began. The
message that started a session is such a thread, too."""

picture_key = "imagine:{{{}}}:picture:{}".format
"""(team, Slack's file) → string: a person's picture as a model is shown it, as JSON; one for all
sessions that start from it."""

readers_key = "imagine:{{{}}}:picture:{}:readers".format
"""(team, Slack's file) → set: the runs that read the picture, or were lost while they did."""

images_key = "imagine:{{{}}}:images:{}".format
"""(team, user) → sorted set: what is stored of a person's images and pictures, by key without
`imagine:{team}:` → since when it may be removed; infinite while Slack does not have it."""

pace_key = "imagine:{{{}}}:pace:{}".format
"""(team, budget) → what `bot.adapters.redis.pace` keeps of one of Slack's rate limits."""

limits_key = "imagine:{{{}}}:limits".format
"""(team) → hash: the limits that admins set in Slack."""

waiting_key = "imagine:{{{}}}:waiting:{}".format
"""(team, user) → hash: id of a user's session → how many of its images wait. It is written with the
session, so a process that dies leaves no other number."""

holds_key = "imagine:{{{}}}:holds".format
"""(team) → hash: the ids of paid calls that are not settled → their holds, as JSON."""

ledger_key = "imagine:{{{}}}:ledger".format
"""(team) → stream: the paid calls, one line of JSON each."""

spent_key = "imagine:{{{}}}:spent:{}".format
"""(team, month) → hash: person, channel or workspace → micro-dollars."""

told_key = "imagine:{{{}}}:told:{}".format
"""(team, day or month) → set: the limits that were told to be nearly used up."""

asked_key = "imagine:{{{}}}:asked:{}".format
"""(team, day) → hash: person → images."""

extra_key = "imagine:{{{}}}:{}".format
"""(team, name) → what else is committed with sessions: see `bot.ports.ExtraWrite`."""


def session_key(session_id: str) -> str:
    """Hash: the shared store of one session. Raises `Refusal` for an id of another form."""
    return _key_of_session("session", session_id)


def question_key(question_id: str) -> str:
    """String: a question, or a picture that waits for words, as JSON. The id is that of the session
    that comes of it, or is made like one. Raises `Refusal` for an id of another form."""
    return _key_of_session("question", question_id)


def _key_of_session(kind: str, session_id: str) -> str:
    team, _, rest = session_id.partition(".")
    user, _, token = rest.partition(".")
    if not (team and user and token):
        raise Refusal(Reason.EXPIRED)
    return f"imagine:{{{team}}}:{kind}:{user}.{token}"


def image_key(session_id: str, image: ImageRef) -> str:
    """String: one generated image in base64."""
    return f"{session_key(session_id)}:generated_image:{image}"


# the fields of a session

_SESSION = TypeAdapter(Session)
_OPTIONS = TypeAdapter(dict[str, Value])
_QUESTION: TypeAdapter[Question] = TypeAdapter(Question)
_TEXT = {f.name for f in fields(Session) if f.type in {"str", "Stage", "Publication", "Discard"}}


def to_fields(session: Session) -> dict[str, str]:
    """Text fields as they are, so that `HGET` reads them; the others as JSON."""
    plain: dict[str, Any] = _SESSION.dump_python(session, mode="json")
    for holder in (plain, *plain["attempts"]):
        holder["options"] = dict(holder["options"]["chosen"])
    return {
        name: value if name in _TEXT else json.dumps(value, separators=(",", ":"))
        for name, value in plain.items()
    }


def from_fields(stored: dict[str, str]) -> Session:
    """The reverse. Fields that this version does not know are ignored. Raises `ValueError` for a
    session that a newer version has written or that is broken; its text quotes no person."""
    known = {f.name for f in fields(Session)} & stored.keys()
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
    return json.dumps(dict(options.chosen), separators=(",", ":"))


def options_from_json(stored: str) -> Options:
    return Options(**_OPTIONS.validate_json(stored))


# the writes of a commit

SESSIONS_OF_A_THREAD = 10
"""Sessions of one thread that are looked at; the newest may have expired."""

COMMIT = (
    WRITES
    + """
-- Write sessions and all that changes with them, or nothing.
-- KEYS: the sessions, then the key of each other write
-- ARGV: write id, ttl ms, the other writes as JSON ([command, arguments...] each), the limits of
--       counting writes as JSON (number of the write -> the most it may leave: of an HSET, as the
--       sum of all fields), then for each
--       session: expected version ('' = must not exist), how many texts follow, field, value, ...
-- Answers 1 when all is written, 0 when somebody was faster, -n when the n-th write would pass its
-- limit. A repeated commit (the same write id, after a lost answer) answers 1 and writes nothing.
local writes, limits, sessions, at = cjson.decode(ARGV[3]), cjson.decode(ARGV[4]), {}, 5
while ARGV[at] do
  local key, last = KEYS[#sessions + 1], at + 1 + tonumber(ARGV[at + 1])
  if redis.call('HGET', key, 'write_id') == ARGV[1] then return 1 end
  if (redis.call('HGET', key, 'version') or '') ~= ARGV[at] then return 0 end
  table.insert(sessions, {key, at + 2, last})
  at = last + 1
end
local types = {Z = 'zset', H = 'hash', X = 'stream', I = 'string', P = 'string'}
local numbers = {}  -- what the counting writes leave, by key and field
for i, write in ipairs(writes) do  -- what is impossible ends it before anything is written
  local command, key = write[1], KEYS[#sessions + i]
  local wanted = types[string.sub(command, 1, 1)]
  local found = redis.call('TYPE', key).ok
  if wanted and found ~= 'none' and found ~= wanted then return redis.error_reply('WRONGTYPE') end
  if command == 'XENTRY' and last_number(key) > 2 ^ 52 then
    return redis.error_reply('the record has ids of another program')
  end
  if command == 'INCRBY' or command == 'HINCRBY' then
    local field = command == 'HINCRBY' and write[2] or ''
    local name, by = cjson.encode({key, field}), tonumber(write[#write])
    local before = numbers[name]
    if not before then
      before = command == 'HINCRBY' and redis.call('HGET', key, field)
      before = before or command == 'INCRBY' and redis.call('GET', key) or '0'
      if string.format('%.0f', tonumber(before) or 0) ~= before then
        return redis.error_reply('WRONGTYPE')
      end
    end
    local left = before + by
    if by % 1 ~= 0 or math.abs(left) > 2 ^ 53 then return redis.error_reply('WRONGTYPE') end
    local most = limits[tostring(i)]
    if most and by >= 0 and left > most then return -i end
    numbers[name] = left
  elseif command == 'HSET' and limits[tostring(i)] then
    local sum, before = 0, 0
    local fields = redis.call('HGETALL', key)
    for at = 1, #fields, 2 do
      local number = tonumber(fields[at + 1]) or 0
      if fields[at] == write[2] then before = number else sum = sum + number end
    end
    local new = tonumber(write[3])
    if new > before and sum + new > limits[tostring(i)] then return -i end
  end
end
for _, session in ipairs(sessions) do
  local key, first, last = unpack(session)
  redis.call('HSET', key, 'write_id', ARGV[1], unpack(ARGV, first, last))
  redis.call('PEXPIRE', key, ARGV[2])
end
for i, write in ipairs(writes) do write_one(KEYS[#sessions + i], write) end
return 1
"""
)

DISCARD = (
    WRITES
    + """
-- KEYS: the session, the user's count of waiting images, its lists, its images, then the key of
-- each other write
-- ARGV: the write id of its creation, session id, how many lists, the other writes as JSON
if redis.call('HGET', KEYS[1], 'write_id') ~= ARGV[1] then return 0 end
local lists, writes = tonumber(ARGV[3]), cjson.decode(ARGV[4])
local others = #KEYS - #writes
redis.call('HDEL', KEYS[2], ARGV[2])
for i = 3, lists + 2 do redis.call('ZREM', KEYS[i], ARGV[2]) end
local gone = redis.call('UNLINK', KEYS[1], unpack(KEYS, lists + 3, others))
for i, write in ipairs(writes) do write_one(KEYS[others + i], write) end
return gone
"""
)

CORRECT_WAITING = """
-- KEYS: a user's count of waiting images; ARGV: session id, the number that was read, the right one
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '0' then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
"""

REMOVE_IF_UNTOUCHED = """
-- KEYS: the list of the unfinished; ARGV: session id, the score that was read
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) == tonumber(ARGV[2]) then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
"""


def thread_keys(session: Session) -> list[str]:
    """The keys of the threads in which the session is talked to."""
    threads = dict.fromkeys((session.thread_ts, session.asked_ts))
    return [thread_key(session.team, session.channel, ts) for ts in threads if ts]


def question_to_json(question: Question) -> str:
    return _QUESTION.dump_json(question).decode()


def question_from_json(stored: str) -> Question:
    return _QUESTION.validate_json(stored)


def waiting_writes(
    before: Session | None, after: Session, ttl: int
) -> Iterator[tuple[str, list[str]]]:
    """How many of its images wait, where a commit changes that. `ttl` is seconds."""
    waiting = images_waiting(after)
    if waiting == (images_waiting(before) if before else 0):
        return
    team, user, _ = after.id.split(".", 2)
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


def writes_with(
    before: Session | None, session: Session, now: float, ttls: Lifetimes
) -> Iterator[tuple[str, list[str]]]:
    """What a commit writes beside the session's hash: a key, and a command with its arguments.
    `now` is in seconds. A full server refuses the first write of a script, or none."""
    ttl = ttls.session
    team, user, _ = session.id.split(".", 2)
    index, unfinished = user_key(team, user), unfinished_key(session.team)
    yield index, ["ZADD", repr(now), session.id]
    yield index, ["ZREMRANGEBYSCORE", "-inf", f"({now - ttl!r}"]
    yield index, ["EXPIRE", str(ttl)]
    for thread in thread_keys(session):
        yield thread, ["ZADD", repr(session.created_at), session.id]
        yield thread, ["ZREMRANGEBYRANK", "0", str(-SESSIONS_OF_A_THREAD - 1)]
        yield thread, ["EXPIRE", str(ttl)]
    if due_jobs(session):
        yield unfinished, ["ZADD", repr(now), session.id]
        yield unfinished, ["EXPIRE", str(ttl)]  # no session on the list lives longer
    else:
        yield unfinished, ["ZREM", session.id]
    yield from _times_of_images(before, session, now, ttls)
    if session.started_over:
        for image in session.all_images():
            key = image_key(session.id, image)
            yield key, ["UNLINK"]
            yield images_key(team, user), ["ZREM", key.removeprefix(f"imagine:{{{team}}}:")]


def _times_of_images(
    before: Session | None, session: Session, now: float, ttls: Lifetimes
) -> Iterator[tuple[str, list[str]]]:
    """An image that Slack does not have yet lives as long as its session; `ttls.image` begins when
    Slack shows it, or will never be given it."""
    team, user, _ = session.id.split(".", 2)
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
    """The images that Slack has, or will never be given, since this change."""
    awaited = set(before.images_for_slack()) if before else set()
    return sorted(awaited - set(session.images_for_slack()))
