"""What the bot answers to a request that is refused: why, and what to do next."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.domain.limits import LimitReached
from bot.domain.prompt import MAX_PROMPT, OptionsRefused
from bot.domain.refusals import OptionRefused, OptionsDisagree, Reason, Refusal
from bot.views.blocks import escape
from bot.views.failure_words import MOST_BYTES, MOST_PIXELS, PICTURES
from bot.views.help_words import (
    disagreement_words,
    option_refusal_words,
    options_refusal_words,
    typed_to_correct,
)
from bot.views.ids import COMMAND
from bot.views.limit_words import limit_words

REFUSALS: dict[Reason, str] = {
    Reason.NOT_ALLOWED: (
        "Sorry, only {owner} can decide about this image. While it is under way, you can suggest a "
        "change: mention me in its thread with it. For an image of your own, mention me in the "
        "channel with your idea."
    ),
    Reason.NOT_ADMIN: (
        "Sorry, only admins can change limits: the admins and owners of this workspace, and the "
        "people whom the operator of this bot has named. Ask one of them. "
        f"`{COMMAND} help` explains what you can do."
    ),
    Reason.OUTSIDER: (
        "Sorry, I work only for the people of the workspace that I belong to, and you are a guest "
        "from another one. Nothing was started or changed. Ask somebody of that workspace to "
        "make the image for you, or to ask whoever runs me to let people from outside in."
    ),
    Reason.GUEST: (
        "Sorry, guests of this workspace can't direct images with me. Nothing was started or "
        "changed. Ask a full member to make the image for you, or ask whoever runs me to let "
        "guests in."
    ),
    Reason.NOT_CHECKED: (
        "I could not check with Slack whether you may use me, so nothing was started or changed. "
        "Please try again in a minute. If that does not help, ask whoever runs this bot."
    ),
    Reason.CHECK_NOT_GRANTED: (
        "I could not check with Slack whether you may use me, because I was not given the "
        "permission to. Nothing was started or changed. Ask whoever runs me to give me the scope "
        "`users:read` and to install me again."
    ),
    Reason.NOT_INSTALLED: (
        "Sorry, I am not set up for this workspace, so nothing was started. "
        "Ask whoever runs me to install me here."
    ),
    Reason.MOVED_ON: (
        "This one has moved on: there is a newer version further down in the thread. "
        "Use the buttons there."
    ),
    Reason.STILL_WORKING: (
        "I'm still working on this one. The image comes to the thread soon; "
        "Cancel, below the line that says how far it is, stops it."
    ),
    Reason.ALREADY_APPROVED: (
        "This one has been approved already. "
        "Use Edit this image or Start over below the approved image, "
        f"or type `{COMMAND}` for a new one."
    ),
    Reason.DISCARDED: (
        "This one was discarded, so nothing was started or changed. Undo, below its first message, "
        f"takes it up again for ten minutes after that. Type `{COMMAND}` for a new one."
    ),
    Reason.UNDO_EXPIRED: (
        "This one was discarded more than ten minutes ago, and Undo works for ten minutes. "
        f"Type `{COMMAND}` for a new one."
    ),
    Reason.QUESTION_EXPIRED: (
        "I asked this more than a day ago and don't remember what you said, so nothing was "
        "started. Please say it again, and mention me with it."
    ),
    Reason.EXPIRED: f"This one has expired: type `{COMMAND}` again to start a new one.",
    Reason.NOTHING_TO_CANCEL: (
        "There is nothing to cancel: no image is being made. "
        f"`{COMMAND} list` shows what you have in progress."
    ),
    Reason.EMPTY_PROMPT: "Please say what the image should show.",
    Reason.EMPTY_CHANGE: "Please say what should change, such as: make the cat look friendlier.",
    Reason.EMPTY_MENTION: (
        "Tell me what the image should show, such as: a robot eating pizza on Mars. "
        f"In the thread of a draft, say what should change. `{COMMAND} help` explains the rest."
    ),
    Reason.OPTIONS_DISAGREE: (
        "The prompt and the options below it differ: change one of them, then try again."
    ),
    Reason.BAD_OPTION: f"One of the options is not possible. `{COMMAND} help` lists them all.",
    Reason.NO_IMAGE_THERE: (
        "There is no picture here that I can start from. "
        f"Try again on a message with a {PICTURES}, or attach one when you mention me."
    ),
    Reason.IMAGE_TYPE: (
        f"That file isn't a {PICTURES}, so I can't start from it. "
        "Save it as one of these, upload it, and try again with that one."
    ),
    Reason.IMAGE_TOO_LARGE: (
        f"The file of this picture is too large to start from: {MOST_BYTES} are the most. "
        "Make it smaller, upload it, and try again with that one."
    ),
    Reason.IMAGE_TOO_MANY_PIXELS: (
        f"This picture has too many pixels to start from: {MOST_PIXELS} are the most. "
        "Make it smaller, upload it, and try again with that one."
    ),
    Reason.IMAGE_ELSEWHERE: (
        "This picture is not kept in Slack, so I can't open it. "
        "Upload it here as a file, and try again with that one."
    ),
    Reason.IMAGE_DELETED: (
        "This picture is not in Slack any more: it was deleted, or Slack hides it because of its "
        "age. Upload it again, and try again with that one."
    ),
    Reason.IMAGE_NOT_LOOKED_UP: (
        "I could not look in Slack whether a picture belongs to your message, so nothing was "
        "started. Please try again in a minute."
    ),
    Reason.IMAGE_LINKED: (
        "I can't open a file by its link, so nothing was started. Please try again with the "
        "picture itself: attach it to your message, or forward the message that it is in."
    ),
    Reason.IMAGE_NOT_SHARED: (
        "I may not open this picture. Invite me to its channel, or upload it again where I am, "
        "and try again. If that does not help, ask whoever runs this bot to allow it `files:read`."
    ),
    Reason.TOO_MANY_WAITING: (
        "As many images wait already as one person may have waiting, so nothing was started. "
        f"Please try again when some of them are made. `{COMMAND} list` shows yours, and "
        f"`{COMMAND} cancel` stops the newest."
    ),
    Reason.PROMPT_TOO_LONG: (
        f"This prompt is too long: {MAX_PROMPT:,} characters are the most. Please shorten it."
    ),
    Reason.LIMIT_REACHED: (
        "This is more than the limit leaves, so nothing was started. "
        f"An admin can raise it with `{COMMAND} settings`; or ask for fewer images."
    ),
}


def refusal_words(
    refusal: Refusal, *, plain: bool = False, command: bool = True, zone: ZoneInfo | None = None
) -> str:
    """In mrkdwn, or `plain` for a form, where Slack shows no mentions and what was typed is still
    there. They name the owner where only the owner may do it. `command`: the repeated text was
    typed after the slash command. `zone` is the person's, for times in a form."""
    if isinstance(refusal, LimitReached):
        return limit_words(refusal, plain=plain, command=command, zone=zone)
    if isinstance(refusal, OptionsRefused | OptionRefused | OptionsDisagree):
        return _about_options(refusal, plain=plain, command=command)
    owner = "its owner" if plain else f"<@{refusal.owner}>"
    words = REFUSALS[refusal.reason].format(owner=owner)
    return words.replace("`", "") if plain else words


def left_aside(refusal: Refusal) -> str:
    """Why a picture was not used, beside another one that was."""
    return f"I left one picture aside. {refusal_words(refusal)}"


def _about_options(
    refusal: OptionsRefused | OptionRefused | OptionsDisagree, *, plain: bool, command: bool
) -> str:
    """A form still shows what was typed; elsewhere it is repeated."""
    match refusal:
        case OptionsRefused():
            words = options_refusal_words(refusal)
        case OptionRefused():
            words = option_refusal_words(refusal)
        case OptionsDisagree():
            words = disagreement_words(refusal)
    if plain:
        return words.replace("`", "")
    words = f"{escape(words)}\nNothing was started."
    if isinstance(refusal, OptionsRefused):
        return f"{words}\n{typed_to_correct(refusal.text, command=command)}"
    return words
