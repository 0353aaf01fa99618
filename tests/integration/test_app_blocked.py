"""Slack refuses the whole app: each call of the publisher says so at once, whatever the status."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.adapters.slack import SlackPublisher
from bot.domain.app_blocked import VITAL_METHODS
from bot.domain.errors import SlackAppBlocked
from bot.domain.session import Session
from bot.sandbox import Fault, SimulatedSlack
from tests.support.published import IMAGE, approved, image_of, publisher_for, reviewed

AT_ONCE = 2.0
"""Seconds; patience with a Slack that is away is two minutes."""

TOKEN = ["token_revoked", "token_expired", "invalid_auth", "not_authed", "account_inactive"]
OTHERS = ["org_login_required", "team_access_not_granted", "accesslimited"]
SCOPES = ["missing_scope", "not_allowed_token_type"]

Call = Callable[[SlackPublisher, Session], Awaitable[object]]
CALLS: dict[str, Call] = {
    "root": lambda p, s: p.post_root(replace(s, root_ts="", thread_ts=""), 0, repeated=False),
    "status": lambda p, s: p.show_status(s, None),
    "upload": lambda p, s: p.upload(s, image_of(s), IMAGE),
    "draft": lambda p, s: p.post_draft(s, 1, repeated=False),
    "old draft": lambda p, s: p.refresh_draft(s, 1),
    "preview": lambda p, s: p.post_preview(s, 1, IMAGE),
    "failure": lambda p, s: p.post_failure(s, 1, "w", try_again=False, repeated=False),
    "final": lambda p, s: p.post_final(s, repeated=False),
    "shared": lambda p, s: p.share(s, image_of(s), IMAGE),
}


async def refused(call: Awaitable[object]) -> SlackAppBlocked:
    began = time.monotonic()
    with pytest.raises(SlackAppBlocked) as caught:
        await call
    assert time.monotonic() - began < AT_ONCE
    return caught.value


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *((code, 200) for code in (*TOKEN, *OTHERS, *SCOPES)),
        *((code, status) for status in (401, 403, 429, 500) for code in TOKEN[:1] + SCOPES[:1]),
    ],
)
async def test_every_call_says_so_at_once(slack: SimulatedSlack, code: str, status: int) -> None:
    async with publisher_for(slack) as publisher:
        session = await approved(slack, publisher)
        slack.block_app(code, *(VITAL_METHODS if code in {*SCOPES, *OTHERS} else ()), status=status)
        for name, call in CALLS.items():
            assert (await refused(call(publisher, session))).code == code, name
        slack.let_in()
        await publisher.post_final(session, repeated=True)


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_each_step_of_an_upload_counts(slack: SimulatedSlack, step: str) -> None:
    async with publisher_for(slack) as publisher:
        session = await reviewed(slack, publisher)
        slack.block_app("missing_scope", step)
        assert (await refused(publisher.upload(session, image_of(session), IMAGE))).method == step
        slack.let_in()
        await publisher.upload(session, image_of(session), IMAGE)


async def test_a_gateway_that_lets_nothing_through_counts(slack: SimulatedSlack) -> None:
    async with publisher_for(slack) as publisher:
        session = await reviewed(slack, publisher)
        for status in (401, 407):
            slack.faults.add("chat.update", Fault.http(status))
            error = await refused(publisher.refresh_draft(session, 1))
            assert error.code == f"http_{status}"


async def test_a_channel_that_cannot_be_joined_any_more_is_no_reason_to_be_invited(
    slack: SimulatedSlack,
) -> None:
    async with publisher_for(slack) as publisher:
        session = await reviewed(slack, publisher)
        outside = replace(session, channel=slack.channel("outsiders").id, root_ts="", thread_ts="")
        slack.block_app("token_revoked", "conversations.join")
        await refused(publisher.post_root(outside, 0, repeated=False))


@pytest.mark.parametrize("method", ["conversations.history", "conversations.replies"])
async def test_a_scope_that_it_can_do_without_keeps_nothing_up(
    slack: SimulatedSlack, method: str
) -> None:
    async with publisher_for(slack) as publisher:
        session = await reviewed(slack, publisher)
        slack.block_app("missing_scope", method)
        await publisher.post_failure(session, 1, "w", try_again=True, repeated=True)
