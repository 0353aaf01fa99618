"""In-memory fakes of the ports, each once, and samples of what travels through them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from bot.domain import begin
from bot.domain.app_blocked import AppBlocked
from bot.domain.attempt import Attempt, Candidate, ImageRef
from bot.domain.costs import Cost, Usage
from bot.domain.errors import (
    Conflict,
    NoLongerOwed,
    QueueUnavailable,
    SlackAppBlocked,
    StoreBroken,
    StoreFull,
    StoreReadOnly,
    StoreTrouble,
    StoreUnavailable,
)
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage, GeneratedImage, ImageRequest
from bot.domain.jobs import Job, JobKind, due_jobs
from bot.domain.limit_settings import ChosenLimit, ChosenLimits, Field, OperatorLimits
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.policy import Person
from bot.domain.questions import Question, WaitingPicture
from bot.domain.record import RecordEvent
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import IN_PROGRESS, Session, with_attempt
from bot.domain.stages import Publication, Stage
from bot.domain.waiting import images_waiting
from bot.generation.picture_loader import PictureLoader
from bot.generation.recording import RetryingStore
from bot.ports import (
    CancelledCall,
    Change,
    Checkpoint,
    ExtraWrite,
    ExtraWrites,
    Files,
    Heartbeats,
    JobState,
    LedgerLine,
    LimitsOf,
    OnReading,
    Priority,
    SessionSummary,
    Spent,
    StillOwed,
    Unfinished,
)
from bot.sandbox import PATIENCE
from bot.service.limits import WorkspaceLimits

ID = "T1.U1.abc123"
OWNER, STRANGER, CHANNEL = "U1", "U2", "C1"
PROMPT = "a robot eating pizza on Mars"
PNG = b"\x89PNG\r\n\x1a\n"
MODEL = "gpt-image-2.5-flare"
IMAGE = GeneratedImage(PNG, "image/png", 1024, 768, response_id="resp_1", model=MODEL)


def somebody(user: str = OWNER) -> Person:
    """One of the installation's own people."""
    return Person("T1", user)


BOSS, BYSTANDER = somebody(OWNER), somebody(STRANGER)


def a_candidate(number: int = 1, **changes: Any) -> Candidate:
    """A candidate whose image is in Slack."""
    image = {"mime_type": "image/png", "width": 1024, "height": 768, "model": MODEL}
    return Candidate(number, **{**image, "file_id": "F1", **changes})


def an_attempt(
    number: int = 1, *, posted: bool = False, images: int = 1, **changes: Any
) -> Attempt:
    """A queued attempt, or one whose draft is in the thread with so many images."""
    options = Options(count=images) if images > 1 else Options()
    blank = tuple(Candidate(n) for n in range(1, images + 1))
    attempt = Attempt(number, PROMPT, options, announced=True, queued_at=100.0, candidates=blank)
    if posted:
        files = [f"F{ImageRef(number, n)}" for n in range(1, images + 1)]
        attempt = replace(
            attempt,
            started_at=101.0,
            generated_at=113.4,
            delivery_candidate=images,
            candidates=tuple(a_candidate(n, file_id=f) for n, f in enumerate(files, 1)),
            message_ts=f"{number}.5",
        )
    return replace(attempt, **changes)


def a_session(stage: Stage = Stage.USER_FEEDBACK, *, attempts: int = 1, **changes: Any) -> Session:
    """A session as it stands in a stage. All attempts but a running one have their draft."""
    session = Session(ID, "T1", OWNER, CHANNEL, created_at=100.0, updated_at=100.0, version=1)
    if stage is Stage.INITIAL_INPUT:
        return replace(session, **changes)
    running = stage is Stage.GENERATING
    made = tuple(an_attempt(n, posted=n < attempts or not running) for n in range(1, attempts + 1))
    session = replace(
        session,
        stage=stage,
        task_input=PROMPT,
        root_ts="1.0",
        thread_ts="1.0",
        attempts=made,
        updated_at=120.0,
    )
    if stage is Stage.FINAL:
        stand = Publication.PUBLISHED if changes.get("final_ts") else Publication.TO_PUBLISH
        approved: dict[str, Any] = {
            "final_result": attempts,
            "approved_by": OWNER,
            "publication": stand,
        }
        session = replace(session, **approved)
    return replace(session, **changes)


