"""`/v1/images/generations`, `/v1/images/edits`."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import image_rules, streams
from .images_job import ImagesJob
from .problems import ApiError
from .recording import RECORD, read_form, read_json

if TYPE_CHECKING:
    from .provider import Provider


class ImagesApi:
    """The handlers."""

    def __init__(self, fake: "Provider") -> None:
        self.fake = fake

    def routes(self) -> list[web.RouteDef]:
        """Paths and handlers."""
        return [
            web.post("/v1/images/generations", self.generate),
            web.post("/v1/images/edits", self.edit),
        ]

    async def generate(self, request: web.Request) -> web.StreamResponse:
        """From a JSON body."""
        body = await read_json(request)
        image_rules.check_generate(self.fake, body)
        return await self._run(request, body, "image_generation", 0)

    async def edit(self, request: web.Request) -> web.StreamResponse:
        """From a form with at least one image."""
        form, uploads = await read_form(request)
        body = image_rules.typed(form)
        request[RECORD].body, request[RECORD].uploads = body, uploads
        image_rules.check_edit(self.fake, body, uploads)
        return await self._run(request, body, "image_edit", len(uploads))

    async def _run(
        self, request: web.Request, body: dict[str, Any], kind: str, inputs: int
    ) -> web.StreamResponse:
        outcome = await self.fake.admit(request, body)
        job = ImagesJob(self.fake, self.fake.new_id("img"), body, outcome, kind, inputs)
        await self.fake.launch(request, job)
        if body.get("stream"):
            return await streams.send(request, job, outcome)
        if outcome.cut is None:
            await job.done()
        else:
            await streams.wait_and_cut(request, job, outcome)
        if job.problem is not None:
            raise ApiError(job.problem)
        return web.json_response(job.answer())
