"""What a stranger sees in Redis, and what must hold of it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

from redis import Redis

from bot.adapters.redis.commit import SESSIONS_OF_A_THREAD
from bot.adapters.redis.schema import (
    session_key,
    thread_key,
    unfinished_key,
    user_key,
)
from bot.adapters.redis.session_fields import from_fields, to_fields
from bot.domain.attempt import Attempt, Candidate
from bot.domain.jobs import Job, JobKind, due_jobs
from bot.domain.session import Session
from bot.domain.stages import (
    PUBLICATIONS,
    TRANSITIONS,
    Event,
    Publication,
    Stage,
)

IMAGE_MARK = "aW1hZ2UtYnl0ZXM"
"""What every image begins with here."""

Raw = dict[str, dict[str, str]]
_ASKED = ("number", "prompt", "options", "change", "base", "idempotency_key", "queued_at")
_ONCE = ("started_at", "generated_at", "message_ts", "cancelled_by")


_ALL = """
local read = {
    hash = function(key) return redis.call('HGETALL', key) end,
    string = function(key) return redis.call('GET', key) end,
    zset = function(key) return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end,
    stream = function(key) return redis.call('XRANGE', key, '-', '+') end,
}
local held = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
    local kind = redis.call('TYPE', key).ok
    held[key] = {kind, redis.call('PTTL', key) > 0, read[kind](key)}
end
return cjson.encode(held)
"""
"""All that Redis holds, in one answer: a walk looks after each step."""


class Truth:
    """`raw`: session id → fields, as they were at the last look. `held`: all that Redis holds, by
    key, each with whether it expires."""

    def __init__(self, redis: Redis) -> None:
        self._look: Any = redis.register_script(_ALL)
        self._answer = ""
        self._seen: Raw = {}
        self.raw: Raw = {}
        self.held: dict[str, tuple[Any, bool]] = {}
        self._sessions: dict[str, tuple[dict[str, str], Session]] = {}

    def look(self) -> Raw:
        """The sessions that there are now, oldest first: the server's own order is another one in
        each run, and a walk that is repeated has to meet the same session again."""
        answer = self._look()
        if answer != self._answer:
            self._answer = answer
            self.held = {
                key: (_content(kind, content), expires)
                for key, (kind, expires, content) in json.loads(answer or "{}").items()
            }
            hashes = [content for content, _ in self.held.values() if isinstance(content, dict)]
            sessions = [content for content in hashes if "created_at" in content]
            sessions.sort(key=lambda stored: (float(stored["created_at"]), stored["id"]))
            self._seen = {stored["id"]: stored for stored in sessions}
        return self._seen

    def _read(self) -> list[Session]:
        """All sessions of the last look. One that is as it was before is not read again."""
        for each, stored in self.raw.items():
            if each not in self._sessions or self._sessions[each][0] != stored:
                self._sessions[each] = stored, from_fields(stored)
        return [self._sessions[each][1] for each in self.raw]

    def _scores(self, key: str) -> dict[str, float]:
        content, _ = self.held.get(key, ({}, True))
        return {member: float(score) for member, score in content.items()}

    def check_encoding(self) -> None:
        for session, stored in zip(self._read(), self.raw.values(), strict=True):
            assert from_fields(to_fields(session)) == session
            assert stored == to_fields(session) | {"write_id": stored["write_id"]}

    def check_lists(self) -> None:
        """Whoever is owed a job is on the list of those, and every index has its sessions."""
        for session, (each, stored) in zip(self._read(), self.raw.items(), strict=True):
            assert due_jobs(session) == _contract(session)
            listed = each in self._scores(unfinished_key(session.team))
            assert bool(due_jobs(session)) == listed
            assert each in self._scores(user_key(session.team, session.user))
            for ts in filter(None, (session.thread_ts, session.asked_ts)):
                newest = self._scores(thread_key(session.team, session.channel, ts))
                if each in newest:
                    assert newest[each] == session.created_at
                else:
                    assert len(newest) == SESSIONS_OF_A_THREAD
                    assert session.created_at <= min(newest.values())
            assert self.held[session_key(each)][0] == stored

    def check_record(self) -> None:
        """Its numbers have no gap. Each attempt that is there was asked for once, and each message
        of it and each approval is told once. A session that expired may have begun anew."""
        told: defaultdict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
        for key in (key for key in self.held if key.endswith(":record")):
            entries = self.held[key][0]
            assert [number for number, _ in entries] == [f"{n + 1}-0" for n in range(len(entries))]
            for _, fields in entries:
                facts = json.loads(fields["body"])
                entry = facts["kind"], facts.get("attempt", 0)
                if entry == ("asked", 1):
                    told[facts["session"]].clear()
                told[facts.get("session", "")][entry] += 1
        for session in self._read():
            mine = told[session.id.split(".", 2)[2]]
            for attempt in session.attempts:
                assert mine["asked", attempt.number] == 1, mine
                assert mine["shown", attempt.number] == int(attempt.has_draft), mine
                if any(candidate.has_image for candidate in attempt.candidates):
                    assert mine["generated", attempt.number] >= 1, mine
            if image := session.final_image:
                assert mine["approved", image.attempt] == 1, mine
                assert mine["published", image.attempt] == int(bool(session.final_ts)), mine

    def check_keys(self) -> None:
        """Nothing lives for ever, and an image only under its own name."""
        for key, (content, expires) in self.held.items():
            assert expires, key
            assert (":generated_image:" in key) == (IMAGE_MARK in str(content)), key


def _content(kind: str, content: Any) -> Any:
    """A hash or a sorted set as a dictionary; a stream as pairs of id and fields."""
    if kind == "stream":
        return [(number, _content("hash", fields)) for number, fields in content]
    return content if kind == "string" else dict(zip(content[::2], content[1::2], strict=True))


def check_step(before: Session, after: Session, events: frozenset[Event] | None) -> Event | None:
    """One write: lawful by the table, and nothing that was recorded is another thing now. Answers
    the pair's event."""
    assert after.version == before.version + 1
    event = _event(before, after, events)
    _check_publication(before, after)
    _check_attempts(before, after)
    for name in ("id", "team", "user", "channel", "created_at", "schema", "restart_of"):
        assert getattr(after, name) == getattr(before, name)
    for name in ("root_ts", "thread_ts", "final_ts", "approved_by"):
        was = getattr(before, name)
        assert getattr(after, name) == was or not was
    return event


