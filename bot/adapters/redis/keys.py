"""Every Redis key that the store writes. A session id is `team.user.token`, where the user is the
owner's key in the installation `team`: see `bot.domain.policy`.

Every key of a workspace carries the hash tag `{team}`: one script writes several of them, and a
workspace can be moved to another server. The keys of a server name no workspace's data.
"""

from __future__ import annotations

from bot.domain.attempt import ImageRef
from bot.domain.errors import Reason, Refusal

# of a server

WORKSPACES = "imagine:workspaces"
"""Sorted set: the workspaces that have sessions on this server → when one was last written."""

CANCELLED = "imagine:cancelled"
"""Channel: the id of a session whose attempt was cancelled just now."""

SHUT_OUT = "imagine:slack:shut_out"
"""String: that Slack refuses the app, as JSON. Not there while it does not."""

TEST_WRITE = "imagine:test-write"
"""String: what is written to see whether anything can be."""

EVERY_SESSION = "imagine:{*}:session:*"
"""Matches the key of every session; and those of their images, which are no hashes."""


def signature_key(signature: str) -> str:
    """String: a mark of whoever noted this signature of a request of Slack's."""
    return f"imagine:signature:{signature}"


def run_key(run: str) -> str:
    """String: whether this run of a generation lives, or has ended."""
    return f"imagine:run:{run}"


# of a workspace


def session_key(session_id: str) -> str:
    """Hash: the shared store of one session. Raises `Refusal` for an id of another form."""
    team, _, rest = session_id.partition(".")
    user, _, token = rest.partition(".")
    if not (team and user and token):
        raise Refusal(Reason.EXPIRED)
    return f"imagine:{{{team}}}:session:{user}.{token}"


def image_key(session_id: str, image: ImageRef) -> str:
    """String: one generated image in base64; attempt 0 is the picture it all started from."""
    return f"{session_key(session_id)}:generated_image:{image}"


def user_key(team: str, user: str) -> str:
    """Sorted set: the ids of a user's sessions → when each last changed."""
    return f"imagine:{{{team}}}:sessions:{user}"


def owner_key(session_id: str) -> str:
    """The `user_key` of a session's owner."""
    team, user, _ = session_id.split(".", 2)
    return user_key(team, user)


def unfinished_key(team: str) -> str:
    """Sorted set: session id → when it last changed, for sessions that are owed a job."""
    return f"imagine:{{{team}}}:unfinished"


def defaults_key(team: str, user: str) -> str:
    """String: the options that a user has made their defaults, as JSON."""
    return f"imagine:{{{team}}}:defaults:{user}"


def thread_key(team: str, channel: str, thread_ts: str) -> str:
    """Sorted set: the ids of the sessions in a thread → when each was created."""
    return f"imagine:{{{team}}}:thread:{channel}:{thread_ts}"
