"""The provider's side: takes calls in, runs their jobs, keeps what was made."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from aiohttp import web

from . import pictures, sdk_check, streams
from .book import Charge
from .job import Job, Made
from .models_api import DEFAULT_MODELS
from .outcomes import Outcome, Point
from .problems import ApiError, Problem, no_such_previous
from .recording import RECORD, Recorded
from .response_job import ResponseJob
from .script import Body, Gate, Script


class Provider:
    """What the handlers stand on."""

    def __init__(self, *, latency: float, checked: bool) -> None:
        self.api_key = "sk-fake-key-for-tests"
        self.latency = latency
        self.image_bytes: bytes | None = None  # None: draw one, different each time
        self.image_size_bytes = 0  # pad to that many
        self.item_status = "generating"  # of a finished image_generation_call
        self.models = {name: dict(extra) for name, extra in DEFAULT_MODELS.items()}
        self.keeps_abandoned = False  # whether GET finds a call whose client left
        self.previous_not_found: Callable[[str], Problem] = no_such_previous
        self.requests: list[Recorded] = []
        self.made: list[Made] = []
        self.book: list[Charge] = []
        self.drawn = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self.responses: dict[str, ResponseJob] = {}
        self.complaints: list[str] = []
        self.checked = checked
        self.plan = Script()
        self.gates = Gate()
        self.tasks: dict[Job, asyncio.Task[None]] = {}
        self._ids = 0

    async def admit(self, request: web.Request, body: Body) -> Outcome:
        """The outcome of a create call; raises what it answers instead of working."""
        outcome = self.plan.next(body)
        request[RECORD].outcome = outcome.name
        await self.gate("request", outcome)
        if outcome.problem is not None:
            raise ApiError(outcome.problem)
        if not outcome.works:
            await streams.cut(request, outcome)
        return outcome

    async def admit_read(self, request: web.Request) -> None:
        """The same for a GET."""
        await self.admit_other(request, self.plan.reads)

    async def admit_other(self, request: web.Request, outcomes: deque[Outcome]) -> None:
        """The same for a call that costs nothing, with its own outcomes."""
        if not outcomes:
            return
        outcome = outcomes.popleft()
        if outcome.problem is not None:
            raise ApiError(outcome.problem)
        if outcome.cut is not None:
            await streams.cut(request, outcome)

    async def launch(self, request: web.Request, job: Job) -> None:
        """Run the job as a task of its own; then cut the call if nothing is to be answered."""
        request[RECORD].response_id = job.id
        if isinstance(job, ResponseJob):
            self.responses[job.id] = job
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        self.tasks[job] = asyncio.create_task(job.run())
        self.tasks[job].add_done_callback(lambda task: self._ended(job, task))
        if job.outcome.cut is not None and job.outcome.cut_at == "request":
            await streams.cut(request, job.outcome)

    def _ended(self, job: Job, task: "asyncio.Task[None]") -> None:
        self.in_flight -= 1
        del self.tasks[job]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.complaints.append(f"the fake itself failed: {error!r}")

    def cancel_job(self, job: Job) -> None:
        """Stop a running job."""
        if job in self.tasks:
            self.tasks[job].cancel()

    async def gate(self, point: Point, outcome: Outcome) -> None:
        """Stand still here while the test says so."""
        await self.gates.wait(point, outcome)

    def draw(self, prompt: str, options: Body) -> bytes:
        """The next image."""
        self.drawn += 1
        if self.image_bytes is not None:
            return self.image_bytes
        transparent = options["background"] == "transparent"
        look = pictures.Look(options["size"], options["output_format"], transparent)
        return pictures.draw(self.drawn, prompt, look, self.image_size_bytes)

    def check(self, kind: str, value: object) -> None:
        """Note what is wrong with something sent."""
        if self.checked:
            self.complaints.extend(sdk_check.complaints(kind, value))

    def stored_images(self, response_id: str) -> int:
        """Images in an earlier response; `previous_not_found` when it is not there."""
        job = self.responses.get(response_id)
        if job is None or not job.visible:
            raise ApiError(self.previous_not_found(response_id))
        return sum(bool(item.get("result")) for item in job.output) + job.asked.images

    def new_id(self, prefix: str) -> str:
        """A fresh id."""
        self._ids += 1
        return f"{prefix}_{self._ids:06d}{time.time_ns():x}"
