"""The errors of the program, and which of them another try can mend.

A `Refusal` answers a person whose request is not possible now; nothing has changed. A
`GenerationError` is the failure of an attempt.
"""

from __future__ import annotations

from enum import StrEnum

from bot.domain.costs import Usage


class ImagineError(Exception):
    """Root of every error the program raises on purpose."""


class StoreTrouble(StrEnum):
    """Why the store takes no changes. It can still be read, except when it is `away`."""

    AWAY = "away"
    FULL = "full"
    READ_ONLY = "read_only"


class StoreUnavailable(ImagineError):
    """The session store did not answer in time."""

    trouble = StoreTrouble.AWAY


class StoreFull(StoreUnavailable):
    """The session store has no memory left for anything new."""

    trouble = StoreTrouble.FULL


class StoreReadOnly(StoreUnavailable):
    """The session store takes no changes: its disk is full, or it is a replica."""

    trouble = StoreTrouble.READ_ONLY


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


class Reason(StrEnum):
    """Why a request of a person was refused; the words are in `bot.views.words`."""

    NOT_ALLOWED = "not_allowed"
    NOT_ADMIN = "not_admin"
    OUTSIDER = "outsider"
    GUEST = "guest"
    NOT_CHECKED = "not_checked"
    CHECK_NOT_GRANTED = "check_not_granted"
    NOT_INSTALLED = "not_installed"
    MOVED_ON = "moved_on"
    STILL_WORKING = "still_working"
    ALREADY_APPROVED = "already_approved"
    DISCARDED = "discarded"
    UNDO_EXPIRED = "undo_expired"
    QUESTION_EXPIRED = "question_expired"
    EXPIRED = "expired"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    EMPTY_PROMPT = "empty_prompt"
    EMPTY_CHANGE = "empty_change"
    EMPTY_MENTION = "empty_mention"
    BAD_OPTION = "bad_option"
    OPTIONS_DISAGREE = "options_disagree"
    NO_IMAGE_THERE = "no_image_there"
    IMAGE_TYPE = "image_type"
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_TOO_MANY_PIXELS = "image_too_many_pixels"
    IMAGE_NOT_SHARED = "image_not_shared"
    IMAGE_ELSEWHERE = "image_elsewhere"
    IMAGE_LINKED = "image_linked"
    IMAGE_DELETED = "image_deleted"
    IMAGE_NOT_LOOKED_UP = "image_not_looked_up"
    PROMPT_TOO_LONG = "prompt_too_long"
    TOO_MANY_WAITING = "too_many_waiting"
    LIMIT_REACHED = "limit_reached"


