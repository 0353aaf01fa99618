"""What the bot says when an attempt brought no image: what happened, and what to do next."""

from __future__ import annotations

from typing import NamedTuple

from bot.domain.errors import FailureKind
from bot.domain.images import MAX_BYTES, MAX_PIXELS
from bot.domain.session import Session
from bot.domain.stages import RETIRING
from bot.views.blocks import cut, escape, repeated
from bot.views.ids import COMMAND

PICTURES = "PNG, JPEG, WebP or GIF"
"""What `bot.domain.images` accepts."""

FAILURES: dict[FailureKind, str] = {
    FailureKind.MODERATION: (
        "The image service's safety system turned this prompt down. "
        "Change what it may have objected to with Edit prompt."
    ),
    FailureKind.DECLINED: (
        "The model answered in words instead of making an image. "
        "Change the prompt with Edit prompt."
    ),
    FailureKind.QUOTA: (
        "The image service's credit or spending limit is used up. "
        "Ask whoever runs this bot to look at its billing, then press Try again."
    ),
    FailureKind.BAD_KEY: (
        "The image service does not accept this bot's API key. "
        "Ask whoever runs this bot to check it, then press Try again."
    ),
    FailureKind.UNVERIFIED: (
        "The image service has not verified this bot's organisation for this model. "
        "Ask whoever runs this bot to verify it, then press Try again."
    ),
    FailureKind.BAD_REQUEST: (
        "The image service does not accept this request: the model may not have the size, quality "
        "or background that was asked for. Choose others with Edit prompt; if that does not help, "
        "ask whoever runs this bot to run its check, then press Try again."
    ),
    FailureKind.RATE_LIMITED: (
        "The image service is too busy for more images right now. "
        "Wait a minute, then press Try again."
    ),
    FailureKind.PROVIDER_DOWN: (
        "The image service could not be reached or had an error of its own. "
        "Wait a minute, then press Try again."
    ),
    FailureKind.TIMED_OUT: (
        "The image service took too long, so I stopped waiting. Press Try again."
    ),
    FailureKind.STREAM_ENDED: (
        "The image service's answer ended before the image had come. Press Try again."
    ),
    FailureKind.NO_IMAGE: (
        "The image service finished without an image. "
        "Press Try again, or change the prompt with Edit prompt."
    ),
    FailureKind.BAD_IMAGE: "What came back could not be read as an image. Press Try again.",
    FailureKind.NOT_DELIVERED: (
        "The image was made, but Slack did not take it. Press Try again: it brings the image that "
        "is there."
    ),
    FailureKind.NOT_SHOWN: (
        "Slack does not let me edit my first message here, perhaps because it was deleted, so "
        "nothing was generated. Press Try again: I post a new one."
    ),
    FailureKind.NOT_PUBLISHED: (
        "Your image is approved, but Slack refused it for a reason that I don't know. Ask whoever "
        "runs this bot to look into its log, then press Try again on my first message, or share "
        "the image from the draft in the thread."
    ),
    FailureKind.SOURCE_GONE: (
        "I can't open the picture that this starts from any more: it was deleted, or I may not "
        "see it. If it is still there, invite me to its channel and press Try again; otherwise "
        "upload it again and start from there."
    ),
    FailureKind.BASE_GONE: (
        "I no longer have the image that this was to change, and the image service has forgotten "
        "it too. Regenerate a draft, or change the prompt with Edit prompt."
    ),
    FailureKind.SOURCE_UNREADABLE: (
        f"The picture that this starts from could not be read as a {PICTURES}. "
        f"Save it as one of these, mention me with it, or type `{COMMAND}` to start without one."
    ),
    FailureKind.SOURCE_TOO_LARGE: (
        f"The picture that this starts from is too large: {MAX_PIXELS // 1_000_000} megapixels and "
        f"{MAX_BYTES // 1024**2} MB are the most. Make it smaller, mention me with that one, "
        f"or type `{COMMAND}` to start without one."
    ),
    FailureKind.SOURCE_STOPS_WORKERS: (
        "Twice I was stopped while I read the picture that this starts from, so I leave it alone. "
        "Edit prompt starts without it; or save it anew, smaller, and mention me with that one."
    ),
    FailureKind.CANCELLED: "This was cancelled. Press Try again if you want it after all.",
    FailureKind.INTERNAL: "Something went wrong on my side. Press Try again.",
}

