"""Every Redis key that the store writes. A session id is `team.user.token`, where the user is the
owner's key in the installation `team`: see `bot.domain.person`."""

from __future__ import annotations

from bot.domain.attempt import ImageRef
from bot.domain.errors import Reason, Refusal

UNFINISHED = "imagine:unfinished"
"""Sorted set: session id → when it last changed, for sessions that may be owed a job."""

CANCELLED = "imagine:cancelled"
"""Channel: the id of a session whose attempt was cancelled just now."""


EVERY_SESSION = "imagine:{*}:session:*"
"""Matches the key of every session; and those of their images, which are no hashes."""


SHUT_OUT = "imagine:slack:shut_out"
"""String: that Slack refuses the app, as JSON. Not there while it does not."""


def session_key(session_id: str) -> str:
    """Hash: the shared store of one session. Raises `Refusal` for an id of another form."""
    team, _, rest = session_id.partition(".")
    user, _, token = rest.partition(".")
    if not (team and user and token):
        raise Refusal(Reason.EXPIRED)
    return f"imagine:{{{team}.{user}}}:session:{token}"


def image_key(session_id: str, image: ImageRef) -> str:
    """String: one generated image in base64; attempt 0 is the picture it all started from."""
    return f"{session_key(session_id)}:generated_image:{image}"


def user_key(team: str, user: str) -> str:
    """Sorted set: the ids of a user's sessions → when each last changed."""
    return f"imagine:{{{team}.{user}}}:sessions"


def owner_key(session_id: str) -> str:
    """The `user_key` of a session's owner."""
    team, user, _ = session_id.split(".", 2)
    return user_key(team, user)


def defaults_key(team: str, user: str) -> str:
    """String: the options that a user has made their defaults, as JSON."""
    return f"imagine:{{{team}.{user}}}:defaults"


def thread_key(team: str, channel: str, thread_ts: str) -> str:
    """Sorted set: the ids of the sessions in a thread → when each was created."""
    return f"imagine:thread:{team}:{channel}:{thread_ts}"


def signature_key(signature: str) -> str:
    """String: a mark of whoever noted this signature of a request of Slack's."""
    return f"imagine:signature:{signature}"


def run_key(run: str) -> str:
    """String: whether this run of a generation lives, or has ended."""
    return f"imagine:run:{run}"


TEST_WRITE = "imagine:test-write"
"""String: what is written to see whether anything can be."""
