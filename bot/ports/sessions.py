"""The store of sessions and their images, and the rules for attempts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.options import Options
from bot.domain.policy import Person
from bot.domain.questions import Question, WaitingPicture
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage

Change = Callable[[Session], Session]
"""A pure step from one session to the next; it may raise `Refusal`."""

"""A pure step of two sessions together."""


class Limit(NamedTuple):
    """The number that an `INCRBY` or `HINCRBY` leaves, or the sum of the hash's fields that an
    `HSET` of one leaves, may be this at most. A commit that would leave more writes nothing and
    raises the `refusal`; a `LimitReached` then tells what the counters are. A number that becomes
    less is never refused. A write of 0 judges what the commit's other writes leave."""

    at_most: int
    refusal: Refusal


class ExtraWrite(NamedTuple):
    """A write that is committed with a session, or not at all: a hold, a line of a ledger, an entry
    of a record, a count. `key` is a name within the session's workspace, such as `ledger`."""

    command: Literal["SET", "DEL", "EXPIRE", "INCRBY", "HSET", "HDEL", "HINCRBY", "XADD", "ZADD"]
    key: str
    arguments: tuple[str, ...] = ()
    limit: Limit | None = None


ExtraWrites = Callable[[Session], Sequence[ExtraWrite]]
"""From a session as it is written, the writes that are committed with it."""


QUESTION_TTL = 24 * 3600
"""Seconds for which a person can answer a question."""
WAITING_PICTURE_TTL = 3600
"""Seconds for which a picture waits for the words of what should change about it."""


class Unfinished(NamedTuple):
    """An entry of the list of sessions that may be owed a job; `touched` is when it last changed,
    in seconds since the epoch."""

    session_id: str
    touched: float


class SessionSummary(NamedTuple):
    """A line of the list of a user's sessions: enough to tell which of them to load."""

    session_id: str
    stage: Stage
    in_progress: bool


class MemoryUsage(NamedTuple):
    """What the store's server uses and may use, in bytes. `most` is 0 where nothing bounds it."""

    used: int
    most: int


class SessionRecords(Protocol):
    """A session and its images, for callers that know its id. Every method raises
    `StoreUnavailable` when the store is away."""

    async def load(self, session_id: str) -> Session:
        """Raises `Refusal(EXPIRED)` where there is none."""

    async def update(
        self, session_id: str, change: Change, extra: ExtraWrites | None = None
    ) -> Session:
        """Load, change, and store the result with `extra` if nobody was faster; otherwise load
        again. Where `change` changes nothing, nothing is written.

        Raises what `change` raises, or the refusal of a `Limit`, and then nothing has changed;
        `Conflict` when others were faster again and again; `Refusal(EXPIRED)` where there is no
        such session.
        """

    async def keep_image(self, session_id: str, image: ImageRef, encoded: str) -> None:
        """Store an image, in base64, as a `generated_image` until Slack shows it, and for
        `IMAGE_TTL` from then on. Where its owner keeps too much, the oldest images go."""

    async def load_image(self, session_id: str, image: ImageRef) -> str | None:
        """The image in base64, or None once it has expired."""


class ManySessions(SessionRecords, Protocol):
    """The sessions of several ids together."""

    async def load_many(self, session_ids: list[str]) -> list[Session]:
        """These sessions in one round trip, in their order. Leaves out those that have expired or
        that only a newer version can read."""


class SessionLists(ManySessions, Protocol):
    """A user's sessions, and those of a thread."""

    async def summaries_of(self, team: str, user: str) -> list[SessionSummary]:
        """A user's sessions and the stage of each, newest first, in two round trips. Leaves out
        those that have expired."""

    async def in_thread(self, team: str, channel: str, thread_ts: str) -> list[str]:
        """The ids of the sessions in a thread, newest first. In the thread below the message that
        started a session, that session is one of them."""


class WaitingImages(ManySessions, Protocol):
    """How many images of a user's wait. Every method raises `StoreUnavailable`."""

    async def images_waiting(self, team: str, user: str) -> dict[str, int]:
        """By session, as its last commit left it; without the sessions of which none waits."""

    async def correct_images_waiting(self, session_id: str, was: int, right: int) -> None:
        """Change the number of a session that has expired, or that an older version wrote, unless
        it has changed since."""


class SessionVersions(ManySessions, Protocol):
    """Whether sessions have changed."""

    async def versions(self, session_ids: list[str]) -> list[int]:
        """How often each of these was written, in one round trip; 0 for one that has expired."""


class UnfinishedSessions(ManySessions, Protocol):
    """The sessions that may be owed a job."""

    async def unfinished(self, quiet_for: float) -> list[Unfinished]:
        """The sessions that may be owed a job and have not changed for so many seconds; with 0
        all of them, also those that change in this moment."""

    async def remove_unfinished(self, entry: Unfinished) -> None:
        """Take a session that is owed no job off that list, unless it has changed since."""


class DefaultOptions(Protocol):
    """The options that a user has made their own defaults. Every method raises `StoreUnavailable`
    when the store is away."""

    async def defaults_of(self, team: str, user: str) -> Options:
        """The user's own defaults; empty where there are none."""

    async def keep_defaults(self, team: str, user: str, options: Options) -> None: ...


class QuestionStore(Protocol):
    """The questions that wait for an answer. Every method raises `StoreUnavailable`."""

    async def keep_question(self, question: Question) -> bool:
        """Store a question for `QUESTION_TTL`; False where there is one with this id already."""

    async def question(self, question_id: str) -> Question | None:
        """The question; None where it has expired. Raises `Refusal` for an id of another form."""

    async def keep_waiting_picture(self, *pictures: WaitingPicture) -> None:
        """Store each for `WAITING_PICTURE_TTL`, in the place of an earlier one with its id."""

    async def drop_question(self, question_id: str) -> None: ...


class SessionStore(
    SessionLists,
    SessionVersions,
    WaitingImages,
    UnfinishedSessions,
    DefaultOptions,
    QuestionStore,
    Protocol,
):
    """All that is kept of sessions, and how they begin. Every method raises `StoreUnavailable` when
    the store is away."""

    async def create(
        self, session: Session, extra: ExtraWrites | None = None, *, write_id: str = ""
    ) -> Session:
        """Store a new session with `extra`. Where its id is taken already, store nothing and answer
        the session that is there. `write_id` is unique to the call; `discard` knows it by that."""

    async def discard(self, session: Session, write_id: str) -> None:
        """Delete the session and its images, if this very write created it and none has come after
        that."""


class BeginRequest(NamedTuple):
    """An attempt that `person` asks for. `session` is as it was loaded, or new and not stored yet;
    `attempt` is what is to begin, with its options and candidates. `idempotency_key` is the same
    for a request that is delivered twice, and empty where it has none."""

    person: Person
    session: Session
    attempt: Attempt
    idempotency_key: str


class AttemptRule(Protocol):
    """A limit, a budget or a policy: whether an attempt may begin."""

    async def check(self, request: BeginRequest) -> ExtraWrites | None:
        """Answers what is to be committed with the attempt, such as a count with its `Limit`.
        Raises `Refusal` where the attempt may not begin; nothing is stored then.

        What is stored is the attempt that was approved: where the session has changed meanwhile,
        and another would begin, the rules are asked again. They may also be asked twice about one
        request that is delivered twice at the same time. A first attempt is taken back where the
        store's answer was lost; what was committed with it stays."""