class FakeSessionStore:
    """Keeps sessions by compare-and-set, as the real one does: others run between the reading
    and the writing of an update. `written` is every version in its order. While it is `full` it
    can be read; `refused` counts what it did not take. It judges no `Limit`."""

    def __init__(self, *sessions: Session) -> None:
        self.sessions = {session.id: session for session in sessions}
        self.images: dict[tuple[str, ImageRef], str] = {}
        self.defaults: dict[tuple[str, str], Options] = {}
        self.questions: dict[str, Question] = {}
        self.touched = {s.id: 0.0 for s in sessions if due_jobs(s)}
        self.written: list[Session] = []
        self.extra: list[ExtraWrite] = []
        self.created_by: dict[str, str] = {}
        self.loads = 0
        self.away = False
        self.full = self.read_only = self.broken = False
        self.refused = 0
        self.writes_until_away: int | None = None

    async def create(
        self, session: Session, extra: ExtraWrites | None = None, *, write_id: str = ""
    ) -> Session:
        await self._reach()
        if session.id not in self.sessions:
            self._write(replace(session, version=1), extra=extra)
            self.created_by[session.id] = write_id
        return self.sessions[session.id]

    async def images_waiting(self, team: str, user: str) -> dict[str, int]:
        await self._reach()
        mine = {id_: images_waiting(s) for id_, s in self.sessions.items()}
        owner = f"{team}.{user}."
        return {id_: number for id_, number in mine.items() if number and id_.startswith(owner)}

    async def correct_images_waiting(self, session_id: str, was: int, right: int) -> None:
        raise AssertionError("the numbers are never wrong here")

    async def load(self, session_id: str) -> Session:
        self.loads += 1
        await self._reach()
        if session_id not in self.sessions:
            raise Refusal(Reason.EXPIRED)
        return self.sessions[session_id]

    async def update(
        self, session_id: str, change: Change, extra: ExtraWrites | None = None
    ) -> Session:
        for _ in range(20):
            before = await self.load(session_id)
            after = change(before)
            if after == before:
                return before
            await self._reach()
            if self.sessions.get(session_id) == before:
                self._write(replace(after, version=before.version + 1), extra=extra)
                return self.sessions[session_id]
        raise Conflict(session_id)

    async def discard(self, session: Session, write_id: str) -> None:
        await self._reach()
        if self.created_by.get(session.id) == write_id and self.sessions[session.id].version == 1:
            del self.sessions[session.id]

    async def sessions_of(self, team: str, user: str) -> list[str]:
        await self._reach()
        there = [s for s in self.sessions.values() if s.team == team]
        mine = [s for s in there if Person(s.owner_org or team, s.user).key_in(team) == user]
        return [s.id for s in sorted(mine, key=lambda s: s.updated_at, reverse=True)]

    async def summaries_of(self, team: str, user: str) -> list[SessionSummary]:
        sessions = [self.sessions[id_] for id_ in await self.sessions_of(team, user)]
        return [
            SessionSummary(s.id, s.stage, s.stage in IN_PROGRESS and not s.discarded)
            for s in sessions
        ]

    async def load_many(self, session_ids: list[str]) -> list[Session]:
        await self._reach()
        return [self.sessions[id_] for id_ in session_ids if id_ in self.sessions]

    async def versions(self, session_ids: list[str]) -> list[int]:
        await self._reach()
        kept = [self.sessions.get(id_) for id_ in session_ids]
        return [session.version if session else 0 for session in kept]

    async def in_thread(self, team: str, channel: str, thread_ts: str) -> list[str]:
        await self._reach()
        there = [
            s
            for s in self.sessions.values()
            if (s.team, s.channel) == (team, channel) and thread_ts in (s.thread_ts, s.asked_ts)
        ]
        return [s.id for s in sorted(there, key=lambda s: s.created_at, reverse=True)]

    async def keep_question(self, question: Question) -> bool:
        await self._reach()
        return self.questions.setdefault(question.id, question) is question

    async def question(self, question_id: str) -> Question | None:
        await self._reach()
        return self.questions.get(question_id)

    async def keep_waiting_picture(self, *pictures: WaitingPicture) -> None:
        await self._reach()
        self.questions |= {picture.id: picture for picture in pictures}

    async def drop_question(self, question_id: str) -> None:
        await self._reach()
        self.questions.pop(question_id, None)

    async def defaults_of(self, team: str, user: str) -> Options:
        await self._reach()
        return self.defaults.get((team, user), Options())

    async def keep_defaults(self, team: str, user: str, options: Options) -> None:
        await self._reach()
        self._take()
        self.defaults[team, user] = options

    async def keep_image(self, session_id: str, image: ImageRef, encoded: str) -> None:
        await self._reach()
        self._take()
        self.images[session_id, image] = encoded

    async def load_image(self, session_id: str, image: ImageRef) -> str | None:
        await self._reach()
        return self.images.get((session_id, image))

    async def unfinished(self, quiet_for: float) -> list[Unfinished]:
        await self._reach()
        return [Unfinished(session_id, at) for session_id, at in self.touched.items()]

    async def remove_unfinished(self, entry: Unfinished) -> None:
        await self._reach()
        if self.touched.get(entry.session_id) == entry.touched:
            del self.touched[entry.session_id]

    async def ping(self) -> None:
        """As the server under it answers, for health checks."""
        await self._reach()

    def _take(self) -> None:
        if self.broken:
            raise StoreBroken("imagine:{T1}:holds is of another type")
        if self.full or self.read_only:
            self.refused += 1
            raise StoreFull("fake") if self.full else StoreReadOnly("fake")

    def _write(self, *sessions: Session, extra: ExtraWrites | None) -> None:
        self._take()
        if self.writes_until_away == 0:
            raise StoreUnavailable("fake")
        if self.writes_until_away is not None:
            self.writes_until_away -= 1
        self.extra += extra(sessions[0]) if extra else ()
        for session in sessions:
            self.sessions[session.id] = session
            self.written.append(session)
            if due_jobs(session):
                self.touched[session.id] = self.touched.get(session.id, 0.0) + 1.0

    async def _reach(self) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("fake")