class Refusal(ImagineError):
    """A request that is not possible now. Nothing has changed.

    `owner` is the user ID of the session's owner, where there is a session.
    """

    def __init__(self, reason: Reason, owner: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.owner = owner

    @property
    def limit(self) -> str:
        """The limit that refuses, as the record names it."""
        return self.reason.value


class ImpossibleValue(ImagineError):
    """A value that an option cannot have; `nearest` is one near it that it can."""

    def __init__(self, nearest: str = "") -> None:
        super().__init__(nearest)
        self.nearest = nearest


class OptionRefused(Refusal):
    """An option that is unknown, lacks its value (`value` is empty), or has an impossible one.

    `option` is as the help names it, such as `--ar`; `allowed` holds the words it takes, where
    they are not always the same; `nearest` is a value near the one given that is possible.
    """

    def __init__(
        self, option: str, value: str = "", *, allowed: tuple[str, ...] = (), nearest: str = ""
    ) -> None:
        super().__init__(Reason.BAD_OPTION)
        self.option = option
        self.value = value
        self.allowed = allowed
        self.nearest = nearest


class OptionsDisagree(Refusal):
    """A form's prompt names another value of an option than its select. `option` is the option's
    name; the values are as they are stored."""

    def __init__(self, option: str, typed: str | int, selected: str | int) -> None:
        super().__init__(Reason.OPTIONS_DISAGREE)
        self.option = option
        self.typed = typed
        self.selected = selected


class FailureKind(StrEnum):
    """Every way for an attempt to end without an image."""

    MODERATION = "moderation"
    DECLINED = "declined"
    QUOTA = "quota"
    BAD_KEY = "bad_key"
    UNVERIFIED = "unverified"
    MODEL_UNAVAILABLE = "model_unavailable"
    WRONG_ROUTE = "wrong_route"
    COUNTRY_REFUSED = "country_refused"
    NO_ACCESS = "no_access"
    BLOCKED = "blocked"
    BAD_REQUEST = "bad_request"
    RATE_LIMITED = "rate_limited"
    PROVIDER_DOWN = "provider_down"
    TIMED_OUT = "timed_out"
    STREAM_ENDED = "stream_ended"
    NO_IMAGE = "no_image"
    BAD_IMAGE = "bad_image"
    CUT_IMAGE = "cut_image"
    APP_REFUSED = "app_refused"
    STORAGE_FULL = "storage_full"
    UPLOADS_OFF = "uploads_off"
    FILE_TOO_LARGE = "file_too_large"
    NOT_DELIVERED = "not_delivered"
    NOT_IN_CHANNEL = "not_in_channel"
    NO_APPS_THERE = "no_apps_there"
    CHANNEL_ARCHIVED = "channel_archived"
    CHANNEL_DELETED = "channel_deleted"
    CHANNEL_CLOSED = "channel_closed"
    THREAD_CLOSED = "thread_closed"
    SLACK_REFUSED = "slack_refused"
    NOT_SHOWN = "not_shown"
    NOT_PUBLISHED = "not_published"
    FILE_GONE = "file_gone"
    SOURCE_GONE = "source_gone"
    BASE_GONE = "base_gone"
    SOURCE_UNREADABLE = "source_unreadable"
    SOURCE_TYPE = "source_type"
    SOURCE_TOO_LARGE = "source_too_large"
    SOURCE_TOO_MANY_PIXELS = "source_too_many_pixels"
    SOURCE_TOO_DEMANDING = "source_too_demanding"
    SOURCE_STOPS_WORKERS = "source_stops_workers"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


RETRYABLE = frozenset({FailureKind.RATE_LIMITED, FailureKind.PROVIDER_DOWN, FailureKind.CUT_IMAGE})
"""The failures that asking again can mend. A timeout is not among them: the image may already be
paid for, so a person decides whether to pay again."""

MAY_BE_PAID = frozenset(
    {
        FailureKind.PROVIDER_DOWN,
        FailureKind.TIMED_OUT,
        FailureKind.STREAM_ENDED,
        FailureKind.NO_IMAGE,
        FailureKind.BAD_IMAGE,
        FailureKind.CUT_IMAGE,
        FailureKind.INTERNAL,
    }
)
"""The failures after which the provider may charge for the call. Before all others it says that it
does not do what it was asked for."""

BLAMES_PROMPT = frozenset({FailureKind.MODERATION, FailureKind.DECLINED})
"""The failures that the same prompt would meet again."""

UNUSABLE_SOURCE = frozenset(
    {
        FailureKind.SOURCE_UNREADABLE,
        FailureKind.SOURCE_TYPE,
        FailureKind.SOURCE_TOO_LARGE,
        FailureKind.SOURCE_TOO_MANY_PIXELS,
        FailureKind.SOURCE_TOO_DEMANDING,
        FailureKind.SOURCE_STOPS_WORKERS,
    }
)
"""The failures that the same picture of a person would meet again."""

FAILS_AGAIN = BLAMES_PROMPT | UNUSABLE_SOURCE | {FailureKind.BASE_GONE}
"""The failures that the same request would meet again: trying again cannot help."""


class GenerationError(ImagineError):
    """An attempt brought no image.

    `said` holds the provider's own words to the user (a refusal in words), never an error text.
    `details` are the categories of a moderation as the provider names them, or the options that a
    request was refused for, as a status line shows them. `retry_after` is in
    seconds, where the provider named it. `usage` is what the provider charges for, where it told
    that; `may_be_paid`: the call may be paid for although no usage is known.
    """

    def __init__(
        self,
        kind: FailureKind,
        *,
        said: str = "",
        details: tuple[str, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.said = said
        self.details = details
        self.retry_after = retry_after
        self.usage: Usage | None = None
        self.may_be_paid = kind in MAY_BE_PAID

    @property
    def retryable(self) -> bool:
        return self.kind in RETRYABLE
