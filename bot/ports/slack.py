"""What the program needs from Slack, split by who needs it.

Methods that show a session wait out rate limits unless they say otherwise. They raise
`SlackRefused` for an error that asking again does not mend, `SlackUnavailable` when their patience
ends, and `SlackAppBlocked` at once. With `repeated`, an earlier run may have posted the same
message without having recorded it: the method looks for the message first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.domain.app_blocked import AppBlocked
from bot.domain.attempt import ImageRef
from bot.domain.errors import StoreTrouble
from bot.domain.session import Session
from bot.ports.pace import Priority

StillOwed = Callable[[], Awaitable[bool]]
"""Asked before a message is posted that has waited long for its turn, or that an earlier run may
have posted: whether nobody else has posted it, and somebody still needs it."""


class RootMessages(Protocol):
    """The message at the top of a thread, with the status."""

    async def post_root(
        self,
        session: Session,
        ahead: int,
        *,
        repeated: bool,
        still_owed: StillOwed | None = None,
    ) -> str:
        """Post the root message and answer its `ts`. Raises `NotInChannel`, and `NoLongerOwed`."""

    async def show_status(
        self,
        session: Session,
        ahead: int | None,
        *,
        waits_for: StoreTrouble | None = None,
        has_turn: bool = False,
    ) -> None:
        """Write the session's status into its root message. `waits_for`: why the store does not
        take the image that is ready. Where it has no turn of `status_turn`, it waits for none.
        Raises `SlackBusy`, because after a wait there is a newer status."""

    async def status_turn(self, priority: Priority, patience: float) -> None:
        """Wait for the turn of one `show_status`. Raises `SlackBusy` where that takes longer."""


class ImageUploads(Protocol):
    """Images as files."""

    async def upload(self, session: Session, image: ImageRef, data: bytes) -> str:
        """Upload an image unshared and answer its file id."""


class DraftMessages(Protocol):
    """The messages that show an attempt and ask what to do."""

    async def post_draft(
        self,
        session: Session,
        number: int,
        *,
        repeated: bool,
        still_owed: StillOwed | None = None,
    ) -> str:
        """Post the draft into the thread and answer its `ts`. Raises `ImageNotReady` where Slack
        has not processed the uploaded file in time: then it can be shared. Raises
        `NoLongerOwed`."""

    async def share(self, session: Session, image: ImageRef, data: bytes) -> None:
        """Show an image in the thread as a plain file, without buttons."""

    async def refresh_draft(self, session: Session, number: int) -> None:
        """Show a posted draft as the session now has it: with buttons, as an earlier one, or
        approved."""

    async def refresh_failure(self, session: Session) -> None:
        """Show `session.failure_before` as the session now has it, where there is one."""

    async def show_thread_status(self, session: Session) -> None:
        """Write the status of the attempt under way into the newest draft, or into the failure
        after it. Never waits out a rate limit: raises `SlackBusy`."""

    async def remove_draft(self, session: Session, number: int) -> None:
        """Delete the message of a draft that was posted after its attempt was cancelled, if there
        is one."""


class StatusMessages(RootMessages, DraftMessages, Protocol):
    """The messages that show where an attempt stands."""


class Previews(Protocol):
    """Partial images in the thread while the model works."""

    async def post_preview(self, session: Session, number: int, data: bytes) -> str:
        """Show a partial image (PNG) in the thread, and answer the `ts`. Never waits out a rate
        limit."""

    async def remove_preview(self, session: Session, number: int, ts: str) -> None:
        """Delete a preview; with an empty `ts`, look for one that may have been posted."""


class OwnerNotices(Protocol):
    """Private messages to the owner."""

    async def tell_owner(
        self, session: Session, words: str, *, failed: int = 0, try_again: bool = True
    ) -> None:
        """Tell the owner in private, wherever that still works, with the buttons of a failure of
        attempt `failed`; 0 for none. Raises `SlackUnavailable` while Slack is away."""


class PersonNotices(Protocol):
    """Direct messages to people who have no session."""

    async def tell_person(self, user: str, words: str) -> None:
        """One that cannot be delivered is logged. Raises `SlackUnavailable`."""


class FailureMessages(OwnerNotices, Protocol):
    """Failures, told in the thread, or in private where that fails."""

    async def post_failure(
        self,
        session: Session,
        number: int,
        words: str,
        *,
        try_again: bool,
        repeated: bool,
        still_owed: StillOwed | None = None,
    ) -> str:
        """Say in the thread what happened, with what to do next, and answer the `ts`. `try_again`:
        the same request may succeed. Raises `NoLongerOwed`."""


class FinalMessages(OwnerNotices, ImageUploads, Protocol):
    """Approved images in the channel."""

    async def post_final(
        self,
        session: Session,
        *,
        repeated: bool,
        uploaded_anew: bool = False,
        still_owed: StillOwed | None = None,
    ) -> str:
        """Post the approved image to the thread and the channel, and answer its `ts`. Raises
        `SlackRefused` soon where its file is gone, unless it is `uploaded_anew`, and
        `NoLongerOwed`."""


class Publisher(
    RootMessages,
    DraftMessages,
    Previews,
    FailureMessages,
    FinalMessages,
    Protocol,
):
    """All that shows a session in Slack."""


class AppBlockedStore(Protocol):
    """Whether Slack refuses the whole app, for all processes. Every method raises
    `StoreUnavailable`."""

    async def load(self) -> AppBlocked | None:
        """The refusal; None while there is none."""

    async def save(self, app_blocked: AppBlocked) -> None: ...

    async def clear(self) -> None: ...


class SlackAccess(Protocol):
    """Whether Slack serves the app."""

    async def require_access(self, *, paid: bool) -> None:
        """Raises `SlackAppBlocked` while Slack refuses the app; before a paid call, also until it
        is known to serve the app again."""


class SeenSignatures(Protocol):
    """The signatures of requests, for all processes. Every method raises `StoreUnavailable` within
    a fraction of a second, because Slack waits."""

    async def add(self, signature: str, seconds: float) -> bool:
        """Store it for so many seconds. Answers False where it is there already."""

    async def remove(self, signature: str) -> None: ...