class FakeJobQueue:
    """`states` is what it knows of each job; a test moves them. `looks` counts the questions for
    the state of one job."""

    def __init__(self) -> None:
        self.looks = 0
        self.added: list[Job] = []
        self.states: dict[str, JobState] = {}
        self.away = False
        self.cleaned = 0

    async def clean(self) -> int:
        self._reach()
        self.cleaned += 1
        return 0

    async def add(self, job: Job) -> None:
        self._reach()
        if job.id not in self.states:
            self.states[job.id] = JobState.WAITING
            self.added.append(job)

    async def repair(self) -> None:
        self._reach()

    async def remove(self, job: Job) -> None:
        self._reach()
        if self.states.get(job.id) is JobState.WAITING:
            del self.states[job.id]

    async def state(self, job: Job) -> JobState:
        self._reach()
        self.looks += 1
        return self.states.get(job.id, JobState.GONE)

    async def live_ids(self) -> frozenset[str]:
        self._reach()
        return frozenset(id_ for id_, state in self.states.items() if state.live)

    async def waiting(self, also: Job | None = None) -> list[Job]:
        self._reach()
        found = [
            job
            for job in self.added
            if job.kind is JobKind.GENERATE and self.states.get(job.id) is JobState.WAITING
        ]
        return found if also is None or also in found else [*found, also]

    def _reach(self) -> None:
        if self.away:
            raise QueueUnavailable("fake")


class FakeCancellations:
    """`sent` is the session ids in their order."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, session_id: str) -> None:
        self.sent.append(session_id)


class FakeLedger:
    """The lines of one workspace."""

    def __init__(self, *lines: LedgerLine) -> None:
        self.kept = list(lines)

    async def lines(self, since: float, team: str = "") -> AsyncIterator[LedgerLine]:
        for line in self.kept:
            if line.at >= since and team in ("", line.team):
                yield line


class FakeSpending:
    """The same counters for everybody; a person's `images` are by day."""

    def __init__(self) -> None:
        self.now = Spent()
        self.images: dict[str, int] = {}
        self.away = False

    async def spent(self, team: str, payer: str, channel: str, day: str, month: str) -> Spent:
        if self.away:
            raise StoreUnavailable("fake")
        return self.now

    async def of_person(
        self, team: str, payer: str, days: Sequence[str], month: str
    ) -> tuple[list[int], int]:
        if self.away:
            raise StoreUnavailable("fake")
        return [self.images.get(day, 0) for day in days], self.now.user


class FakePrices:
    """The same price, in micro-dollars, for every call."""

    def __init__(self, micro: int = 13_000, *, known: bool = True) -> None:
        self._cost = Cost(micro, "test", known)

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        return self._cost


