"""What a mention, a direct message or a word of `/imagine` is answered besides a refusal."""

from __future__ import annotations

ASK_AGAIN = "I can't reach my memory right now. Please ask again in a minute."
CANCEL_LOST = (
    "I can't reach my memory right now, so nothing may have been cancelled. "
    "Please try again in a minute."
)
WORDS_LOST = (
    "I can't reach my memory right now, so what you said may not have counted. "
    "Please say it again in a minute, unless a new image is under way by then."
)
ONE_PICTURE = (
    "I start from one picture at a time: I took the first one. "
    "Send me the others in messages of their own."
)
NOT_PICTURES = "I can only use pictures, so I left the other files aside."
