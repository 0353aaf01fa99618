"""How it all works, for `/imagine help` and the Home tab."""

from __future__ import annotations

from bot.views.option_words import options_help
from bot.views.text import COMMAND

_HOW_IT_WORKS = (
    "*How it works*\n"
    f"• `{COMMAND} a robot eating pizza on Mars` starts an image; `{COMMAND}` alone opens a form. "
    "Mentioning me with your idea in a channel, or writing it to me directly, does the same.\n"
    "• The draft comes into a thread, and you are its director: *Approve* shows it to the channel, "
    "*Regenerate* makes another of the same, *Refine* asks what should change about this "
    "image, *Edit prompt* starts afresh from other words or options.\n"
    "• In the thread you can also just say it: mention me with “make it night”, and I refine the "
    "newest draft, or the first of its images.\n"
    "• No draft is lost: *Use this one* below an earlier draft approves that one instead.\n"
    f"• *Cancel* stops what is being made, and so does `{COMMAND} cancel`. "
    "After that or after a failure, *Try again* asks once more.\n"
    "• *Start over* below an approved image opens the form with its prompt.\n"
    "• From a picture: attach one when you mention me, which always starts a new image, or choose "
    "*Direct this image* from the menu of any message with a picture.\n"
)
_WHAT_YOU_HAVE = (
    "*What you have*\n"
    f"• `{COMMAND} list` lists what you have in progress. The Home tab has that too, your approved "
    "images and your own default options.\n"
    f"• `{COMMAND} help` shows this, only to you."
)


def help_words() -> str:
    return f"{_HOW_IT_WORKS}\n{options_help()}\n\n{_WHAT_YOU_HAVE}"