def _check_publication(before: Session, after: Session) -> None:
    """One lawful step, or none, that fits the stage."""
    targets = PUBLICATIONS[before.publication].values()
    assert after.publication is before.publication or after.publication in targets
    if after.stage is Stage.FINAL:
        assert after.publication is not Publication.NOT_APPROVED
        assert bool(after.error_message) == (after.publication is Publication.REFUSED)
    else:
        assert after.publication is Publication.NOT_APPROVED
    if after.publication in (Publication.PUBLISHED, Publication.SHOWN):
        assert after.final_ts


def _event(before: Session, after: Session, events: frozenset[Event] | None) -> Event | None:
    """The event of the table that leads from one to the other; None where it is the same stage,
    which no event leads to."""
    if before.stage is after.stage:
        return None
    possible = [
        event
        for event, target in TRANSITIONS[before.stage].items()
        if (target if isinstance(target, Stage) else target[before.newest_draft is None])
        is after.stage
    ]
    lawful = [event for event in possible if events is None or event in events]
    assert lawful, (before.stage, after.stage, events)
    return lawful[0]


def _check_attempts(before: Session, after: Session) -> None:
    assert len(before.attempts) <= len(after.attempts) <= len(before.attempts) + 1
    if len(after.attempts) > len(before.attempts):
        assert after.stage is Stage.GENERATING
    assert [a.number for a in after.attempts] == list(range(1, len(after.attempts) + 1))
    for was, now in zip(before.attempts, after.attempts, strict=False):
        if now.deliveries != was.deliveries:
            assert after.stage is Stage.GENERATING
            _check_delivered_again(was, now)
            continue
        for name in _ASKED:
            assert getattr(now, name) == getattr(was, name)
        for name in _ONCE:
            assert getattr(now, name) == getattr(was, name) or not getattr(was, name)
        assert now.failure_ts == was.failure_ts or not was.failure_ts
        assert now.failure == was.failure or was.failure is None
        assert now.requeues >= was.requeues
        for candidate, then in zip(now.candidates, was.candidates, strict=True):
            _check_candidate(was, then, candidate)


def _check_delivered_again(was: Attempt, now: Attempt) -> None:
    """What failed with its images made goes to Slack once more. No image is asked for anew."""
    assert now.deliveries == was.deliveries + 1
    assert was.failure is not None
    assert now.failure is None
    assert now.requeues == was.requeues + 1
    for name in set(_ASKED) - {"idempotency_key"}:
        assert getattr(now, name) == getattr(was, name)
    assert any(candidate.has_image for candidate in was.candidates)
    for candidate, then in zip(now.candidates, was.candidates, strict=True):
        for name in ("has_image", "response_id", "paid_calls"):
            assert getattr(candidate, name) == getattr(then, name)


def _check_candidate(attempt: Attempt, was: Candidate, now: Candidate) -> None:
    """Once the image is in Slack no fact of it changes. `requeues` and `run_id` are facts of its
    job, which may be queued and begin again: the one that delivers goes on until the draft is
    there."""
    if was.file_id or attempt.message_ts:
        assert replace(now, requeues=was.requeues, run_id=was.run_id) == was
    assert now.requeues >= was.requeues
    assert not was.response_id or now.response_id
    assert not was.has_image or now.has_image


def _contract(session: Session) -> tuple[Job, ...]:
    """A generation always has a job; so has a cancellation that nobody sees yet, and an approval
    that the thread and the channel do not show yet, unless that was given up. What was started over
    has one until its messages show that."""
    if session.stage is Stage.GENERATING:
        attempt, kind = session.attempts[-1], JobKind.ANNOUNCE
        if attempt.announced:
            return tuple(
                Job(JobKind.GENERATE, session.id, attempt.number, c.requeues, candidate=c.number)
                for c in attempt.candidates
                if attempt.delivery_candidate == c.number or not (c.width or c.failure)
            )
    elif session.stage is Stage.FINAL:
        if session.publication not in (Publication.TO_PUBLISH, Publication.PUBLISHED):
            return ()
        attempt, kind = session.attempts[session.final_result - 1], JobKind.PUBLISH
    elif session.attempts and session.attempts[-1].cancelled and not session.latest.cancel_shown:
        attempt, kind = session.attempts[-1], JobKind.SHOW_CANCELLED
    else:
        return ()
    return (Job(kind, session.id, attempt.number, attempt.requeues),)