class FakeLimitSettings:
    """What admins set, by workspace."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[Field, ChosenLimit]] = {}
        self.events: list[RecordEvent] = []

    async def chosen(self, team: str, fields: Collection[Field]) -> ChosenLimits:
        of_team = self.kept.get(team, {})
        return {field: of_team[field] for field in fields if field in of_team}

    async def choose(
        self,
        team: str,
        before: ChosenLimits,
        changes: Mapping[Field, ChosenLimit | None],
        events: Sequence[RecordEvent],
    ) -> bool:
        known = await self.chosen(team, list(changes))
        if any(known.get(field) != before.get(field) for field in changes):
            return False
        self.events += events
        for field, chosen in changes.items():
            of_team = self.kept.setdefault(team, {})
            if chosen is None:
                of_team.pop(field, None)
            else:
                of_team[field] = chosen
        return True


def always(limits: Limits) -> LimitsOf:
    """The same limits for everybody everywhere."""

    async def limits_of(team: str, channel: str, user: str) -> Limits:
        return limits

    return limits_of


def workspace_limits(
    settings: FakeLimitSettings | None = None, operator: OperatorLimits | None = None
) -> WorkspaceLimits:
    return WorkspaceLimits(settings or FakeLimitSettings(), operator or {}, clock())


class FakeHeartbeats:
    """`alive` are the runs that live. While it is `full` none begins."""

    def __init__(self, *alive: str) -> None:
        self.alive = set(alive)
        self.begun: list[str] = []
        self.full = False

    async def begin(self, run: str) -> None:
        await asyncio.sleep(0)
        if self.full:
            raise StoreFull("fake")
        self.alive.add(run)
        self.begun.append(run)

    async def end(self, run: str) -> None:
        self.alive.discard(run)

    async def is_alive(self, run: str) -> bool:
        await asyncio.sleep(0)
        return run in self.alive


class FakeAppBlockedStore:
    """`away`: it does not answer."""

    def __init__(self) -> None:
        self.kept: AppBlocked | None = None
        self.away = False

    async def load(self) -> AppBlocked | None:
        self._answer()
        return self.kept

    async def save(self, app_blocked: AppBlocked) -> None:
        self._answer()
        self.kept = app_blocked

    async def clear(self) -> None:
        self._answer()
        self.kept = None

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable


class FakeRefusedSettings:
    """Implements `bot.ports.RefusedSettings`, without a clock. `away`: it does not answer."""

    def __init__(self) -> None:
        self.kept: dict[str, set[str]] = {}
        self.loads = 0
        self.away = False

    async def load(self, scope: str) -> frozenset[str]:
        self.loads += 1
        if self.away:
            raise StoreUnavailable
        return frozenset(self.kept.get(scope, ()))

    async def add(self, scope: str, names: Collection[str], seconds: float) -> frozenset[str]:
        if self.away:
            raise StoreUnavailable
        new = set(names) - self.kept.setdefault(scope, set())
        self.kept[scope] |= new
        return frozenset(new)


class FakeSlackAccess:
    """Slack lets the app in, unless `app_blocked` says otherwise."""

    def __init__(self) -> None:
        self.app_blocked: SlackAppBlocked | None = None

    async def require_access(self, *, paid: bool) -> None:
        if self.app_blocked is not None:
            raise self.app_blocked


class FakeSignatures:
    """`kept`: signature → for how many seconds."""

    def __init__(self) -> None:
        self.kept: dict[str, float] = {}
        self.away = False

    async def add(self, signature: str, seconds: float) -> bool:
        await self._reach()
        first = signature not in self.kept
        self.kept.setdefault(signature, seconds)
        return first

    async def remove(self, signature: str) -> None:
        await self._reach()
        self.kept.pop(signature, None)

    async def _reach(self) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("fake")


class FakeCheckpoint:
    """Records what it is told, in order. `asked` is how many paid calls were announced;
    `before_call` is awaited in each of these."""

    def __init__(self, before_call: Callable[[], Awaitable[None]] | None = None) -> None:
        self.started: list[str] = []
        self.partials: list[str] = []
        self.ended: list[tuple[Usage | None, bool]] = []
        self.asked = 0
        self._before_call = before_call

    async def before_paid_call(self) -> None:
        self.asked += 1
        if self._before_call is not None:
            await self._before_call()

    async def response_started(self, response_id: str) -> None:
        self.started.append(response_id)

    def call_ended(self, usage: Usage | None, *, may_be_paid: bool) -> None:
        self.ended.append((usage, may_be_paid))

    def partial_image(self, encoded: str) -> None:
        self.partials.append(encoded)


class FakeImageBackend:
    """Answers the outcomes in their order, the last one for ever. `tells` is the response id that
    it announces before it answers, `partials` what it shows on the way; it waits for `gate`, or
    for the candidate's own of `gates`."""

    def __init__(self, *outcomes: GeneratedImage | Exception) -> None:
        self.outcomes = list(outcomes or [IMAGE])
        self.requests: list[ImageRequest] = []
        self.tells = ""
        self.partials: list[str] = []
        self.cancelled: list[str] = []
        self.gate: asyncio.Event | None = None
        self.gates: dict[int, asyncio.Event] = {}

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        if not request.response_id:
            await checkpoint.before_paid_call()
        self.requests.append(request)
        if self.tells:
            await checkpoint.response_started(self.tells)
        for partial in self.partials:
            checkpoint.partial_image(partial)
        if gate := self.gates.get(request.candidate, self.gate):
            await gate.wait()
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def cancel(self, response_id: str) -> CancelledCall:
        self.cancelled.append(response_id)
        return CancelledCall()

    async def close(self) -> None:
        pass


