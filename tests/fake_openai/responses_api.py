"""`/v1/responses`: create, retrieve (resuming streams), cancel, delete."""

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from . import response_rules, streams
from .outcomes import Outcome, success
from .problems import ApiError, invalid, not_found
from .recording import RECORD, read_json
from .response_job import ResponseJob

if TYPE_CHECKING:
    from .provider import Provider


class ResponsesApi:
    """The handlers."""

    def __init__(self, fake: "Provider") -> None:
        self.fake = fake

    def routes(self) -> list[web.RouteDef]:
        """Paths and handlers."""
        one = "/v1/responses/{id}"
        return [
            web.post("/v1/responses", self.create),
            web.get(one, self.retrieve),
            web.post(one + "/cancel", self.cancel),
            web.delete(one, self.delete),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Start a job; stream it, wait for it, or (background) answer at once."""
        body = await read_json(request)
        asked = response_rules.check(self.fake, body)
        outcome = await self.fake.admit(request, body)
        job_id = self.fake.new_id("resp")
        job = ResponseJob(self.fake, job_id, body, outcome, asked)
        try:
            await self.fake.launch(request, job)
            if body.get("stream"):
                return await streams.send(request, job, outcome)
            return await self._answer(request, job, outcome)
        except (asyncio.CancelledError, ConnectionResetError):
            # the client is gone: that stops a call that is not in the background
            job.abandoned = not self.fake.keeps_abandoned
            raise

    async def _answer(
        self, request: web.Request, job: ResponseJob, outcome: Outcome
    ) -> web.Response:
        if not job.background:
            if outcome.cut is None:
                await job.done()
            else:
                await streams.wait_and_cut(request, job, outcome)
        if job.problem is not None:
            raise ApiError(job.problem)
        return self._response(job)

    def _response(self, job: ResponseJob) -> web.Response:
        value = job.response()
        if job.outcome.checked:
            self.fake.check("response", value)
        return web.json_response(value)

    def _find(self, request: web.Request) -> ResponseJob:
        response_id = request.match_info["id"]
        job = self.fake.responses.get(response_id)
        request[RECORD].response_id = response_id
        if job is None or not job.visible:
            raise not_found(f"Response with id '{response_id}' not found.")
        return job

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """The response as it stands, or its events after a number."""
        await self.fake.admit_read(request)
        job = self._find(request)
        if request.query.get("stream") != "true":
            return self._response(job)
        if not (job.background and job.body.get("stream")):
            raise invalid(
                "You can only stream a background response that was created with stream=true.",
                "stream",
            )
        after = int(request.query.get("starting_after", "-1"))
        return await streams.send(request, job, success(), after)

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop a background job; a second time changes nothing."""
        await self.fake.admit_other(request, self.fake.plan.cancels)
        job = self._find(request)
        if not job.background:
            raise invalid("Cannot cancel a synchronous response.", None, None)
        job.cancel()
        return self._response(job)

    async def delete(self, request: web.Request) -> web.Response:
        """Forget it."""
        job = self._find(request)
        del self.fake.responses[job.id]
        return web.json_response({"id": job.id, "object": "response", "deleted": True})
