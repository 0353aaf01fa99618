"""The errors of the program that no person has caused. Why a request is refused is in
`bot.domain.refusals`, why an attempt has no image in `bot.domain.failures`."""

from __future__ import annotations

from enum import StrEnum


class ImagineError(Exception):
    """Root of every error the program raises on purpose."""


class StoreTrouble(StrEnum):
    """Why the store takes no changes. It can still be read, except when it is `away`, and except
    for what is `broken`."""

    AWAY = "away"
    FULL = "full"
    READ_ONLY = "read_only"
    BROKEN = "broken"


class StoreUnavailable(ImagineError):
    """The session store did not answer in time."""

    trouble = StoreTrouble.AWAY


class StoreFull(StoreUnavailable):
    """The session store has no memory left for anything new."""

    trouble = StoreTrouble.FULL


class StoreReadOnly(StoreUnavailable):
    """The session store takes no changes: its disk is full, or it is a replica."""

    trouble = StoreTrouble.READ_ONLY


class StoreBroken(StoreUnavailable):
    """Something in the session store is not as the program writes it, so that nothing is written
    with it. The text names the key, the field, and what is wrong."""

    trouble = StoreTrouble.BROKEN


class PaidCallNotMade(ImagineError):
    """A paid call was not made: another run makes it, or the attempt has ended."""


class ReadElsewhere(ImagineError):
    """A person's picture was not read: another run reads it."""


class PaidCallLimitReached(PaidCallNotMade):
    """A paid call was not made: the limit of paid calls for this image is reached."""


class QueueUnavailable(ImagineError):
    """The job queue did not take the job in time."""

    trouble = StoreTrouble.AWAY


class QueueFull(QueueUnavailable):
    """The job queue has no memory left for another job."""

    trouble = StoreTrouble.FULL


class QueueReadOnly(QueueUnavailable):
    """The job queue takes no changes."""

    trouble = StoreTrouble.READ_ONLY


class Conflict(ImagineError):
    """A change of a session was overtaken by other changes again and again."""


class SlackRefused(ImagineError):
    """Slack answered a call with an error that asking again does not mend.

    `code` is Slack's own error string, such as `channel_not_found`.
    """

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code


class SlackUnavailable(ImagineError):
    """Slack could not be reached, or kept answering 429 or 5xx, until the budget ran out."""


class SlackBusy(SlackUnavailable):
    """Slack asked to wait `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"rate limited for {retry_after:g} s")
        self.retry_after = retry_after


class SlackAppBlocked(SlackUnavailable):
    """Slack refuses the whole app (`bot.domain.app_blocked`), until the operator repairs that.
    Nothing is lost meanwhile, and another try at once does not help."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code


class ImageNotReady(SlackRefused):
    """Slack does not know an uploaded file as an image (yet)."""


class NoLongerOwed(ImagineError):
    """A message that waited for its turn was not posted: by now nobody needs it, or another run
    posts it."""


class NotInChannel(SlackRefused):
    """The bot may not post in the channel, and could not join it."""