class Shown(NamedTuple):
    """One call of the publisher; `session` as it was then."""

    what: str
    session: Session
    details: dict[str, Any]


class FakePublisher:
    """Records what is shown. `failures` holds what the next calls of a method raise. What happens
    while a message waits long for its turn is `meanwhile`; then it is asked whether it is owed.
    `turns` are those of statuses, and `before_turn` is what happens while one waits."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self.failures: dict[str, list[Exception]] = {}
        self.meanwhile: Callable[[], None] | None = None
        self.turns: list[Priority] = []
        self.before_turn: Callable[[], None] | None = None

    def names(self) -> list[str]:
        return [shown.what for shown in self.shown]

    def of(self, what: str) -> list[Shown]:
        return [shown for shown in self.shown if shown.what == what]

    async def post_root(
        self,
        session: Session,
        ahead: int,
        *,
        repeated: bool,
        still_owed: StillOwed | None = None,
    ) -> str:
        await self._wait(still_owed)
        return await self._show("post_root", session, ahead=ahead, repeated=repeated)

    async def show_status(
        self,
        session: Session,
        ahead: int | None,
        *,
        waits_for: StoreTrouble | None = None,
        has_turn: bool = False,
    ) -> None:
        await self._show("show_status", session, ahead=ahead, waits_for=waits_for)

    async def status_turn(self, priority: Priority, patience: float) -> None:
        self.turns.append(priority)
        if self.before_turn is not None:
            self.before_turn()

    async def refresh_failure(self, session: Session) -> None:
        failed = session.failure_before
        assert failed is not None
        await self._show("refresh_failure", session, number=failed.number)

    async def show_thread_status(self, session: Session) -> None:
        await self._show("show_thread_status", session)

    async def upload(self, session: Session, image: ImageRef, data: bytes) -> str:
        return await self._show("upload", session, number=image, data=data)

    async def post_draft(
        self,
        session: Session,
        number: int,
        *,
        repeated: bool,
        still_owed: StillOwed | None = None,
    ) -> str:
        await self._wait(still_owed)
        return await self._show("post_draft", session, number=number, repeated=repeated)

    async def share(self, session: Session, image: ImageRef, data: bytes) -> None:
        await self._show("share", session, number=image, data=data)

    async def remove_draft(self, session: Session, number: int) -> None:
        await self._show("remove_draft", session, number=number)

    async def post_preview(self, session: Session, number: int, data: bytes) -> str:
        return await self._show("post_preview", session, number=number, data=data)

    async def remove_preview(self, session: Session, number: int, ts: str) -> None:
        await self._show("remove_preview", session, number=number, ts=ts)

    async def refresh_draft(self, session: Session, number: int) -> None:
        await self._show("refresh_draft", session, number=number)

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
        await self._wait(still_owed)
        return await self._show(
            "post_failure",
            session,
            number=number,
            words=words,
            try_again=try_again,
            repeated=repeated,
        )

    async def post_final(
        self,
        session: Session,
        *,
        repeated: bool,
        uploaded_anew: bool = False,
        still_owed: StillOwed | None = None,
    ) -> str:
        await self._wait(still_owed)
        anew = {"uploaded_anew": True} if uploaded_anew else {}
        return await self._show("post_final", session, repeated=repeated, **anew)

    async def tell_owner(
        self, session: Session, words: str, *, failed: int = 0, try_again: bool = True
    ) -> None:
        more: dict[str, Any] = {"failed": failed, "try_again": try_again} if failed else {}
        await self._show("tell_owner", session, words=words, **more)

    async def _wait(self, still_owed: StillOwed | None) -> None:
        if self.meanwhile is None or still_owed is None:
            return
        self.meanwhile()
        if not await still_owed():
            raise NoLongerOwed("a message")

    async def _show(self, what: str, session: Session, **details: Any) -> str:
        """Answer a made-up `ts` or file id that says what it is of."""
        await asyncio.sleep(0)
        self.shown.append(Shown(what, session, details))
        if failures := self.failures.get(what):
            raise failures.pop(0)
        return f"{what}:{details.get('number', 0)}"


class FakeFiles:
    """`kept`: file id → bytes; any other file is gone."""

    def __init__(self, kept: dict[str, bytes] | None = None) -> None:
        self.kept = kept or {}
        self.fetched: list[str] = []

    async def fetch(self, file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        self.fetched.append(file_id)
        if file_id not in self.kept:
            raise GenerationError(FailureKind.SOURCE_GONE)
        if on_reading is not None:
            await on_reading()
        return BaseImage(self.kept[file_id], "image/png", width=40, height=30)

    async def download(self, file_id: str) -> bytes:
        return (await self.fetch(file_id)).data


class FakePictureStore:
    """`kept` and `reading` are by Slack's file."""

    def __init__(self) -> None:
        self.kept: dict[str, BaseImage] = {}
        self.reading: dict[str, set[str]] = {}

    async def load(self, team: str, file_id: str) -> BaseImage | None:
        await asyncio.sleep(0)
        return self.kept.get(file_id)

    async def keep(self, team: str, user: str, file_id: str, picture: BaseImage) -> None:
        self.kept[file_id] = picture

    async def readers(self, team: str, file_id: str) -> set[str]:
        return set(self.reading.get(file_id, ()))

    async def begin_reading(
        self, team: str, file_id: str, reader: str, lost: Collection[str]
    ) -> bool:
        await asyncio.sleep(0)
        others = self.reading.get(file_id, set()) - {reader}
        if not others <= set(lost):
            return False
        self.reading[file_id] = others | {reader}
        return True

    async def end_reading(self, team: str, file_id: str, reader: str) -> None:
        self.reading.get(file_id, set()).discard(reader)

    async def forget_readers(self, team: str, file_id: str) -> None:
        self.reading.pop(file_id, None)


