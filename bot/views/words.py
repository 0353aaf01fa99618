"""What the bot answers to a request that is lost, empty, polite or has to wait."""

from __future__ import annotations

from bot.domain.courtesies import Courtesy
from bot.domain.errors import StoreBroken, StoreTrouble, StoreUnavailable
from bot.views.blocks import escape
from bot.views.help_words import help_words
from bot.views.ids import COMMAND

COURTESIES = {
    Courtesy.THANKS: (
        "You're welcome! Nothing was started. Tell me what the next image should show, or say in "
        "the thread of a draft what should change."
    ),
    Courtesy.GREETING: (
        "Hello! Tell me what the image should show, such as: a robot eating pizza on Mars. "
        f"`{COMMAND} help` explains the rest."
    ),
    Courtesy.HELP: help_words(),
}
"""The answers to messages that ask for no image."""
CANCELLED = "Cancelled."
FEWER_BEGUN = "I make what the limit leaves of it."
SETTINGS_BY_COMMAND = f"Limits are set in a form, which `{COMMAND} settings` opens for admins."
UNKNOWN_COMMAND = f"I don't know this command. `{COMMAND} help` explains what I can do."
STORE_AWAY = (
    "I can't reach my memory right now, so nothing has been started. Please try again in a minute."
)
CLICK_LOST = (
    "I can't reach my memory right now, so that click may not have counted. "
    "Please try it again in a minute."
)
FORM_LOST = (
    "I can't reach my memory right now, so this was not kept. Please press the button again in a "
    "minute: what you typed is still here."
)
_TELL_WHO_RUNS_IT = (
    "Please tell whoever runs this bot, and try again later. What is under way goes on by itself."
)
_NOTHING_KEPT = {
    StoreTrouble.FULL: (
        f"My memory is full, so this was not kept and nothing was started. {_TELL_WHO_RUNS_IT}"
    ),
    StoreTrouble.READ_ONLY: (
        "My memory takes nothing new right now, so this was not kept and nothing was started. "
        f"{_TELL_WHO_RUNS_IT}"
    ),
}
APP_BLOCKED = (
    "Slack does not let this app in right now, so I can't show anything, and nothing more is "
    "generated or paid for. What you asked for is kept and goes on by itself once that is put "
    "right. Please tell whoever runs this bot."
)
SOMETHING_BROKE = "Something went wrong on my side. Please try again in a minute."
ASK_AGAIN = "I can't reach my memory right now. Please ask again in a minute."
CANCEL_LOST = (
    "I can't reach my memory right now, so nothing may have been cancelled. "
    "Please try again in a minute."
)
WORDS_LOST = (
    "I can't reach my memory right now, so what you said may not have counted. "
    "Please say it again in a minute, unless a new image is under way by then."
)
WHAT_SHOULD_CHANGE = (
    "What should change about this picture? I keep it for an hour: {where}. "
    "Nothing is started before that."
)
_SAY_IT = "say it here, or in the thread of your picture"
_MENTION_IT = "mention me with it in the thread of your picture"
ONE_PICTURE = (
    "I start from one picture at a time: I took the first one. "
    "Send me the others in messages of their own."
)
NOT_PICTURES = "I can only use pictures, so I left the other files aside."


def messages_ahead_words(ahead: int) -> str:
    """The words of an ack where the first message has to wait."""
    messages = "message is" if ahead == 1 else "messages are"
    return f"Got it. It appears in a moment: {ahead} {messages} ahead in this channel."


def what_should_change(*, direct: bool) -> str:
    """Asked about a picture without words; `direct`: in a direct message, without a mention."""
    return WHAT_SHOULD_CHANGE.format(where=_SAY_IT if direct else _MENTION_IT)


def store_words(error: StoreUnavailable, away: str) -> str:
    """Why a request could not be stored. `away` is what to say where the store does not answer."""
    if isinstance(error, StoreBroken):
        what = escape(str(error)).replace("`", "'")
        return (
            f"Part of my memory is broken, so I could not do this: `{what}`. Please tell that to "
            "whoever runs this bot: only they can mend it. What is under way goes on then."
        )
    return _NOTHING_KEPT.get(error.trouble, away)
