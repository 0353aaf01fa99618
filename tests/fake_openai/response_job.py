"""A response's event log, in the order of the live API's stream."""

import time
from typing import TYPE_CHECKING, Any

from . import shapes, tokens
from .book import charge_of
from .job import Event, Job
from .outcomes import Outcome
from .problems import Problem
from .response_rules import Asked

if TYPE_CHECKING:
    from .provider import Provider


class ResponseJob(Job):
    """`POST /v1/responses`, being worked on."""

    def __init__(
        self, fake: "Provider", job_id: str, body: Event, outcome: Outcome, asked: Asked
    ) -> None:
        super().__init__(fake, job_id, body, outcome)
        self.asked = asked
        self.prompt = asked.prompt
        self.background = bool(body.get("background"))
        self.stored = body.get("store") is not False
        self.status = "queued" if self.background else "in_progress"
        self.output: list[Event] = []
        self.partials = 0
        self.abandoned = False
        self.closing: Event = {}  # fields that only the last state of the response has
        self._sequence = 0

    @property
    def visible(self) -> bool:
        """Whether GET finds it: stored, and in the background or read to its end."""
        return self.stored and (self.background or (self.finished and not self.abandoned))

    def emit(self, kind: str, **fields: Any) -> None:
        """Add an event, numbered and checked."""
        event = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        if self.outcome.checked:
            self.fake.check("event", event)
        self.add(event)

    def response(self) -> Event:
        """The `Response` as it stands."""
        return shapes.response(self)

    async def work(self) -> None:
        """From `response.created` to the terminal event."""
        self.emit("response.created", response=self.response())
        await self.reach("created")
        if self.background:
            self.emit("response.queued", response=self.response())
        self.status = "in_progress"
        self.emit("response.in_progress", response=self.response())
        if self.outcome.text is not None or (self.outcome.image and self.asked.tool is None):
            self._say(self.outcome.text or "I have no tool to draw with.")
        elif self.outcome.image or self.outcome.item_error or self.outcome.ending != "completed":
            await self._draw(self.asked.tool or {})
        self._end()

    async def _draw(self, tool: Event) -> None:
        """The image generation call, to its result or its failure."""
        outcome, call = self.outcome, {"output_index": 0, "item_id": self.item_id("ig")}
        kind = "response.image_generation_call."
        item = {"id": call["item_id"], "type": "image_generation_call", "status": "in_progress"}
        self.emit("response.output_item.added", item=item, output_index=0)
        self.emit(kind + "in_progress", **call)
        self.emit(kind + "generating", **call)
        await self.reach("generating")
        if not outcome.image:
            if outcome.item_error is not None:
                self._item_done({**item, "status": "failed", "error": outcome.item_error})
            return

        def partial(index: int, b64: str) -> None:
            self.partials += 1
            used = shapes.drawing(tool, outcome)
            fields = {"partial_image_b64": b64, "partial_image_index": index}
            self.emit(kind + "partial_image", **call, **fields, **used)

        options = shapes.drawing(tool, outcome)
        result = await self.make_image(options, tool.get("partial_images", 0), partial)
        self.emit(kind + "completed", **call)
        self._item_done(shapes.image_item(str(call["item_id"]), result, self))
        await self.reach("item_done")

    def _item_done(self, item: Event) -> None:
        self.output.append(item)
        self.emit("response.output_item.done", item=item, output_index=0)

    def _say(self, text: str) -> None:
        """A message in words."""
        at = {"item_id": self.item_id("msg"), "output_index": 0, "content_index": 0}
        part: Event = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        item = {"id": at["item_id"], "type": "message", "role": "assistant", "content": []}
        begun = {**item, "status": "in_progress"}
        self.emit("response.output_item.added", item=begun, output_index=0)
        self.emit("response.content_part.added", part=part, **at)
        self.emit("response.output_text.delta", delta=text, logprobs=[], **at)
        self.emit("response.output_text.done", text=text, logprobs=[], **at)
        part = {**part, "text": text}
        self.emit("response.content_part.done", part=part, **at)
        self._item_done({**item, "status": "completed", "content": [part]})

    def _end(self) -> None:
        """The terminal event of the outcome."""
        outcome = self.outcome
        self.status = "failed" if outcome.ending == "error" else outcome.ending
        failure = {"code": outcome.code, "message": outcome.message}
        if outcome.ending == "completed":
            self.closing = {"completed_at": int(time.time())}
        elif outcome.ending == "incomplete":
            self.closing = {"incomplete_details": {"reason": outcome.reason}}
        elif outcome.ending == "failed":
            self.closing = {"error": failure}
        if self.status in ("completed", "incomplete"):
            host = tokens.host_usage(shapes.words(self))
            self.fake.book.append(charge_of(self.id, shapes.image_usage(self), host))
        if outcome.ending != "error":
            self.emit("response." + self.status, response=self.response())
            return
        self.closing = {"error": {**failure, "code": "server_error"}}
        self.problem = Problem(400, outcome.message, code=outcome.code)
        if outcome.nested:
            self.emit("error", error=self.problem.error())
        else:
            self.emit("error", **failure, param=None)

    def cancel(self) -> None:
        """`POST …/cancel`: no terminal event, the stream just ends."""
        if not self.finished:
            self.status = "cancelled"
            self.fake.cancel_job(self)

    def item_id(self, prefix: str) -> str:
        """An item's id, made from the response's."""
        return f"{prefix}_{self.id.removeprefix('resp_')}"
