"""The simulated workspace as a running server, and all that a test or a page does with it."""

import json
import time
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.sandbox.api import ApiCall, Gate, WebApi
from bot.sandbox.arguments import Args, read_args
from bot.sandbox.clock import Clock
from bot.sandbox.delivery import Delivery
from bot.sandbox.errors import SlackError
from bot.sandbox.faults import Faults
from bot.sandbox.files import sniff
from bot.sandbox.http_delivery import HttpDelivery
from bot.sandbox.methods_files import receive_bytes
from bot.sandbox.observe import Observer
from bot.sandbox.people import People
from bot.sandbox.people_views import FormPeople
from bot.sandbox.responses import use_response_url
from bot.sandbox.workspace import Workspace

MOST_UPLOAD = 100 * 1024 * 1024
_RESPONSE_STATUS = {"expired_url": 404, "used_url": 404}


class SimulatedSlack(People, FormPeople, Observer):
    """One workspace with one installed bot. Nothing listens before `start()`.

    `file_ready_after`: seconds from the end of an upload to when messages can show the file.
    `scopes`: those of the bot token; None grants everything.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        file_ready_after: float = 0.0,
        scopes: set[str] | None = None,
    ) -> None:
        self._host, self._port = host, port
        self.workspace = Workspace(scopes, file_ready_after)
        self.delivery = Delivery(self.workspace)
        self.gate = Gate(self.workspace)
        self._runner: web.AppRunner | None = None
        self._https: list[HttpDelivery] = []

    # running

    async def start(self, app: web.Application | None = None) -> None:
        """Serve the workspace, beside whatever `app` serves already."""
        app = web.Application(client_max_size=MOST_UPLOAD) if app is None else app
        self.add_routes(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.workspace.base_url = f"http://{self._host}:{self._port}"

    def add_routes(self, app: web.Application) -> None:
        api = WebApi(self.workspace, self.gate)
        app.router.add_route("*", "/api/{method}", api.handle)
        app.router.add_get("/link/", self.delivery.sockets.accept)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/files/{file}/{name}", self._download)
        app.router.add_post("/response/{id}", self._response_url)

    async def stop(self) -> None:
        self.gate.stopping.set()
        await self.delivery.stop()
        await self._close_http()
        self.workspace.changes.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # what the bot needs to know

    @property
    def port(self) -> int:
        return self._port

    @property
    def host(self) -> str:
        return self._host

    @property
    def api_url(self) -> str:
        """The value of SLACK_API_URL."""
        return f"{self.workspace.base_url}/api/"

    @property
    def bot_token(self) -> str:
        return self.workspace.app.bot_token

    @property
    def app_token(self) -> str:
        return self.workspace.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.workspace.app.signing_secret

    @property
    def bot_user_id(self) -> str:
        return self.workspace.app.bot_user

    @property
    def team_id(self) -> str:
        return self.workspace.app.team_id

    # how actions reach the bot

    def use_http(self, url: str) -> None:
        """Send signed HTTP requests to `url` from now on, in place of Socket Mode."""
        self.delivery.http = HttpDelivery(url, self.signing_secret)
        self._https.append(self.delivery.http)

    def use_socket_mode(self) -> None:
        self.delivery.http = None

    @property
    def sockets(self) -> int:
        """How many Socket Mode connections are open."""
        return len(self.delivery.sockets.usable())

    async def disconnect_sockets(
        self, reason: str = "refresh_requested", abrupt: bool = False
    ) -> None:
        """Slack ends all connections; `abrupt` cuts them with no word. "warning" only warns."""
        await self.delivery.sockets.disconnect(reason, abrupt=abrupt)

    @property
    def deliver_twice(self) -> bool:
        return self.delivery.twice

    @deliver_twice.setter
    def deliver_twice(self, twice: bool) -> None:
        self.delivery.twice = twice

    # trouble, and what came of it

    @property
    def faults(self) -> Faults:
        return self.gate.faults

    def rate_limit(
        self, method: str, per_second: float | None, per: str | None = "channel"
    ) -> None:
        """Really limit a method, for each value of the argument `per`; None lifts the limit."""
        self.gate.limits.set(method, per_second, per)

    @property
    def calls(self) -> list[ApiCall]:
        """Everything that the bot has called, in order."""
        return self.gate.calls

    def calls_of(self, method: str) -> list[ApiCall]:
        return [call for call in self.calls if call.method == method]

    @property
    def violations(self) -> list[str]:
        """What the real Slack would refuse, or lose without a word."""
        return self.workspace.violations

    @property
    def clock(self) -> Clock:
        return self.workspace.clock

    # beside the Web API

    async def _upload(self, request: web.Request) -> web.Response:
        file_id = request.match_info["file"]
        data = await _uploaded_bytes(request)
        call = ApiCall("upload", {"file": file_id, "length": len(data)}, None, time.time())

        def respond(call: ApiCall) -> web.Response:
            status, text = receive_bytes(self.workspace, file_id, data)
            call.response = {"ok": status == 200, "text": text}
            return web.Response(status=status, text=text)

        return await self.gate.answer(request, call, respond)

    async def _download(self, request: web.Request) -> web.Response:
        file = self.workspace.files.get(request.match_info["file"].split("-")[-1])
        if request.headers.get("Authorization") != f"Bearer {self.bot_token}" or file is None:
            return web.Response(status=404 if file is None else 403)
        kind = sniff(file.data or b"")
        return web.Response(body=file.data, content_type=f"image/{kind}")

    async def _response_url(self, request: web.Request) -> web.Response:
        args = await _json_args(request)
        call = ApiCall("response_url", dict(args), None, time.time())

        def respond(call: ApiCall) -> web.Response:
            try:
                use_response_url(self.workspace, request.match_info["id"], args)
            except SlackError as error:
                call.response = error.answer()
                status = _RESPONSE_STATUS.get(error.error, 400)
                if status == 400:
                    self.workspace.violate(f"response_url: {error.error} {error.extra}")
                return web.json_response(call.response, status=status)
            call.response = {"ok": True}
            return web.Response(text="ok")

        return await self.gate.answer(request, call, respond)

    async def _close_http(self) -> None:
        for delivery in self._https:
            await delivery.close()


async def _uploaded_bytes(request: web.Request) -> bytes:
    """The body as it is, or the first file of a form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""


async def _json_args(request: web.Request) -> Args:
    """A response URL takes JSON, whatever its content type says."""
    if request.content_type.startswith("application/x-www-form"):
        return await read_args(request)
    try:
        body: Any = json.loads(await request.text())
    except ValueError:
        body = {}
    return Args(body if isinstance(body, dict) else {})
