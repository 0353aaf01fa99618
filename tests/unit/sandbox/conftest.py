"""A running workspace, a real SDK client of it, and bots that it reaches."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.unit.sandbox.bots import Recorder


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack() as running:
        yield running


@pytest.fixture
def client(slack: SimulatedSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def app(slack: SimulatedSlack, client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client, signing_secret=slack.signing_secret)


Connect = Callable[[], Awaitable[AsyncSocketModeHandler]]


@pytest.fixture
async def connect(slack: SimulatedSlack, app: AsyncApp) -> AsyncIterator[Connect]:
    """Opens one more Socket Mode connection of the app; all are closed at the end."""
    handlers = []

    async def open_one() -> AsyncSocketModeHandler:
        handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=1)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        handlers.append(handler)
        await slack.wait_for(lambda: slack.sockets >= len(handlers))
        return handler

    yield open_one
    for handler in handlers:
        await handler.close_async()  # type: ignore[no-untyped-call]


Upload = Callable[[bytes], Awaitable[str]]


@pytest.fixture
def upload(client: AsyncWebClient) -> Upload:
    """Uploads bytes with the SDK's own three steps, to no channel; answers the file's id."""

    async def send(data: bytes) -> str:
        answer: Any = await client.files_upload_v2(content=data, filename="image.png")
        return str(answer["files"][0]["id"])

    return send


@pytest.fixture
async def recorder(slack: SimulatedSlack) -> AsyncIterator[Recorder]:
    recorder = Recorder()
    server = web.Application()
    server.router.add_post("/slack/events", recorder.take)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.use_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    slack.delivery.event_retry_delays = (0.01, 0.01, 0.01)
    yield recorder
    await runner.cleanup()
