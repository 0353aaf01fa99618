"""Why a request of a person is not possible now. Nothing has changed then."""

from __future__ import annotations

from enum import StrEnum

from bot.domain.errors import ImagineError


class Reason(StrEnum):
    """Why a request of a person was refused; the words are in `bot.views.refusal_words`."""

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