def a_picture_loader(
    files: Files, heartbeats: Heartbeats, store: FakePictureStore | None = None
) -> PictureLoader:
    retries = RetryingStore(FakeSessionStore(), lambda session_id, trouble: None)
    return PictureLoader(store or FakePictureStore(), files, heartbeats, retries)


class FakeTime:
    """Stands in for `time` and `asyncio.sleep`: nobody really waits. `slept` is in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    monotonic = time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds
        await asyncio.sleep(0)


def clock() -> Callable[[], float]:
    """Seconds that pass by themselves, a tenth at each look."""
    now = 1000.0

    def look() -> float:
        nonlocal now
        now += 0.1
        return now

    return look


async def eventually(true: Callable[[], object], timeout: float = PATIENCE) -> None:
    """Wait until `true()`; `TimeoutError` after so many seconds."""
    async with asyncio.timeout(timeout):
        while not true():
            await asyncio.sleep(0.002)


def generating(number: int = 1, **changes: Any) -> Session:
    """A session whose newest attempt, of this number, is under way."""
    return a_session(Stage.GENERATING, attempts=number, **changes)


def failed(attempts: int = 1, kind: FailureKind = FailureKind.TIMED_OUT) -> Session:
    """A session without a draft, whose attempts have all failed in its thread."""
    made = tuple(
        an_attempt(n, started_at=101.0, failure=kind, failure_ts=f"{n}.7")
        for n in range(1, attempts + 1)
    )
    session = a_session(Stage.INITIAL_INPUT, task_input=PROMPT, root_ts="1.0", thread_ts="1.0")
    return replace(session, attempts=made)


def tried_again(attempts: int = 1) -> Session:
    """The same with another attempt under way."""
    return begin.try_again(failed(attempts), attempts, 120.0)


def with_latest(session: Session, **changes: Any) -> Session:
    """The session with its newest attempt changed."""
    return with_attempt(session, replace(session.latest, **changes))