_NOT_PUBLISHED_ANY_MORE = (
    "Your image was approved, but Slack did not let me post it to the channel before you started "
    "over. You can share it from the draft in the thread."
)

_NOT_SHOWN_WITH_IMAGE = (
    "The image was made, but Slack does not let me edit my first message here, perhaps because it "
    "was deleted. Press Try again: I post a new one, with the image that is there."
)


class _Refused(NamedTuple):
    """Why Slack shows nothing, as part of a sentence, and what to do about it. `mendable`: it can
    be asked for again there after that."""

    why: str
    what_to_do: str
    mendable: bool = True


_ELSEWHERE = f"Type `{COMMAND}` in another channel, or write to me directly"
_REFUSED: dict[FailureKind, _Refused] = {
    FailureKind.NOT_IN_CHANNEL: _Refused(
        "I'm not a member of {channel}, so I can't show images there", "Type `/invite {bot}` there"
    ),
    FailureKind.NO_APPS_THERE: _Refused(
        "I can't be added to this conversation, so I can't show images there",
        f"Type `{COMMAND}` in a channel, or write to me directly",
        mendable=False,
    ),
    FailureKind.CHANNEL_ARCHIVED: _Refused(
        "{channel} is archived, and nobody can post there",
        "Have it taken out of the archive",
    ),
    FailureKind.CHANNEL_DELETED: _Refused("the channel was deleted", _ELSEWHERE, mendable=False),
    FailureKind.CHANNEL_CLOSED: _Refused(
        "the rules of {channel} do not let me post there", _ELSEWHERE, mendable=False
    ),
    FailureKind.THREAD_CLOSED: _Refused(
        "I can't reply in this thread, perhaps because its first message was deleted",
        f"Type `{COMMAND}` in the channel",
        mendable=False,
    ),
    FailureKind.APP_REFUSED: _Refused(
        "Slack does not give me the permission that this takes",
        "Ask whoever runs this bot, or an admin of the workspace, to give it to me",
    ),
    FailureKind.SLACK_REFUSED: _Refused(
        "Slack refused my message for a reason that I don't know",
        "Ask whoever runs this bot to look into its log",
    ),
    FailureKind.STORAGE_FULL: _Refused(
        "this workspace has no room left for files in Slack",
        "Ask an admin of the workspace to make room",
    ),
    FailureKind.UPLOADS_OFF: _Refused(
        "this workspace does not take files like this one from me",
        "Ask an admin of the workspace to allow them",
    ),
    FailureKind.FILE_TOO_LARGE: _Refused(
        "this workspace does not take files as large as this one",
        "Ask an admin of the workspace to allow them",
    ),
    FailureKind.FILE_GONE: _Refused(
        "its file was deleted in Slack, and I have no copy of it any more",
        "Use Start over to make it anew",
        mendable=False,
    ),
}

