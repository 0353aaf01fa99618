"""Every key of the program's in Redis, but those of the record.

Every key of a workspace carries the hash tag `{team}`: one script writes
several of them, and a workspace can be moved to another server. The keys of a server name no
workspace's data.
"""

from __future__ import annotations

from bot.domain.attempt import ImageRef
from bot.domain.limits import CounterKind, counter_name
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.session_ids import SessionId

# keys of a server

WORKSPACES = "imagine:workspaces"
"""Sorted set: the workspaces that have sessions on this server → when one was last written."""

INSTALLATION = "imagine:installation"
"""String: the workspace or organisation whose bot uses this server."""

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

holds_key = "imagine:{{{}}}:holds".format
"""(team) → hash: the ids of paid calls that are not settled → their holds, as JSON."""

ledger_key = "imagine:{{{}}}:ledger".format
"""(team) → stream: the paid calls, one line of JSON each."""

told_key = "imagine:{{{}}}:told:{}".format
"""(team, day or month) → set: the limits that were told to be nearly used up."""

notices_key = "imagine:{{{}}}:notices".format
"""(team) → hash: a period and a limit that is to be told to be nearly used up → for which attempt,
and until when a process tells it, as JSON."""

extra_key = "imagine:{{{}}}:{}".format
"""(team, name) → what else is committed with sessions: see `bot.ports.ExtraWrite`."""


def waiting_key(team: str, user: str) -> str:
    """Hash: id of a user's session → how many of its images wait. It is written with the session,
    so a process that dies leaves no other number."""
    return extra_key(team, counter_name(CounterKind.IMAGES_WAITING, user))


def spent_key(team: str, month: str) -> str:
    """Hash: person, channel or workspace → micro-dollars."""
    return extra_key(team, counter_name(CounterKind.MONEY_SPENT, month))


def asked_key(team: str, day: str) -> str:
    """Hash: person → images."""
    return extra_key(team, counter_name(CounterKind.IMAGES_ASKED, day))


def session_key(session_id: str) -> str:
    """Hash: the shared store of one session. Raises `Refusal` for an id of another form."""
    return _key_of_session("session", session_id)


def question_key(question_id: str) -> str:
    """String: a question, or a picture that waits for words, as JSON. The id is that of the session
    that comes of it, or is made like one. Raises `Refusal` for an id of another form."""
    return _key_of_session("question", question_id)


def _key_of_session(kind: str, session_id: str) -> str:
    parts = SessionId.parse(session_id)
    if not parts.is_complete:
        raise Refusal(Reason.EXPIRED)
    return f"imagine:{{{parts.team}}}:{kind}:{parts.user}.{parts.token}"


def image_key(session_id: str, image: ImageRef) -> str:
    """String: one generated image in base64."""
    return f"{session_key(session_id)}:generated_image:{image}"


def thread_keys(session: Session) -> list[str]:
    """The keys of the threads in which the session is talked to."""
    threads = dict.fromkeys((session.thread_ts, session.asked_ts))
    return [thread_key(session.team, session.channel, ts) for ts in threads if ts]
