"""What the program needs from the world, as small protocols.

The flow, the listeners and the worker know these alone; `bot.app` hands them the adapters.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from bot.domain.attempt import ImageRef
from bot.domain.errors import StoreTrouble
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.options import Options
from bot.domain.session import Session
from bot.domain.shut_out import ShutOut
from bot.domain.stages import Stage
from bot.domain.work import Job

Change = Callable[[Session], Session]
"""A pure step from one session to the next; it may raise `Refusal`."""


class Unfinished(NamedTuple):
    """An entry of the list of sessions that may be owed a job; `touched` is when it last changed,
    in seconds since the epoch."""

    session_id: str
    touched: float


class Entry(NamedTuple):
    """A line of the list of a user's sessions: enough to tell which of them to load."""

    session_id: str
    stage: Stage
    in_progress: bool


class Memory(NamedTuple):
    """What the store's server uses, and may use, in bytes; `most` is 0 where nothing bounds it."""

    used: int
    most: int


class SessionStore(Protocol):
    """Sessions and their images. Every method raises `StoreUnavailable` when the store is away."""

    async def create(self, session: Session) -> Session:
        """Keep a new session. Where its id is taken already, answer the one that is there."""

    async def load(self, session_id: str) -> Session:
        """Raises `Refusal(EXPIRED)` where there is none."""

    async def update(self, session_id: str, change: Change) -> Session:
        """Load, change, and keep the result if nobody was faster; otherwise load anew.

        What `change` raises goes through, and nothing has changed. Raises `Conflict` when others
        were faster again and again, `Refusal(EXPIRED)` where there is no such session.
        """

    async def discard(self, session_id: str) -> None:
        """Forget a session and its images."""

    async def sessions_of(self, team: str, user: str) -> list[str]:
        """The ids of a user's sessions, newest first."""

    async def entries_of(self, team: str, user: str) -> list[Entry]:
        """The same with how each stands, in two round trips; those that have expired are left
        out."""

    async def load_many(self, session_ids: list[str]) -> list[Session]:
        """These sessions in one round trip, in their order; those that have expired are left
        out."""

    async def versions(self, session_ids: list[str]) -> list[int]:
        """How often each of these was written, in one round trip; 0 for one that has expired."""

    async def in_thread(self, team: str, channel: str, thread_ts: str, user: str) -> list[str]:
        """The ids of the sessions in a thread, newest first."""

    async def defaults_of(self, team: str, user: str) -> Options:
        """The options that the user has made their own defaults."""

    async def keep_defaults(self, team: str, user: str, options: Options) -> None: ...

    async def keep_image(self, session_id: str, image: ImageRef, encoded: str) -> None:
        """Keep an image, in base64, as a `generated_image` for `IMAGE_TTL`."""

    async def load_image(self, session_id: str, image: ImageRef) -> str | None:
        """The image in base64, or None once it has expired. Reading renews its time."""

    async def drop_images(self, session: Session) -> None:
        """Forget the images of every attempt."""

    async def unfinished(self, quiet_for: float) -> list[Unfinished]:
        """The sessions that may be owed a job and have not changed for so many seconds."""

    async def settled(self, entry: Unfinished) -> None:
        """Take a session that is owed nothing off that list, unless it has changed since."""

    async def ping(self) -> None:
        """Raise `StoreUnavailable` where the store does not answer."""


class Heartbeats(Protocol):
    """Which runs of generations live, in every process. Where the store refuses changes, a run that
    has begun lives on."""

    async def begin(self, run: str) -> None:
        """From now on the run lives. It is a change like any other: raises `StoreUnavailable` where
        the store takes none."""

    async def end(self, run: str) -> None:
        """Never raises."""

    async def is_alive(self, run: str) -> bool:
        """Whether it may still bring what it asked for. Raises `StoreUnavailable`."""


class SeenSignatures(Protocol):
    """The signatures of requests, for all processes. Every method raises `StoreUnavailable` within
    a fraction of a second, because Slack waits."""

    async def add(self, signature: str, seconds: float) -> bool:
        """Keep it for so long; False where it is there already."""

    async def remove(self, signature: str) -> None: ...


class ShutOuts(Protocol):
    """That Slack refuses the app, for all processes. Every method raises `StoreUnavailable`."""

    async def load(self) -> ShutOut | None:
        """None while it does not."""

    async def save(self, shut_out: ShutOut) -> None: ...

    async def clear(self) -> None: ...


class SlackAccess(Protocol):
    """Whether Slack lets the app in."""

    async def require_closed(self) -> None:
        """Before a paid call. Raises `SlackShutOut` while it is not known that Slack does."""


