"""The simulated workspace as a running server: the interface of tests and of the page."""

from types import TracebackType
from typing import Self

from aiohttp import web

from bot.sandbox.delivery.delivery import Delivery
from bot.sandbox.delivery.echoes import Echoes
from bot.sandbox.delivery.http import HttpDelivery
from bot.sandbox.people.administration import Administration
from bot.sandbox.people.conversations import Conversations
from bot.sandbox.people.interactions import Interactions
from bot.sandbox.people.modals import Modals
from bot.sandbox.people.observer import Observer
from bot.sandbox.webapi.api import WebApi
from bot.sandbox.webapi.faults import AppBlocked, Faults
from bot.sandbox.webapi.middleware import ApiCall, Middleware
from bot.sandbox.webapi.transfers import Transfers
from bot.sandbox.workspace.clock import Clock
from bot.sandbox.workspace.workspace import Workspace

MOST_UPLOAD = 100 * 1024 * 1024


class SimulatedSlack(Interactions, Conversations, Modals, Administration, Observer):
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
        self.middleware = Middleware(self.workspace)
        self._echoes = Echoes(self.workspace, self.delivery)
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
        self._echoes.start()

    def add_routes(self, app: web.Application) -> None:
        api = WebApi(self.workspace, self.middleware)
        app.router.add_route("*", "/api/{method}", api.handle)
        app.router.add_get("/link/", self.delivery.sockets.accept)
        Transfers(self.workspace, self.middleware).add_routes(app)

    async def stop(self) -> None:
        self.middleware.stopping.set()
        await self._echoes.stop()
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

    # what the bot needs

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

    # faults and violations

    @property
    def faults(self) -> Faults:
        return self.middleware.faults

    def block_app(self, error: str, *methods: str, status: int = 200) -> None:
        """Refuse the whole app, or these methods to it, until `let_in`."""
        self.middleware.app_blocked = AppBlocked(error, status, frozenset(methods))

    def let_in(self) -> None:
        self.middleware.app_blocked = None

    def rate_limit(
        self, method: str, per_second: float | None, per: str | None = "channel"
    ) -> None:
        """Really limit a method, for each value of the argument `per`; None lifts the limit."""
        self.middleware.limits.set(method, per_second, per)

    @property
    def calls(self) -> list[ApiCall]:
        """Everything that the bot has called, in order."""
        return self.middleware.calls

    def calls_of(self, method: str) -> list[ApiCall]:
        return [call for call in self.calls if call.method == method]

    @property
    def violations(self) -> list[str]:
        """What the real Slack would refuse, or lose without a word."""
        return self.workspace.violations

    @property
    def clock(self) -> Clock:
        return self.workspace.clock

    async def _close_http(self) -> None:
        for delivery in self._https:
            await delivery.close()
