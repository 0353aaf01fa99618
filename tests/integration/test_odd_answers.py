"""Whatever comes back from Slack is read safely: it is an error of the program's own, or passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.adapters.slack import SlackPublisher, slack_client, slack_session, web_api
from bot.adapters.slack.api_errors import retry_after
from bot.adapters.slack.web_api import call
from bot.domain.errors import SlackBusy, SlackRefused, SlackUnavailable
from bot.ops.doctor import Verdict, check_app_token, identify
from bot.sandbox import Fault, SimulatedSlack
from tests.fakes import generating
from tests.support.published import image_of, in_thread, place, publisher_for, uploaded

KEPT_WAIT = web_api._wait
HTML = "<!DOCTYPE html><html><body>Sign in</body></html>"
JSON = "application/json"
ODD: dict[str, Fault] = {
    "html": Fault.answer(HTML, "text/html"),
    "html said to be json": Fault.answer(HTML),
    "empty": Fault.answer(""),
    "empty html": Fault.answer("", "text/html"),
    "empty text": Fault.answer("", "text/plain"),
    "text": Fault.answer("ok", "text/plain"),
    "null": Fault.answer("null"),
    "a string": Fault.answer('"internal_error"'),
    "a list": Fault.answer("[]"),
    "a longer list": Fault.answer('[{"ok": true}]'),
    "a number": Fault.answer("7"),
    "true": Fault.answer("true"),
    "an empty object": Fault.answer("{}"),
    "no ok": Fault.answer('{"channel": "C1"}'),
    "ok that is no yes": Fault.answer('{"ok": "false"}'),
    "ok that is null": Fault.answer('{"ok": null}'),
    "ok and nothing else": Fault.answer('{"ok": true}'),
    "ok and nulls": Fault.answer('{"ok": true, "ts": null, "upload_url": 7, "messages": "none"}'),
    "an error that is an object": Fault.answer('{"ok": false, "error": {"code": 7}}'),
    "an error that is a list": Fault.answer('{"ok": false, "error": ["a"]}'),
    "an error that is null": Fault.answer('{"ok": false, "error": null}'),
    "an error with what was typed": Fault.answer('{"ok": false, "error": "<!channel> fox"}'),
    "half a json": Fault.answer('{"ok": tr'),
    "not utf-8": Fault.answer('{"ok": true}', "application/json; charset=utf-16"),
    "an unknown charset": Fault.answer("ok", "text/plain; charset=no-such-charset"),
    "gzip": Fault.answer("ok", "application/gzip"),
    "deep": Fault.answer("[" * 100_000),
    "html of a proxy": Fault.answer(HTML, "text/html", 502),
    "a list of a proxy": Fault.answer("[]", JSON, 503),
    "html that forbids": Fault.answer(HTML, "text/html", 403),
    "null and not found": Fault.answer("null", JSON, 404),
    "busy in html": Fault.answer(HTML, "text/html", 429),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_api, "_wait", lambda state: KEPT_WAIT(state) / 100)


@pytest.fixture
async def publisher(slack: SimulatedSlack) -> AsyncIterator[SlackPublisher]:
    async with publisher_for(slack) as made:
        yield made


@pytest.mark.parametrize("fault", ODD.values(), ids=ODD.keys())
async def test_a_call_answers_an_object_or_raises_an_error_of_the_program(
    slack: SimulatedSlack, fault: Fault
) -> None:
    slack.faults.add("auth.test", fault)
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        with suppress(SlackRefused, SlackUnavailable):
            assert (await call(client.auth_test))["ok"] is True
        assert (await call(client.auth_test))["ok"] is True


@pytest.mark.parametrize("fault", ODD.values(), ids=ODD.keys())
async def test_the_doctor_reads_it(slack: SimulatedSlack, fault: Fault) -> None:
    slack.faults.add("auth.test", fault)
    slack.faults.add("apps.connections.open", fault)
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        finding, _ = await identify(client)
        assert "fox" not in str(finding)
        assert "fox" not in str(await check_app_token(client, slack.app_token))


@pytest.mark.parametrize("code", ["ratelimited", "internal_error", "team_added_to_org"])
async def test_what_passes_is_no_wrong_token(slack: SimulatedSlack, code: str) -> None:
    slack.faults.add("auth.test", Fault(error=code))
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        finding, _ = await identify(client)
    assert finding.verdict is Verdict.TRANSIENT


LOST = {
    name: replace(fault, effect=True)
    for name, fault in ODD.items()
    if fault.status < 400 and "typed" not in name and "that is a" not in name
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
async def test_a_post_whose_answer_cannot_be_read_is_found_and_not_posted_twice(
    slack: SimulatedSlack, publisher: SlackPublisher, fault: Fault
) -> None:
    slack.faults.add("chat.postMessage", fault)
    session = await in_thread(slack, publisher, generating())
    (root,) = slack.messages("general")
    assert session.root_ts == root.ts


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload"])
@pytest.mark.parametrize("name", ["html", "empty", "null", "a list", "ok and nothing else"])
async def test_an_upload_goes_on_after_it(
    slack: SimulatedSlack, publisher: SlackPublisher, method: str, name: str
) -> None:
    slack.faults.add(method, ODD[name])
    session = await in_thread(slack, publisher, generating())
    made = await uploaded(publisher, session)
    assert made.latest.candidate(1).file_id


@pytest.mark.parametrize("fault", ODD.values(), ids=ODD.keys())
async def test_a_search_goes_on_after_it(
    slack: SimulatedSlack, publisher: SlackPublisher, fault: Fault
) -> None:
    session = place(slack, generating(root_ts="", thread_ts=""))
    slack.faults.add("conversations.history", fault)
    assert await publisher.post_root(session, 0, repeated=True)


@pytest.mark.parametrize(
    ("answer", "delivered"),
    [
        (Fault.answer("ok", "text/plain"), True),
        (Fault.answer('{"ok": true}'), True),
        (Fault.answer(""), True),
        (Fault.answer('{"ok": false, "error": "used_url"}'), False),
        (Fault.answer('{"ok": false}', "text/plain"), False),
        (Fault.answer(HTML, "text/html"), False),
        (Fault.answer(HTML), False),
        (Fault.answer("no_service", "text/plain", 404), False),
        (Fault.answer("", status=500), False),
        (Fault.answer("null", status=410), False),
    ],
)
async def test_words_that_a_response_url_did_not_take_find_another_way(
    slack: SimulatedSlack, publisher: SlackPublisher, answer: Fault, delivered: bool
) -> None:
    made = slack.workspace.tickets.response_url(
        slack.user("alice").id, slack.channel("general").id, None, None
    )
    session = replace(
        place(slack, generating()),
        response_url=f"{slack.workspace.base_url}/response/{made.id}",
        thread_ts="",
    )
    slack.faults.add("response_url", answer)
    await publisher.tell_owner(session, "words")
    assert len(slack.calls_of("chat.postEphemeral")) == (not delivered)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("0.2", 1.0),
        ("-3", 1.0),
        ("-inf", 1.0),
        ("2.5", 2.5),
        ("inf", 3600.0),
        ("nan", 1.0),
        ("1e9", 3600.0),
        ("soon", 1.0),
        ("", 1.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0),
    ],
)
def test_any_word_of_when_to_come_again(told: str, seconds: float) -> None:
    assert retry_after({"retry-after": told}) == seconds


@pytest.mark.parametrize(
    "code", ["internal_error", "fatal_error", "service_unavailable", "request_timeout",
             "ratelimited", "rate_limited", "update_failed", "upstream_timeout"],
)  # fmt: skip
async def test_what_passes_without_a_429_is_waited_out(
    slack: SimulatedSlack, publisher: SlackPublisher, code: str
) -> None:
    slack.faults.add("files.completeUploadExternal", Fault(error=code), times=2)
    session = await in_thread(slack, publisher, generating())
    assert await publisher.upload(session, image_of(session), b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("code", ["message_limit_exceeded", "team_added_to_org"])
async def test_what_passes_late_is_not_asked_for_at_once(slack: SimulatedSlack, code: str) -> None:
    slack.faults.add("chat.postMessage", Fault(error=code))
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        with pytest.raises(SlackBusy) as busy:
            await call(client.chat_postMessage, channel="C1", text="a")
    assert busy.value.retry_after >= 15.0
