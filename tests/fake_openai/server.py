"""The server itself: its life, who may call, what is recorded."""

import asyncio
from typing import Any, Self

from aiohttp import web

from .controls import Controls
from .images_api import ImagesApi
from .models_api import ModelsApi
from .problems import ApiError, Problem
from .recording import RECORD, start_record
from .refusals import bad_key
from .responses_api import ResponsesApi


class FakeOpenAI(Controls):
    """An OpenAI server on 127.0.0.1 that charges nothing and fails on demand.

    `checked`: everything sent is checked against the SDK's types, and leaving the context raises
    what was wrong.
    """

    def __init__(self, port: int = 0, *, latency: float = 0.05, checked: bool = True) -> None:
        super().__init__(latency=latency, checked=checked)
        self.port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: object, *rest: object) -> None:
        await self.stop()
        if kind is None and self.complaints:
            raise AssertionError("not what the SDK's types say: " + "; ".join(self.complaints))

    async def start(self) -> None:
        """Listen; `port` becomes the real one."""
        app = web.Application(middlewares=[self._middleware], client_max_size=200 * 2**20)
        for api in (ResponsesApi(self), ImagesApi(self), ModelsApi(self)):
            app.add_routes(api.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and end what runs. What was recorded stays; `start` again is fine."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        for task in list(self.tasks.values()):
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    @property
    def base_url(self) -> str:
        """For `OPENAI_BASE_URL`."""
        return f"http://127.0.0.1:{self.port}/v1"

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        record = request[RECORD] = start_record(request)
        self.requests.append(record)
        try:
            self._check_key(record.headers.get("authorization", ""))
            response: web.StreamResponse = await handler(request)
        except ApiError as error:
            response = error.problem.answer()
        except asyncio.CancelledError:
            record.disconnected = True
            raise
        except ConnectionResetError:
            record.disconnected = True
            raise asyncio.CancelledError from None
        except web.HTTPNotFound:
            response = Problem(404, f"Invalid URL ({request.method} {request.path})").answer()
        finally:
            record.finished = True
        record.status = response.status
        if not response.prepared:
            response.headers["x-request-id"] = f"req_{len(self.requests)}"
        return response

    def _check_key(self, authorization: str) -> None:
        if authorization != f"Bearer {self.api_key}":
            raise ApiError(bad_key(hidden(authorization)))


def hidden(key: str) -> str:
    """A key as the API shows it in its message."""
    return key.removeprefix("Bearer ")[:7] + "***"
