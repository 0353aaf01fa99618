"""Server-sent events, and the ways a connection fails on the way."""

import asyncio
import json
from typing import NoReturn

from aiohttp import web

from .job import Event, Job
from .outcomes import Outcome
from .recording import RECORD

HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
FOREVER = 3600.0


async def send(
    request: web.Request, job: Job, outcome: Outcome, starting_after: int = -1
) -> web.StreamResponse:
    """The job's events from `starting_after` on, live, cut where the outcome says."""
    record = request[RECORD]
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    record.status = 200
    async for entry in job.follow():
        if isinstance(entry, dict):
            if entry.get("sequence_number", 0) > starting_after:
                await response.write(encode(entry))
                record.sent += 1
            passed: object = record.sent
        else:
            passed = entry
        if outcome.cut is not None and outcome.cut_at == passed:
            if outcome.cut == "end":
                break
            await cut(request, outcome)
    await response.write_eof()
    return response


def encode(event: Event) -> bytes:
    """One event as the API frames it. There is no `[DONE]` after the last."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


async def wait_and_cut(request: web.Request, job: Job, outcome: Outcome) -> None:
    """For a call without a stream: cut it once the job has come as far as the outcome says."""
    events = 0
    async for entry in job.follow():
        events += isinstance(entry, dict)
        if outcome.cut_at in (entry if isinstance(entry, str) else None, events):
            if outcome.cut != "end":
                await cut(request, outcome)
            return


async def cut(request: web.Request, outcome: Outcome) -> NoReturn:
    """Drop the connection, or keep it open and say nothing more, till the client leaves."""
    transport = request.transport
    if outcome.cut == "drop" and transport is not None:
        transport.close()  # flushes first, so what was sent arrives
    await asyncio.sleep(FOREVER)  # ended by aiohttp: the client is gone
    raise asyncio.CancelledError
