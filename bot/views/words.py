"""What the bot says when something is refused or fails: what happened, and what to do next."""

from __future__ import annotations

from bot.domain.errors import FailureKind, Reason, Refusal
from bot.domain.prompt import MAX_PROMPT
from bot.views.text import cut, escape, mention

COMMAND = "/imagine"

REFUSALS: dict[Reason, str] = {
    Reason.NOT_ALLOWED: (
        "Sorry, only {owner} can decide about this image. "
        f"Type `{COMMAND}` and your idea to direct one of your own."
    ),
    Reason.MOVED_ON: (
        "This one has moved on: there is a newer version further down in the thread. "
        "Use the buttons there."
    ),
    Reason.STILL_WORKING: "I'm still working on this one. The image comes to the thread soon.",
    Reason.ALREADY_APPROVED: (
        "This one has been approved already. "
        f"Use Start over below the approved image, or type `{COMMAND}` for a new one."
    ),
    Reason.STARTED_OVER: (
        "This one was started over: go on with the newer one further down in the channel, "
        f"or type `{COMMAND}` for another."
    ),
    Reason.EXPIRED: f"This one has expired: type `{COMMAND}` again to start a new one.",
    Reason.EMPTY_PROMPT: "Please say what the image should show.",
    Reason.PROMPT_TOO_LONG: (
        f"This prompt is too long: {MAX_PROMPT:,} characters are the most. Please shorten it."
    ),
}

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
SOMETHING_BROKE = "Something went wrong on my side. Please try again in a minute."

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
        "The image service does not accept this bot's settings, such as the model's name. "
        "Ask whoever runs this bot to run its check, then press Try again."
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
    FailureKind.NOT_DELIVERED: ("The image was made, but Slack did not take it. Press Try again."),
    FailureKind.NOT_IN_CHANNEL: (
        "I'm not a member of this channel, so I can't show images here. "
        "Type `/invite {bot}` here, then your command again; nothing was generated."
    ),
    FailureKind.CHANNEL_CLOSED: (
        "Slack does not let me post in this channel, so nothing was generated. "
        "Try it in another channel."
    ),
    FailureKind.NOT_PUBLISHED: (
        "Your image is approved, but Slack does not let me post it to the channel any more. "
        "You can still share it from the draft in the thread."
    ),
    FailureKind.INTERNAL: "Something went wrong on my side. Press Try again.",
}

HELP = (
    "*How it works*\n"
    f"• `{COMMAND} a robot eating pizza on Mars` starts an image; `{COMMAND}` alone opens a form.\n"
    "• The draft comes into a thread, and you are its director: *Approve* shows it to the channel, "
    "*Regenerate* makes another from the same prompt.\n"
    "• After a failure, *Try again* asks once more.\n"
    "• *Start over* below an approved image opens the form with its prompt.\n"
    f"• `{COMMAND} help` shows this, only to you."
)


def refusal_words(refusal: Refusal, *, plain: bool = False) -> str:
    """In mrkdwn, or `plain` for where Slack shows no mentions. They name the owner, where that is
    the reason."""
    owner = "its owner" if plain else mention(refusal.owner)
    words = REFUSALS[refusal.reason].format(owner=owner)
    return words.replace("`", "") if plain else words


def failure_words(kind: FailureKind, *, said: str = "", bot_name: str = "") -> str:
    """In mrkdwn. `said` is quoted: the model's own words of refusal."""
    bot = f"@{bot_name or 'imagine'}"
    words = FAILURES[kind].format(bot=bot)
    if said:
        quoted = "\n".join(f">{line}" for line in escape(cut(said, 500)).splitlines())
        words = f"{words}\n{quoted}"
    return words