_IN_FEW_WORDS: dict[FailureKind, str] = {
    FailureKind.MODERATION: "the image service's safety system turned it down",
    FailureKind.DECLINED: "the model answered in words instead",
    FailureKind.QUOTA: "the image service's credit is used up",
    FailureKind.BAD_KEY: "the image service does not accept this bot's API key",
    FailureKind.UNVERIFIED: "the image service has not verified this bot's organisation",
    FailureKind.BAD_REQUEST: "the image service does not accept the request",
    FailureKind.RATE_LIMITED: "the image service was too busy",
    FailureKind.PROVIDER_DOWN: "the image service could not be reached",
    FailureKind.TIMED_OUT: "the image service took too long",
    FailureKind.STREAM_ENDED: "the image service's answer ended too soon",
    FailureKind.NO_IMAGE: "the image service finished without it",
    FailureKind.BAD_IMAGE: "what came could not be read as an image",
    FailureKind.APP_REFUSED: "Slack does not give me the permission for it",
    FailureKind.STORAGE_FULL: "this workspace has no room left for files",
    FailureKind.UPLOADS_OFF: "this workspace does not take such files",
    FailureKind.FILE_TOO_LARGE: "its file is too large for this workspace",
    FailureKind.NOT_DELIVERED: "Slack did not take it",
    FailureKind.NOT_IN_CHANNEL: "I'm not a member of this channel",
    FailureKind.NO_APPS_THERE: "I can't be added to this conversation",
    FailureKind.CHANNEL_ARCHIVED: "this channel is archived",
    FailureKind.CHANNEL_DELETED: "this channel was deleted",
    FailureKind.CHANNEL_CLOSED: "the rules of this channel do not let me post here",
    FailureKind.THREAD_CLOSED: "I can't reply in this thread",
    FailureKind.SLACK_REFUSED: "Slack did not take my message",
    FailureKind.FILE_GONE: "its file was deleted",
    FailureKind.NOT_SHOWN: "Slack does not let me show it",
    FailureKind.NOT_PUBLISHED: "Slack does not let me post here",
    FailureKind.SOURCE_GONE: "the picture it starts from is gone",
    FailureKind.BASE_GONE: "the image it changes is gone",
    FailureKind.SOURCE_UNREADABLE: "the picture it starts from could not be read",
    FailureKind.SOURCE_TOO_LARGE: "the picture it starts from is too large",
    FailureKind.SOURCE_STOPS_WORKERS: "the picture it starts from cannot be read safely",
    FailureKind.CANCELLED: "it was cancelled",
    FailureKind.INTERNAL: "something went wrong on my side",
}


def failure_words(
    kind: FailureKind, *, said: str = "", bot_name: str = "", channel: str = "", made: bool = False
) -> str:
    """In mrkdwn. `said` holds the model's own words of refusal, which are quoted. `channel` is an
    id. `made`: the image is there, and Slack does not show it."""
    if made and kind is FailureKind.NOT_SHOWN:
        words = _NOT_SHOWN_WITH_IMAGE
    elif refused := _REFUSED.get(kind):
        words = _not_delivered(refused) if made else _not_announced(refused)
    else:
        words = FAILURES[kind]
    words = _filled(words, bot_name, channel)
    if said:
        quoted = "\n".join(f">{line}" for line in escape(cut(said, 500)).splitlines())
        words = f"{words}\n{quoted}"
    return words


def not_posted_words(kind: FailureKind, session: Session, bot_name: str) -> str:
    """Why a session could not be shown where it was asked for. The prompt is repeated, so that
    nobody has to type it again."""
    made = bool(session.attempts and session.latest.images)
    words = failure_words(kind, bot_name=bot_name, channel=session.channel, made=made)
    return f"{words}\n{repeated(session.task_input, 'This is what you asked for:')}"


def not_published_words(
    session: Session, kind: FailureKind = FailureKind.NOT_PUBLISHED, bot_name: str = ""
) -> str:
    """Why Slack did not take an approved image, and what to do about it."""
    if session.publication in RETIRING:
        return _NOT_PUBLISHED_ANY_MORE
    refused = _REFUSED.get(kind)
    if refused is None:
        return FAILURES[FailureKind.NOT_PUBLISHED]
    words = f"Your image is approved, but {refused.why}."
    if kind is FailureKind.FILE_GONE:
        words = f"{words} {refused.what_to_do}."
    else:
        then = f" {refused.what_to_do}, then" if refused.mendable else " If that changes,"
        words = f"{words}{then} press Try again on my first message"
        words = f"{words}, or share the image from the draft in the thread."
    return _filled(words, bot_name, session.channel)


def _not_announced(refused: _Refused) -> str:
    again = ", then try again" if refused.mendable else ""
    return f"{refused.why}, so nothing was generated. {refused.what_to_do}{again}."


def _not_delivered(refused: _Refused) -> str:
    words = f"The image was made, but {refused.why}. {refused.what_to_do}"
    then = ", then" if refused.mendable else ". If that changes,"
    return f"{words}{then} press Try again: it brings the image that is there."


def _filled(words: str, bot_name: str, channel: str) -> str:
    where = f"<#{channel}>" if channel else "this channel"
    filled = words.format(bot=f"@{bot_name or 'imagine'}", channel=where)
    return filled[0].upper() + filled[1:]


def few_words(kind: FailureKind) -> str:
    """Why one of several images did not come."""
    return _IN_FEW_WORDS[kind]
