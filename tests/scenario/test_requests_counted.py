"""Over HTTP: what people do is counted by what it is and what came of it, and by nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.domain.limits import LimitReached, Quota, Standing
from bot.domain.refusals import Reason, Refusal
from bot.domain.stages import Stage
from bot.domain.waiting import TooManyWaiting
from bot.ports import BeginRequest
from bot.views import ids
from tests.fakes import ID, OWNER, STRANGER, a_session, eventually
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import click, command, home_click, interaction, mention, submission
from tests.scenario.test_http import FORM, Endpoint, endpoint, signature
from tests.support.metrics import Counted

__all__ = ["endpoint"]

PRIVATE = "<!channel> a very private prompt of mine"
JSON = "application/json"


async def send(endpoint: Endpoint, form: dict[str, Any]) -> int:
    sent = urlencode(form).encode()
    status, _ = await endpoint.post(sent, signature(sent), FORM)
    return status


async def send_event(endpoint: Endpoint, inner: dict[str, Any]) -> int:
    sent = json.dumps({"type": "event_callback", "team_id": "T1", "event": inner}).encode()
    status, _ = await endpoint.post(sent, signature(sent), JSON)
    return status


async def once(counted: Counted, kind: str, name: str, outcome: str) -> None:
    """Wait until this one request is counted, and nothing else is."""
    series = f"imagine_requests_total kind={kind} name={name} outcome={outcome}"
    await eventually(lambda: counted.changed("imagine_requests_total"))
    assert counted.changed("imagine_requests_total") == {series: 1}


async def test_a_command_that_is_done(endpoint: Endpoint) -> None:
    counted = Counted()
    assert await send(endpoint, command(PRIVATE)) == 200
    await once(counted, "slash_command", "/imagine", "ok")
    assert counted.of("imagine_ack_seconds_count", kind="slash_command") == 1
    assert counted.of("imagine_ack_seconds_bucket", kind="slash_command", le="3.0") == 1


async def test_a_command_that_is_refused(endpoint: Endpoint) -> None:
    counted = Counted()
    assert await send(endpoint, command("a fox --size huge")) == 200
    await once(counted, "slash_command", "/imagine", "refused")


async def test_a_command_while_the_store_is_away(endpoint: Endpoint) -> None:
    endpoint.app.store.away = True
    counted = Counted()
    assert await send(endpoint, command(PRIVATE)) == 200
    await once(counted, "slash_command", "/imagine", "unavailable")


async def test_a_click_of_somebody_who_may_not(endpoint: Endpoint) -> None:
    endpoint.app.store.sessions[ID] = a_session(Stage.USER_FEEDBACK)
    counted = Counted()
    assert await send(endpoint, interaction(click("approve_2", f"{ID}#1", user=STRANGER))) == 200
    await once(counted, "block_action", "approve", "refused")
    assert counted.of("imagine_ack_seconds_count", kind="block_action") == 1


async def test_a_listener_that_breaks(endpoint: Endpoint) -> None:
    endpoint.app.fail["views.open"] = "missing_scope"
    counted = Counted()
    assert await send(endpoint, command("")) == 200
    await once(counted, "slash_command", "/imagine", "error")
    errors = counted.of("imagine_slack_errors_total", method="views.open", kind="missing_scope")
    assert errors == 1


async def test_a_form(endpoint: Endpoint) -> None:
    endpoint.app.store.sessions[ID] = a_session(Stage.INITIAL_INPUT)
    counted = Counted()
    form = submission(ids.PROMPT_FORM, f"{ID}#0", PRIVATE)
    assert await send(endpoint, interaction(form)) == 200
    await once(counted, "view_submission", "prompt_form", "ok")


async def test_an_event(endpoint: Endpoint) -> None:
    counted = Counted()
    assert await send_event(endpoint, mention(PRIVATE)) == 200
    await once(counted, "event", "app_mention", "ok")


async def test_the_home_tab_while_the_store_is_away(endpoint: Endpoint) -> None:
    endpoint.app.store.away = True
    counted = Counted()
    opened = {"type": "app_home_opened", "user": "U1", "tab": "home", "channel": "D1"}
    assert await send_event(endpoint, opened) == 200
    await once(counted, "event", "app_home_opened", "unavailable")


async def test_what_goes_wrong_after_the_ack_counts_too(endpoint: Endpoint) -> None:
    """A select of the Home tab is acked before the tab is shown anew."""
    endpoint.app.fail["views.publish"] = "internal_error"
    counted = Counted()
    chosen = home_click("default_option_size", selected="square")
    assert await send(endpoint, interaction(chosen)) == 200
    await once(counted, "block_action", "default_option", "error")


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({**command(PRIVATE), "command": f"/{PRIVATE}"}, "slash_command"),
        (interaction(click(PRIVATE, f"{ID}#1")), "block_action"),
        (interaction(click("approve_9", PRIVATE)), "block_action"),
        (interaction(submission(PRIVATE, f"{ID}#0", PRIVATE)), "view_submission"),
        (interaction({**click("x", "y"), "type": "shortcut", "callback_id": PRIVATE}), "shortcut"),
    ],
)
async def test_what_nobody_knows_is_other_and_never_a_label(
    endpoint: Endpoint, form: dict[str, Any], kind: str
) -> None:
    counted = Counted()
    assert await send(endpoint, form) == 200
    await once(counted, kind, "other", "unhandled")
    assert counted.of("imagine_ack_seconds_count", kind=kind) == 1
    assert "private" not in str(counted.changed("imagine_"))


async def test_what_slack_did_not_sign_is_not_counted(endpoint: Endpoint) -> None:
    counted = Counted()
    status, _ = await endpoint.post(urlencode(command(PRIVATE)).encode(), {}, FORM)
    assert status == 401
    assert counted.changed("imagine_") == {}


async def test_the_ack_counts_until_it_is_out_and_not_until_the_work_is_done(
    endpoint: Endpoint,
) -> None:
    counted, requests = Counted(), 20
    await asyncio.gather(*(send(endpoint, command(f"fox {n}")) for n in range(requests)))
    await eventually(
        lambda: counted.of("imagine_ack_seconds_count", kind="slash_command") == requests
    )
    await eventually(
        lambda: (
            counted.of(
                "imagine_requests_total", kind="slash_command", name="/imagine", outcome="ok"
            )
            == requests
        )
    )


FULL = Standing(Quota.CHANNEL, 9, 9, 1e9)


class Full:
    """A rule that refuses every attempt."""

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal

    async def check(self, request: BeginRequest) -> None:
        raise self._refusal


@pytest.mark.parametrize(
    ("refusal", "limit"),
    [
        (
            LimitReached(Standing(Quota.CHANNEL, 9, 9, 1e9), 1, 0, "a fox"),
            "channel_budget_per_month",
        ),
        (
            LimitReached(Standing(Quota.USER_IMAGES, 9, 9, 1e9), 1, 0, "a fox"),
            "user_images_per_day",
        ),
        (TooManyWaiting(3, (), OWNER), "too_many_waiting"),
        (Refusal(Reason.NOT_CHECKED), ""),
    ],
)
async def test_a_refusal_by_a_limit_is_counted(
    make_app: MakeApp, refusal: Refusal, limit: str
) -> None:
    app, counted = make_app(rules=(Full(refusal),)), Counted()
    await app.command("a fox")
    name = "imagine_limit_refusals_total"
    assert counted.changed(name) == ({f"{name} limit={limit}": 1} if limit else {})
