"""Calls that the simulated Slack does not do, counted by method and code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.adapters.slack import web_api
from bot.domain.errors import SlackAppBlocked, SlackRefused, SlackUnavailable
from bot.sandbox import Fault, SimulatedSlack
from tests.support.metrics import Counted
from tests.support.published import publisher_for, reviewed, uploaded, with_file

KEPT_WAIT = web_api._wait


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are a tenth of what they are."""
    monkeypatch.setattr(web_api, "_wait", lambda state: KEPT_WAIT(state) / 10)


def errors(counted: Counted) -> dict[tuple[str, ...], float]:
    """By method and kind."""
    told = counted.changed("imagine_slack_errors_total")
    return {
        (series.rpartition("method=")[2], series.partition("kind=")[2].split()[0]): increase
        for series, increase in told.items()
    }


async def test_each_failed_try_counts_by_what_slack_said(slack: SimulatedSlack) -> None:
    async with publisher_for(slack) as publisher:
        counted = Counted()
        slack.faults.add("chat.postMessage", Fault.rate_limited(1))
        slack.faults.add("chat.postMessage", Fault.http(502))
        slack.faults.add("chat.postMessage", Fault(error="fatal_error"))
        slack.faults.add("files.completeUploadExternal", Fault.dropped())
        await with_file(slack, publisher)
        assert errors(counted) == {
            ("chat.postMessage", "busy"): 1,
            ("chat.postMessage", "unavailable"): 2,
            ("files.completeUploadExternal", "unavailable"): 1,
        }


@pytest.mark.parametrize(
    ("code", "error"), [("cant_update_message", SlackRefused), ("missing_scope", SlackAppBlocked)]
)
async def test_a_refusal_counts_by_its_code(
    slack: SimulatedSlack, code: str, error: type[Exception]
) -> None:
    async with publisher_for(slack) as publisher:
        session = await reviewed(slack, publisher)
        counted = Counted()
        slack.faults.add("chat.update", Fault(error=code))
        with pytest.raises(error):
            await publisher.refresh_draft(session, 1)
        assert errors(counted) == {("chat.update", code): 1}


async def test_an_upload_that_is_not_taken_counts(slack: SimulatedSlack) -> None:
    async with publisher_for(slack) as publisher:
        session = await with_file(slack, publisher)
        counted = Counted()
        slack.faults.add("upload", Fault.http(500))
        await uploaded(publisher, session)
        assert errors(counted) == {("upload", "unavailable"): 1}


async def test_waiting_for_a_file_is_told_apart_from_a_message_that_is_wrong(
    slack: SimulatedSlack,
) -> None:
    slack.workspace.files.ready_after = 0.3
    async with publisher_for(slack) as publisher:
        counted = Counted()
        await reviewed(slack, publisher)
        told = errors(counted)
        assert set(told) == {("chat.postMessage", "image_not_ready")}


async def test_a_code_that_is_none_is_unknown(slack: SimulatedSlack) -> None:
    async with publisher_for(slack) as publisher:
        session = await reviewed(slack, publisher)
        counted = Counted()
        slack.faults.add("chat.update", Fault(error="<!channel> a very private prompt"))
        with pytest.raises((SlackRefused, SlackUnavailable)):
            await publisher.refresh_draft(session, 1)
        assert errors(counted) == {("chat.update", "unknown_error"): 1}


@pytest.mark.parametrize(
    ("fault", "kind"), [(Fault.http(404), "http_404"), (Fault.dropped(), "unavailable")]
)
async def test_a_response_url_that_does_not_take_a_notice_counts(
    slack: SimulatedSlack, fault: Fault, kind: str
) -> None:
    async with publisher_for(slack) as publisher:
        session = await reviewed(slack, publisher)
        made = slack.workspace.tickets.response_url(session.user, session.channel)
        url = f"{slack.workspace.base_url}/response/{made.id}"
        counted = Counted()
        slack.faults.add("response_url", fault)
        await publisher.tell_owner(replace(session, response_url=url), "words")
        assert errors(counted) == {("response_url", kind): 1}
