"""The failure of an attempt, or of a publication, that follows from a refusal by Slack.

The words for each are in `bot.views.slack_refusals`.
"""

from __future__ import annotations

from enum import StrEnum

from bot.domain.errors import ImageNotReady, SlackRefused
from bot.domain.failures import FailureKind
from bot.domain.slack_errors import APP, Meaning, meaning_of


class ConversationKind(StrEnum):
    """The kind of a conversation, as far as it decides what can be done there."""

    CHANNEL = "channel"
    DIRECT = "direct"
    GROUP_DIRECT = "group_direct"


_OF_MEANING = {
    Meaning.NOT_A_MEMBER: FailureKind.NOT_IN_CHANNEL,
    Meaning.ARCHIVED: FailureKind.CHANNEL_ARCHIVED,
    Meaning.NO_APPS: FailureKind.NO_APPS_THERE,
    Meaning.CLOSED: FailureKind.CHANNEL_CLOSED,
    Meaning.MESSAGE: FailureKind.THREAD_CLOSED,
    Meaning.FILE_TOO_LARGE: FailureKind.FILE_TOO_LARGE,
    Meaning.UPLOADS_OFF: FailureKind.UPLOADS_OFF,
    Meaning.STORAGE_FULL: FailureKind.STORAGE_FULL,
    Meaning.DENIED: FailureKind.APP_REFUSED,
    **dict.fromkeys(APP, FailureKind.APP_REFUSED),
}
"""The others say nothing that a person could act on."""

NOT_ANNOUNCED = frozenset(
    {
        FailureKind.APP_REFUSED,
        FailureKind.NOT_IN_CHANNEL,
        FailureKind.NO_APPS_THERE,
        FailureKind.CHANNEL_ARCHIVED,
        FailureKind.CHANNEL_DELETED,
        FailureKind.CHANNEL_CLOSED,
        FailureKind.THREAD_CLOSED,
        FailureKind.SLACK_REFUSED,
        FailureKind.NOT_SHOWN,
    }
)
"""The failures of an attempt whose announcement Slack refuses."""


def conversation_kind(channel: str, name: str = "") -> ConversationKind:
    """The kind of a conversation by its id, and by its name as Slack tells it with a command or a
    shortcut: a group direct message has an id like a channel's."""
    if channel.startswith("D") or name == "directmessage":
        return ConversationKind.DIRECT
    return ConversationKind.GROUP_DIRECT if name.startswith("mpdm-") else ConversationKind.CHANNEL


def announcement_failure(
    error: SlackRefused, place: ConversationKind, *, has_root: bool
) -> FailureKind:
    """Why an attempt cannot be announced. A refusal of a root message that exists is about that
    message, unless the code says more."""
    kind = _failure(error, place)
    if has_root and kind in {None, FailureKind.THREAD_CLOSED}:
        return FailureKind.NOT_SHOWN
    return kind or FailureKind.SLACK_REFUSED


def delivery_failure(error: SlackRefused, place: ConversationKind) -> FailureKind:
    """Why an image that is made cannot be shown."""
    return _failure(error, place) or FailureKind.NOT_DELIVERED


def publication_failure(error: SlackRefused, place: ConversationKind) -> FailureKind:
    """Why an approved image cannot be posted."""
    if is_about_file(error):
        return FailureKind.FILE_GONE
    return _failure(error, place) or FailureKind.NOT_PUBLISHED


def is_about_file(error: SlackRefused) -> bool:
    """Whether the file that a message shows is gone, or not known (yet) as an image."""
    return isinstance(error, ImageNotReady) or meaning_of(error.code) is Meaning.FILE


def _failure(error: SlackRefused, place: ConversationKind) -> FailureKind | None:
    kind = _OF_MEANING.get(meaning_of(error.code))
    if kind is FailureKind.NOT_IN_CHANNEL and place is not ConversationKind.CHANNEL:
        return FailureKind.NO_APPS_THERE
    return kind