class JobState(StrEnum):
    """Where a job is. `GONE`: the queue knows none of that name."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"

    @property
    def live(self) -> bool:
        """It will run, or runs."""
        return self in {JobState.WAITING, JobState.RUNNING}


class QueueDepth(NamedTuple):
    """One queue: its short name, its jobs by state (`waiting`, `delayed`, `active`, `failed`), and
    for how many seconds the next waiting one has been there, 0 where none waits."""

    queue: str
    jobs: dict[str, int]
    oldest_seconds: float


class JobQueue(Protocol):
    """Jobs that run once each, on any worker. Raises `QueueUnavailable` within about 2.5 s."""

    async def add(self, job: Job) -> None:
        """Queue the job; one whose id the queue has seen is left as it is."""

    async def remove(self, job: Job) -> None:
        """Take a waiting job out of the queue; one that runs, or is not there, is left alone."""

    async def state(self, job: Job) -> JobState: ...

    async def waiting(self) -> list[Job]:
        """The `generate` jobs that wait, next one first."""


class Cancellations(Protocol):
    """Word to every worker that an attempt was cancelled. Word may get lost: whoever works looks
    at the session too."""

    async def send(self, session_id: str) -> None:
        """Never raises: the worker that has it finds out by itself, later."""


OnAsking = Callable[[], Awaitable[None]]
"""Is awaited before a call that may have to be paid, which is not made where this raises."""
OnStarted = Callable[[str], Awaitable[None]]
"""Is awaited with the provider's response id as soon as that is known."""
OnPartial = Callable[[str], None]
"""Is told of each partial image, in base64; returns at once."""


async def free_to_ask() -> None:
    """Nobody minds the call."""


class ImageBackend(Protocol):
    """Somebody who makes images."""

    async def generate(
        self,
        request: ImageRequest,
        on_started: OnStarted,
        on_partial: OnPartial,
        on_asking: OnAsking = free_to_ask,
    ) -> GeneratedImage:
        """Make one image. Raises `GenerationError`, and nothing else on purpose.

        `on_asking` is awaited before the paid call, and not where an earlier run's response has the
        image. What `on_started` is told, a later run of the same candidate can go on from
        (`request.response_id`). The call pays at most once; the caller owns the retries.
        """

    async def cancel(self, response_id: str) -> None:
        """Stop what is under way at the provider, as well as that can be done; never raises."""

    async def close(self) -> None: ...


class Publisher(Protocol):
    """Shows a session in Slack. Waits out rate limits; raises `SlackRefused` for an error that
    asking again does not mend, `SlackUnavailable` when its patience ends, and `SlackShutOut` at
    once.

    With `repeated`, an earlier run may have posted the same message without having recorded it:
    the publisher looks for it first.
    """

    async def post_root(self, session: Session, ahead: int, *, repeated: bool) -> str:
        """Post the root message and answer its `ts`. Raises `NotInChannel`."""

    async def show_status(
        self, session: Session, ahead: int | None, *, waits_for: StoreTrouble | None = None
    ) -> None:
        """Write the session's status into its root message. `waits_for`: what keeps the store from
        taking what is under way. Never waits out a rate limit:
        raises `SlackBusy`, because by then there is a newer status."""

    async def upload(self, session: Session, image: ImageRef, data: bytes) -> str:
        """Upload an image unshared and answer its file id."""

    async def post_draft(self, session: Session, number: int, *, repeated: bool) -> str:
        """Post the draft into the thread and answer its `ts`. Raises `ImageNotReady` where Slack
        does not come to know the uploaded file in time: then it can be shared."""

    async def share(self, session: Session, image: ImageRef, data: bytes) -> None:
        """Show an image in the thread as a plain file, without buttons."""

    async def remove_draft(self, session: Session, number: int) -> None:
        """Take away the message of a draft that was posted after its attempt was cancelled, if
        there is one."""

    async def post_preview(self, session: Session, number: int, data: bytes) -> str:
        """Show a partial image (PNG) in the thread, and answer the `ts`. Never waits out a rate
        limit."""

    async def remove_preview(self, session: Session, number: int, ts: str) -> None:
        """Take a preview away; with an empty `ts`, look for one that may have been posted."""

    async def refresh_draft(self, session: Session, number: int) -> None:
        """Show a posted draft as the session now has it: with buttons, as an earlier one, or
        approved."""

    async def post_failure(
        self, session: Session, number: int, words: str, *, edit_prompt: bool, repeated: bool
    ) -> str:
        """Say in the thread what happened, with what to do next, and answer the `ts`."""

    async def post_final(self, session: Session, *, repeated: bool) -> str:
        """Post the approved image to the thread and the channel, and answer its `ts`."""

    async def retire_final(self, session: Session) -> None:
        """Take Start over off an approved image whose session was started over."""

    async def tell_owner(self, session: Session, words: str) -> None:
        """Tell the owner in private, wherever that still works. Raises `SlackUnavailable` while
        Slack is away."""


OnReading = Callable[[], Awaitable[None]]
"""Is awaited right before a picture is decoded: that may be more than the process survives."""


async def unheard() -> None:
    """Nobody needs to know."""


class Files(Protocol):
    """Pictures that people have in Slack."""

    async def fetch(self, file_id: str, on_reading: OnReading = unheard) -> bytes:
        """The bytes of an image: PNG, JPEG or WebP. Raises `GenerationError` with `SOURCE_GONE`
        where the bot may not have it, `SOURCE_TOO_LARGE`, or `SOURCE_UNREADABLE` where it is no
        such image; and what `on_reading` raises."""
