"""Generations and edits of the Images API: events and the `ImagesResponse`."""

from typing import TYPE_CHECKING, Any

from . import refusals, shapes, tokens
from .book import charge_of
from .job import Event, Job
from .outcomes import Outcome
from .problems import Problem

if TYPE_CHECKING:
    from .provider import Provider


class ImagesJob(Job):
    """`POST /v1/images/generations` (kind "image_generation") or `/edits` ("image_edit")."""

    def __init__(
        self, fake: "Provider", job_id: str, body: Event, outcome: Outcome, kind: str, inputs: int
    ) -> None:
        super().__init__(fake, job_id, body, outcome)
        self.kind = kind
        self.inputs = inputs
        self.prompt = body["prompt"]
        self.results: list[str] = []
        self.partials = 0

    def emit(self, kind: str, **fields: Any) -> None:
        """Add an event, checked. This API's events have no sequence numbers."""
        event = {"type": f"{self.kind}.{kind}", "created_at": self.created_at, **fields}
        if self.outcome.checked:
            self.fake.check(self.kind, event)
        self.add(event)

    async def work(self) -> None:
        """`n` images one after the other, or the failure that comes closest to the outcome."""
        await self.reach("created")
        await self.reach("generating")
        self.problem = failure(self.outcome)
        if self.problem is not None:
            self.add({"type": "error", "error": self.problem.error()})
        elif self.outcome.image:
            for _ in range(self.body.get("n") or 1):
                await self._draw()
            self.fake.book.append(charge_of(self.id, self.usage(len(self.results))))
            await self.reach("item_done")

    async def _draw(self) -> None:
        options = shapes.drawing(self.body, self.outcome)

        def partial(index: int, b64: str) -> None:
            self.partials += 1
            self.emit("partial_image", b64_json=b64, partial_image_index=index, **options)

        asked = (self.body.get("partial_images") or 0) if self.body.get("stream") else 0
        result = await self.make_image(options, asked, partial)
        self.results.append(result)
        self.emit("completed", b64_json=result, usage=self.usage(1), **options)

    def usage(self, images: int) -> Any:
        """Tokens of that many images."""
        quality = self.body.get("quality") or "auto"
        text = len(self.prompt) // 4 + 1
        return tokens.image_usage(quality, images, self.partials, text, self.inputs)

    def answer(self) -> Event:
        """The `ImagesResponse`."""
        options = shapes.drawing(self.body, self.outcome)
        if options["background"] == "auto":
            options["background"] = "opaque"
        if options["quality"] == "auto":
            options["quality"] = "medium"
        answer = {
            "created": self.created_at,
            "data": [{"b64_json": result} for result in self.results],
            **options,
            "usage": self.usage(len(self.results)),
        }
        self.fake.check("images", answer)
        return answer


def failure(outcome: Outcome) -> Problem | None:
    """An outcome of the Responses API as the Images API would word it."""
    if outcome.text is not None or outcome.item_error is not None:
        return refusals.moderation_problem()
    if outcome.ending == "incomplete":
        return (
            refusals.moderation_problem() if outcome.reason == "content_filter" else server_error()
        )
    if outcome.ending == "error" and outcome.code == "moderation_blocked":
        return refusals.moderation_problem()
    if outcome.ending in ("failed", "error"):
        return Problem(500, outcome.message, type="server_error", code=outcome.code)
    return None


def server_error() -> Problem:
    """A plain 500."""
    return Problem(500, "The server had an error.", type="server_error", code="server_error")
