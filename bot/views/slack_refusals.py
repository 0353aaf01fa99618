"""What the bot says where Slack shows nothing: of an attempt, of an image that is made, of an
approved one."""

from __future__ import annotations

from typing import NamedTuple

from bot.domain.failures import FailureKind
from bot.domain.session import Session
from bot.views.ids import COMMAND

NOT_PUBLISHED = (
    "Your image is approved, but Slack refused it for a reason that I don't know. Ask whoever "
    "runs this bot to look into its log, then press Try again on my first message, or share "
    "the image from the draft in the thread."
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
        "I'm not a member of {channel}, so I can't show images {there}",
        "Type `/invite {bot}` {there}",
    ),
    FailureKind.NO_APPS_THERE: _Refused(
        "I can't be added to this conversation, so I can't show images in it",
        f"Type `{COMMAND}` in a channel, or write to me directly",
        mendable=False,
    ),
    FailureKind.CHANNEL_ARCHIVED: _Refused(
        "{channel} is archived, and nobody can post {there}",
        "Have it taken out of the archive",
    ),
    FailureKind.CHANNEL_DELETED: _Refused("the channel was deleted", _ELSEWHERE, mendable=False),
    FailureKind.CHANNEL_CLOSED: _Refused(
        "the rules of {channel} do not let me post {there}", _ELSEWHERE, mendable=False
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


def refusal_by_slack(kind: FailureKind, *, made: bool) -> str:
    """The words, with places for the bot's name and the channel; empty where it is no refusal of
    Slack's. `made`: the image is there."""
    if made and kind is FailureKind.NOT_SHOWN:
        return _NOT_SHOWN_WITH_IMAGE
    refused = _REFUSED.get(kind)
    if refused is None:
        return ""
    return _not_delivered(refused) if made else _not_announced(refused)


def not_published_words(
    session: Session, kind: FailureKind = FailureKind.NOT_PUBLISHED, bot_name: str = ""
) -> str:
    """Why Slack did not take an approved image, and what to do about it."""
    refused = _REFUSED.get(kind)
    if refused is None:
        return NOT_PUBLISHED
    words = f"Your image is approved, but {refused.why}."
    if kind is FailureKind.FILE_GONE:
        words = f"{words} {refused.what_to_do}."
    else:
        then = f" {refused.what_to_do}, then" if refused.mendable else " If that changes,"
        words = f"{words}{then} press Try again on my first message"
        words = f"{words}, or share the image from the draft in the thread."
    return filled(words, bot_name, session.channel)


def _not_announced(refused: _Refused) -> str:
    again = ", then try again" if refused.mendable else ""
    return f"{refused.why}. Nothing was generated. {refused.what_to_do}{again}."


def _not_delivered(refused: _Refused) -> str:
    words = f"The image was made, but {refused.why}. {refused.what_to_do}"
    then = ", then" if refused.mendable else ". If that changes,"
    return f"{words}{then} press Try again: it brings the image that is there."


def filled(words: str, bot_name: str, channel: str, *, here: bool = False) -> str:
    """`here`: it is read in that channel."""
    here = here or not channel
    where, there = ("this channel", "here") if here else (f"<#{channel}>", "there")
    filled = words.format(bot=f"@{bot_name or 'imagine'}", channel=where, there=there)
    return filled[0].upper() + filled[1:]
