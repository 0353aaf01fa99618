"""The Slack app with fakes behind it: signed requests in, recorded calls out, no network."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from slack_sdk.webhook.webhook_response import WebhookResponse

from bot.concurrency import BackgroundTasks
from bot.domain.call_defaults import Defaults
from bot.domain.images import AI_LABEL
from bot.domain.limit_settings import OperatorLimits
from bot.domain.option_table import OPTIONS
from bot.domain.options import OptionTable
from bot.domain.policy import Policy, WhoMayStart
from bot.domain.session import Session
from bot.ports import AttemptRule, Prices, SessionStore
from bot.service import Services
from bot.service.budgets import Budgets
from bot.slack.bolt import bolt_app
from bot.slack.identity import Identity
from bot.slack.listeners import ListenerDependencies, register
from tests.fakes import (
    ID,
    OWNER,
    FakeAppBlockedStore,
    FakeCancellations,
    FakeJobQueue,
    FakeLedger,
    FakeLimitSettings,
    FakePublisher,
    FakeSessionStore,
    FakeSpending,
    clock,
    workspace_limits,
)
from tests.scenario.payloads import (
    BOT,
    SECRET,
    WORKSPACE,
    Payload,
    click,
    command,
    interaction,
    mention,
    picture,
    signed,
    signed_event,
    submission,
)

DEFAULTS = Defaults("m", "", "1024x1024", "low")


class Call(NamedTuple):
    """One call that the app made. On a `response_url` the method is `respond`."""

    method: str
    args: dict[str, Any]


class SlackApp:
    """`fail` holds the error that Slack answers to the next calls of a method, `slow` the seconds
    that it takes for them. `users` is what it knows of people, by id. `messages` are those that it
    has, by `ts`, and `files` what `files.info` answers, by id; who looks at them is in `lookups`.
    `answers` are further answers of Slack's methods.
    Sessions are kept in memory unless there is a `store`. With `prices` attempts are held to
    limits, as they stand in `spending`."""

    def __init__(
        self,
        *sessions: Session,
        policy: Policy | None = None,
        scopes: frozenset[str] = frozenset(),
        option_table: OptionTable = OPTIONS,
        identity: Identity | None = None,
        who: WhoMayStart = WhoMayStart.TEAM,
        users: dict[str, Payload] | None = None,
        rules: tuple[AttemptRule, ...] = (),
        store: SessionStore | None = None,
        admins: frozenset[str] = frozenset(),
        operator: OperatorLimits | None = None,
        prices: Prices | None = None,
    ) -> None:
        self.limit_settings = FakeLimitSettings()
        self.ledger = FakeLedger()
        self.spending = FakeSpending()
        self.store = FakeSessionStore(*sessions)
        self.queue = FakeJobQueue()
        self.cancellations = FakeCancellations()
        self.publisher = FakePublisher()
        self.tasks = BackgroundTasks()
        self.calls: list[Call] = []
        self.lookups: list[Call] = []
        self.answers: dict[str, Payload] = {}
        self.messages: dict[str, Payload] = {}
        self.files: dict[str, Payload] = {}
        self.fail: dict[str, str] = {}
        client = AsyncWebClient("xoxb-test", base_url="http://slack.invalid/api/")
        identity = identity or Identity("T1", "B1", BOT, "imagine", scopes, WORKSPACE)
        self.users = users or {}
        self.slow: dict[str, float] = {}
        self.bolt = bolt_app(client, identity, SECRET, who, self.tasks)
        limits = workspace_limits(self.limit_settings, operator or {})
        budgets = (
            Budgets(self.spending, prices, limits.limits_of, DEFAULTS, ZoneInfo("UTC"), clock())
            if prices
            else None
        )
        services = Services.build(
            store or self.store,
            self.queue,
            self.cancellations,
            policy or Policy(),
            self.tasks,
            clock(),
            option_table,
            rules,
            budgets,
            limits=limits,
            ledger=self.ledger,
        )
        self.app_blocked_store = FakeAppBlockedStore()
        dependencies = ListenerDependencies(
            services, self.tasks, identity, AI_LABEL, self.app_blocked_store, admins=admins
        )
        register(self.bolt, dependencies)

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]

    def record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Bolt makes a client for each request, so the class is what is replaced."""
        calls, fail, slow, users = self.calls, self.fail, self.slow, self.users

        async def api_call(_: object, api_method: str, **sent: Any) -> dict[str, Any]:
            args = sent.get("json") or sent.get("params") or {}
            looks = api_method in ("conversations.history", "conversations.replies", "files.info")
            (self.lookups if looks else calls).append(Call(api_method, args))
            await asyncio.sleep(slow.get(api_method, 0))
            if error := fail.get(api_method):
                answer = {"ok": False, "error": error}
                raise SlackApiError("no", answer)  # type: ignore[no-untyped-call]
            if api_method == "users.info" and args["user"] not in users:
                answer = {"ok": False, "error": "user_not_found"}
                raise SlackApiError("no", answer)  # type: ignore[no-untyped-call]
            if api_method in self.answers:
                return {"ok": True, **self.answers[api_method]}
            if looks:
                return self._looked_up(api_method, args)
            return {"ok": True, "user": users.get(args.get("user", ""), {})}

        async def send_dict(_: object, body: dict[str, Any]) -> WebhookResponse:
            calls.append(Call("respond", body))
            status = 404 if "respond" in fail else 200
            return WebhookResponse(url="", status_code=status, body="", headers={})

        monkeypatch.setattr(AsyncWebClient, "api_call", api_call)
        monkeypatch.setattr(AsyncWebhookClient, "send_dict", send_dict)

    def _looked_up(self, method: str, args: dict[str, Any]) -> dict[str, Any]:
        if method == "files.info":
            if args["file"] not in self.files:
                answer = {"ok": False, "error": "file_not_found"}
                raise SlackApiError("no", answer)  # type: ignore[no-untyped-call]
            return {"ok": True, "file": self.files[args["file"]]}
        if args.get("limit") == 1 and "ts" in args:  # the root of a thread
            found = {"ts": args["ts"], **self.messages.get(args["ts"], {})}
            return {"ok": True, "messages": [found]}
        ts = args.get("oldest") or args["latest"]
        root = [{"ts": args["ts"], "files": [picture("FROOT")]}] if "ts" in args else []
        return {"ok": True, "messages": [*root, *filter(None, [self.messages.get(ts)])]}

    async def send(self, form: Payload) -> BoltResponse:
        """Dispatch one signed request, and let all that it started come to its end."""
        return await self.dispatch(signed(urlencode(form)))

    async def command(self, text: str, **changes: str) -> BoltResponse:
        return await self.send(command(text, **changes))

    async def click(self, action_id: str, value: str, **changes: Any) -> BoltResponse:
        return await self.send(interaction(click(action_id, value, **changes)))

    async def submit(
        self, callback_id: str, metadata: str, text: str | None, user: str = OWNER, **chosen: str
    ) -> BoltResponse:
        return await self.send(interaction(submission(callback_id, metadata, text, user, **chosen)))

    async def mention(self, text: str, **changes: Any) -> BoltResponse:
        return await self.event(mention(text, **changes))

    async def event(self, inner: Payload) -> BoltResponse:
        return await self.dispatch(signed_event(inner))

    async def dispatch(self, request: AsyncBoltRequest) -> BoltResponse:
        response = await self.bolt.async_dispatch(request)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        async with asyncio.timeout(20):
            await asyncio.gather(*rest)
        return response

    def of(self, method: str) -> list[dict[str, Any]]:
        return [call.args for call in self.calls if call.method == method]

    def whispers(self, **where: object) -> list[str]:
        """What was told in private in the channel; each has to be there."""
        calls = self.of("chat.postEphemeral")
        for call in calls:
            assert where.items() <= call.items()
        return [call["text"] for call in calls]

    @property
    def only(self) -> Session:
        """The one session that there is."""
        (session,) = self.store.sessions.values()
        return session
