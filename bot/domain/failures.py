"""How an attempt can end without an image, and which of these ends another try can mend."""

from __future__ import annotations

from enum import StrEnum

from bot.domain.costs import Usage
from bot.domain.errors import ImagineError


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
does not do what it was asked for; an answer may tell that it had done some of it."""


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
