"""HTTP mode: what Slack did not sign is turned away with 401, and nobody is answered with 500."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier

from bot.ops.serving import MAX_BODY, HttpServer, Monitoring
from tests.fakes import PROMPT
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import SECRET, command
from tests.scenario.slack_app import SlackApp
from tests.support.http import routes_for

FORM = "application/x-www-form-urlencoded"


class Endpoint:
    """The app on a port of its own."""

    def __init__(self, app: SlackApp, session: aiohttp.ClientSession, url: str) -> None:
        self.app, self._session, self._url = app, session, url

    async def post(
        self, body: bytes | io.BytesIO, headers: dict[str, str], content_type: str = FORM
    ) -> tuple[int, str]:
        headers = {"Content-Type": content_type, **headers}
        async with self._session.post(
            f"{self._url}/slack/events", data=body, headers=headers
        ) as response:
            return response.status, await response.text()

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(self._url + path) as response:
            return response.status, await response.text()


@pytest.fixture
async def endpoint(make_app: MakeApp) -> AsyncIterator[Endpoint]:
    app = make_app()
    health = Monitoring(app.store.ping, asyncio.Event()).routes()
    server = HttpServer(routes_for(app.bolt, SECRET) + health, 0, "127.0.0.1")
    port = await server.start()
    async with aiohttp.ClientSession() as session:
        yield Endpoint(app, session, f"http://127.0.0.1:{port}")
    await server.stop()


def signature(body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    signed = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signed or ""}


def body(text: str = PROMPT) -> bytes:
    return urlencode(command(text)).encode()


async def test_a_signed_command_is_acked_and_starts_a_session(endpoint: Endpoint) -> None:
    sent = body()
    assert await endpoint.post(sent, signature(sent)) == (200, "")
    assert len(endpoint.app.store.sessions) == 1


@pytest.mark.parametrize(
    "text", ["a rocket and its payload", "payload={}", "payload", "{a fox}", "100% & more; a=b + c"]
)
async def test_a_prompt_may_hold_any_words(endpoint: Endpoint, text: str) -> None:
    sent = body(text)
    assert await endpoint.post(sent, signature(sent)) == (200, "")
    assert endpoint.app.only.task_input == text


UNSIGNED: dict[str, dict[str, str]] = {
    "no headers": {},
    "no signature": {"X-Slack-Request-Timestamp": str(int(time.time()))},
    "no timestamp": {"X-Slack-Signature": "v0=00"},
    "wrong secret": signature(body(), secret="another"),
    "another body": signature(b"text=other"),
    "stale": signature(body(), at=time.time() - 3600),
    "from the future": signature(body(), at=time.time() + 3600),
    "timestamp in words": {**signature(body()), "X-Slack-Request-Timestamp": "now"},
    "negative timestamp": {**signature(body()), "X-Slack-Request-Timestamp": "-1"},
    "timestamp with a fraction": {**signature(body()), "X-Slack-Request-Timestamp": "1.5"},
    "endless timestamp": {**signature(body()), "X-Slack-Request-Timestamp": "9" * 5000},
    "empty timestamp": {**signature(body()), "X-Slack-Request-Timestamp": ""},
    "digits of another script": {**signature(body()), "X-Slack-Request-Timestamp": "١٢٣"},
    "signature of another script": {**signature(body()), "X-Slack-Signature": "v0=é"},
    "empty signature": {**signature(body()), "X-Slack-Signature": ""},
}


@pytest.mark.parametrize("headers", UNSIGNED.values(), ids=UNSIGNED.keys())
async def test_what_slack_did_not_sign_is_turned_away(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    status, text = await endpoint.post(body(), headers)
    assert status == 401
    assert endpoint.app.store.sessions == {}
    assert PROMPT not in text + caplog.text


@pytest.mark.parametrize("sent", [b"\xff\xfe\x00", b"", b"x" * 1000])
async def test_an_unsigned_body_of_any_kind_is_turned_away(endpoint: Endpoint, sent: bytes) -> None:
    headers = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=00"}
    assert (await endpoint.post(sent, headers))[0] == 401


@pytest.mark.parametrize(
    ("sent", "content_type"),
    [
        (b"payload=not-json", FORM),
        (b"payload=%7B%7D", FORM),
        (b"payload=[]", FORM),
        (b"nonsense", FORM),
        (b"", FORM),
        (b"{broken", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'{"type":"unknown"}', "application/json"),
        (b"text=a", "text/plain; charset=no-such-charset"),
        (b"command=%2Fimagine&text=a", FORM),
        (b"command=%2Fother&text=a", FORM),
        (b"payload=%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%5D%7D", FORM),
    ],
)
async def test_a_signed_body_of_any_kind_is_never_answered_with_500(
    endpoint: Endpoint, sent: bytes, content_type: str
) -> None:
    status, _ = await endpoint.post(sent, signature(sent), content_type)
    assert status < 500
    assert endpoint.app.store.sessions == {}


async def test_a_signed_body_that_is_no_text_is_turned_away(endpoint: Endpoint) -> None:
    headers = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=00"}
    assert (await endpoint.post(b"\xff\xff", headers))[0] == 401


async def test_a_body_that_is_too_large_is_not_read(endpoint: Endpoint) -> None:
    status, _ = await endpoint.post(io.BytesIO(b"x" * (MAX_BODY + 1)), {})
    assert 400 <= status < 500


async def test_the_url_verification_is_answered(endpoint: Endpoint) -> None:
    sent = b'{"type":"url_verification","token":"t","challenge":"abc"}'
    status, text = await endpoint.post(sent, signature(sent), "application/json")
    assert status == 200
    assert "abc" in text


async def test_only_the_events_path_takes_posts(endpoint: Endpoint) -> None:
    assert (await endpoint.get("/slack/events"))[0] == 405
    assert (await endpoint.get("/"))[0] == 404


async def test_health_follows_the_store_and_says_why(endpoint: Endpoint) -> None:
    assert await endpoint.get("/healthz") == (200, '{"status": "ok"}')
    endpoint.app.store.away = True
    status, text = await endpoint.get("/healthz")
    assert status == 503
    assert "Redis does not answer" in text
    endpoint.app.store.away = False
    assert (await endpoint.get("/healthz"))[0] == 200


async def test_a_port_that_is_taken_is_an_error_and_not_silence(make_app: MakeApp) -> None:
    app = make_app()
    routes = Monitoring(app.store.ping, asyncio.Event()).routes()
    first = HttpServer(routes, 0, "127.0.0.1")
    port = await first.start()
    second = HttpServer(routes, port, "127.0.0.1")
    with pytest.raises(OSError, match=str(port)):
        await second.start()
    await second.stop()
    await first.stop()
