"""What the bot says when an attempt brought no image: what happened, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.failures import FailureKind
from bot.domain.images import MAX_BYTES, MAX_PIXELS, MAX_PIXELS_OF
from bot.domain.session import Session
from bot.views.blocks import cut, escape, repeated
from bot.views.moderation_words import moderation_category
from bot.views.slack_refusals import NOT_PUBLISHED, filled, refusal_by_slack

PICTURES = "PNG, JPEG, WebP, GIF, HEIC or AVIF"
"""What `bot.domain.images` accepts."""
_TYPES_WITH_LESS = ", ".join(
    f"{most // 1_000_000} for {mime_type.removeprefix('image/').upper().replace('WEBP', 'WebP')}"
    for mime_type, most in MAX_PIXELS_OF.items()
)
MOST_PIXELS = f"{MAX_PIXELS // 1_000_000} megapixels ({_TYPES_WITH_LESS})"
MOST_BYTES = f"{MAX_BYTES // 1024**2} MB"
_SMALLER = "Make it smaller, mention me with that one, or press Edit prompt to start without one."

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
        "Ask whoever runs this bot to look at its billing, then press Try again: "
        "the image service's credit or spending limit is used up."
    ),
    FailureKind.BAD_KEY: (
        "Ask whoever runs this bot to check its settings, then press Try again: "
        "the image service does not accept this bot's API key."
    ),
    FailureKind.UNVERIFIED: (
        "Ask whoever runs this bot to verify its organisation, then press Try again: "
        "the image service has not verified it for this model."
    ),
    FailureKind.MODEL_UNAVAILABLE: (
        "Ask whoever runs this bot to set another model, then press Try again: the image service "
        "does not have the one that is set, has retired it, or does not let this bot use it."
    ),
    FailureKind.WRONG_ROUTE: (
        "Ask whoever runs this bot to check the address that is set for the image service, then "
        "press Try again: what answers there does not know this kind of request."
    ),
    FailureKind.COUNTRY_REFUSED: (
        "Ask whoever runs this bot to move it or to use another image service, then press Try "
        "again: the image service is not offered in the country that this bot calls from."
    ),
    FailureKind.NO_ACCESS: (
        "Ask whoever runs this bot to check what its API key is allowed, then press Try again: "
        "the image service does not let this bot make images with it."
    ),
    FailureKind.BLOCKED: (
        "Ask whoever runs this bot to look at its network, then press Try again: something between "
        "this bot and the image service, such as a firewall or a proxy, turns its requests away."
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
    FailureKind.CUT_IMAGE: (
        "Only a part of the image came from the image service, again and again. "
        "Wait a minute, then press Try again."
    ),
    FailureKind.NOT_DELIVERED: (
        "The image was made, but Slack did not take it. Press Try again: it brings the image that "
        "is there."
    ),
    FailureKind.NOT_PUBLISHED: NOT_PUBLISHED,
    FailureKind.NOT_SHOWN: (
        "Slack does not let me edit my first message here, perhaps because it was deleted, so "
        "nothing was generated. Press Try again: I post a new one."
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
        "The picture that this starts from could not be read: its file seems to be damaged or cut "
        "off. Save it anew, mention me with that one, or press Edit prompt to start without one."
    ),
    FailureKind.SOURCE_TYPE: (
        f"The file that this starts from is not a {PICTURES}, whatever its name says. "
        f"Save it as one of these, mention me with it, or press Edit prompt to start without one."
    ),
    FailureKind.SOURCE_TOO_LARGE: (
        "The file of the picture that this starts from is too large: "
        f"{MOST_BYTES} are the most. {_SMALLER}"
    ),
    FailureKind.SOURCE_TOO_MANY_PIXELS: (
        "The picture that this starts from has too many pixels: "
        f"{MOST_PIXELS} are the most. {_SMALLER}"
    ),
    FailureKind.SOURCE_TOO_DEMANDING: (
        "I stopped reading the picture that this starts from: it takes more memory or time than I "
        "have for one picture. Save it anew as JPEG or PNG, smaller, and mention me with that one, "
        "or press Edit prompt to start without one."
    ),
    FailureKind.SOURCE_STOPS_WORKERS: (
        "Twice I was stopped while I read the picture that this starts from, so I leave it alone. "
        "Edit prompt starts without it; or save it anew, smaller, and mention me with that one."
    ),
    FailureKind.CANCELLED: "This was cancelled. Press Try again if you want it after all.",
    FailureKind.INTERNAL: "Something went wrong on my side. Press Try again.",
}

_OPTIONS_REFUSED = (
    "The image service does not take what you asked for here: {}. "
    "Choose something else for that, or nothing, with Edit prompt."
)


_IN_FEW_WORDS: dict[FailureKind, str] = {
    FailureKind.MODERATION: "the image service's safety system turned it down",
    FailureKind.DECLINED: "the model answered in words instead",
    FailureKind.QUOTA: "the image service's credit is used up",
    FailureKind.BAD_KEY: "the image service does not accept this bot's API key",
    FailureKind.UNVERIFIED: "the image service has not verified this bot's organisation",
    FailureKind.MODEL_UNAVAILABLE: "the image service does not have this bot's model",
    FailureKind.WRONG_ROUTE: "the image service does not know this kind of request",
    FailureKind.COUNTRY_REFUSED: "the image service is not offered where this bot runs",
    FailureKind.NO_ACCESS: "the image service does not let this bot make images",
    FailureKind.BLOCKED: "a firewall or a proxy turned the request away",
    FailureKind.BAD_REQUEST: "the image service does not accept the request",
    FailureKind.RATE_LIMITED: "the image service was too busy",
    FailureKind.PROVIDER_DOWN: "the image service could not be reached",
    FailureKind.TIMED_OUT: "the image service took too long",
    FailureKind.STREAM_ENDED: "the image service's answer ended too soon",
    FailureKind.NO_IMAGE: "the image service finished without it",
    FailureKind.BAD_IMAGE: "what came could not be read as an image",
    FailureKind.CUT_IMAGE: "only a part of it came",
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
    FailureKind.SOURCE_TYPE: "the file it starts from is no picture that I can read",
    FailureKind.SOURCE_TOO_LARGE: "the file of the picture it starts from is too large",
    FailureKind.SOURCE_TOO_MANY_PIXELS: "the picture it starts from has too many pixels",
    FailureKind.SOURCE_TOO_DEMANDING: "the picture it starts from takes too much to read",
    FailureKind.SOURCE_STOPS_WORKERS: "the picture it starts from cannot be read safely",
    FailureKind.CANCELLED: "it was cancelled",
    FailureKind.INTERNAL: "something went wrong on my side",
}


def failure_words(
    kind: FailureKind,
    *,
    said: str = "",
    details: tuple[str, ...] = (),
    bot_name: str = "",
    channel: str = "",
    made: bool = False,
    here: bool = False,
) -> str:
    """In mrkdwn. `said` holds the model's own words of refusal, which are quoted; `details` names
    what the failure is about (`bot.domain.failures.GenerationError`). `channel` is an id, and
    `here` whether it is read there. `made`: the image is there, and Slack does not show it."""
    words = refusal_by_slack(kind, made=made) or FAILURES[kind]
    words = filled(words, bot_name, channel, here=here)
    if details and kind is FailureKind.MODERATION:
        words = f"{words} What it named: {_listed(map(moderation_category, details))}."
    elif details and kind is FailureKind.BAD_REQUEST:
        words = _OPTIONS_REFUSED.format(_listed(details))
    if said:
        quoted = "\n".join(f">{line}" for line in escape(cut(said, 500)).splitlines())
        words = f"{words}\n{quoted}"
    return words


def _listed(texts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`, each once; escaped."""
    *others, last = dict.fromkeys(escape(cut(text, 60)) for text in texts)
    return f"{', '.join(others)} and {last}" if others else last


def not_posted_words(kind: FailureKind, session: Session, bot_name: str) -> str:
    """Why a session could not be shown where it was asked for. The prompt is repeated, so that
    nobody has to type it again."""
    made = bool(session.attempts and session.latest.images)
    here = bool(session.response_url)
    words = failure_words(kind, bot_name=bot_name, channel=session.channel, made=made, here=here)
    return f"{words}\n{repeated(session.task_input, 'This is what you asked for:')}"


def short_failure_words(kind: FailureKind) -> str:
    """Why one of several images did not come."""
    return _IN_FEW_WORDS[kind]
