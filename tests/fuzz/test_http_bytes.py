"""Whatever reaches the port: bodies, headers, and bytes that are no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from bot.ops.serving import MAX_BODY
from bot.slack.transport import http
from tests.fuzz.bench import Bench, bench
from tests.fuzz.wire import APPROVE, BODIES, CONTENT_TYPES, FORM, RAW, Sent, forged, signed
from tests.support.hypotheses import TIMEOUT, examples

pytestmark = pytest.mark.timeout(TIMEOUT)


@pytest.fixture(scope="module")
def web() -> Iterator[Bench]:
    with bench() as made:
        yield made


def test_the_request_that_is_forged_here_would_count(web: Bench) -> None:
    web.reset()
    assert web.post(*signed(APPROVE, FORM)).status == 200
    assert web.session.final_result == 2


@settings(max_examples=examples(3))
@given(sent=forged())
def test_what_slack_did_not_sign_now_is_refused_and_changes_nothing(web: Bench, sent: Sent) -> None:
    web.reset()
    answer = web.post(*sent)
    assert answer.status == 401
    web.check(answer)
    web.check_unchanged()
    assert web.app.calls == []


@settings(max_examples=examples(3))
@given(body=BODIES, content_type=CONTENT_TYPES)
def test_no_signed_body_breaks_anything(web: Bench, body: bytes, content_type: str) -> None:
    web.reset()
    web.check(web.post(*signed(body, content_type)))
    web.check_alive()


@settings(max_examples=examples(2))
@given(body=BODIES, content_type=CONTENT_TYPES)
def test_no_unsigned_body_is_looked_at(web: Bench, body: bytes, content_type: str) -> None:
    web.reset()
    answer = web.post(body, (("Content-Type", content_type),))
    assert answer.status == 401
    web.check(answer)
    web.check_unchanged()


@settings(max_examples=examples(3))
@given(raw=RAW)
def test_no_bytes_break_the_server(web: Bench, raw: bytes) -> None:
    web.reset()
    answer = web.run(web.raw(raw))
    assert b" 500 " not in answer.partition(b"\r\n")[0]
    web.check_said(answer.decode("latin-1"))
    web.check_unchanged()
    web.check_alive()


@pytest.mark.parametrize("signs", [True, False])
def test_a_body_that_is_too_large_is_refused(web: Bench, signs: bool) -> None:
    web.reset()
    body = b"a" * (MAX_BODY + 1)
    answer = web.post(*signed(body, FORM)) if signs else web.post(body, ())
    assert answer.status == 413
    web.check_unchanged()
    web.check_alive()


def test_a_body_that_does_not_end_is_not_waited_for(
    web: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_WITHIN", 0.2)
    web.reset()
    head = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf of it"
    answer = web.run(web.raw(head, end=False))
    assert answer.startswith(b"HTTP/1.1 408 ")
    web.check_alive()


@pytest.mark.parametrize("after", [b"", b"half of it", b"all of it".ljust(100)])
def test_whoever_hangs_up_is_no_error(web: Bench, after: bytes) -> None:
    web.reset()
    head = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + after

    async def hang_up() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(head)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await web.settled()

    web.run(hang_up())
    assert "ERROR" not in web.log
    web.check_alive()
