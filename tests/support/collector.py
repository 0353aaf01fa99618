"""`Collector`: takes traces by OTLP over HTTP, as the collectors of operators do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from bot.sandbox import PATIENCE


@dataclass(frozen=True)
class Span:
    """One span as it was received: ids in hex, `parent` empty for the first of a trace, `started`
    in nanoseconds since the epoch."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str | int]
    started: int
    failed: bool


class Collector:
    """Keeps the spans, and the bodies as they came."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.bodies: list[bytes] = []
        self._news = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> str:
        """For `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        assert self._runner is not None
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def until(
        self, token: str, name: str, count: int = 1, timeout: float = PATIENCE
    ) -> list[Span]:
        """A session's spans of this name in their order, once so many have come."""

        def found() -> list[Span]:
            named = (span for span in self.spans if span.name == name)
            mine = [span for span in named if span.attributes.get("imagine.session") == token]
            return sorted(mine, key=lambda span: span.started)

        await self._until(lambda: len(found()) >= count, timeout)
        return found()

    async def path(self, span: Span, timeout: float = PATIENCE) -> list[str]:
        """The names from the first span of its trace down to this one, once all of them have
        come: a span is told of when it has ended."""
        names = [span.name]
        while span.parent:
            await self._until(partial(self._has, span.parent), timeout)
            span = self._by_id[span.parent]
            names.insert(0, span.name)
        return names

    def _has(self, span_id: str) -> bool:
        return span_id in self._by_id

    @property
    def _by_id(self) -> dict[str, Span]:
        return {span.id: span for span in self.spans}

    async def _until(self, true: Callable[[], bool], timeout: float) -> None:
        async with asyncio.timeout(timeout):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        self._news.set()
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")


def _spans(request: ExportTraceServiceRequest) -> list[Span]:
    found = []
    for resource in request.resource_spans:
        known = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        for scope in resource.scope_spans:
            found += [
                Span(
                    known["service.name"],
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    {a.key: a.value.string_value or a.value.int_value for a in span.attributes},
                    span.start_time_unix_nano,
                    span.status.code == span.status.STATUS_CODE_ERROR,
                )
                for span in scope.spans
            ]
    return found
