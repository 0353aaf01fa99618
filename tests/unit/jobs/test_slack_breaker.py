from __future__ import annotations

import asyncio

import pytest

from bot.concurrency import BackgroundTasks
from bot.domain.app_blocked import REQUIRED_SCOPES, AppBlocked
from bot.domain.errors import SlackAppBlocked
from bot.jobs.slack_breaker import (
    LOOK_AFTER_UNINSTALLED_EVERY,
    QUIET_FOR,
    AuthTest,
    SlackBreaker,
)
from tests.fakes import FakeAppBlockedStore

POST = "chat.postMessage"


class Slack:
    """What `auth.test` answers."""

    def __init__(self) -> None:
        self.scopes: frozenset[str] | None = None
        self.refused = True

    async def auth_test(self) -> AuthTest:
        return AuthTest(self.refused and self.scopes is None, self.scopes)


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def kept() -> FakeAppBlockedStore:
    return FakeAppBlockedStore()


@pytest.fixture
def tasks() -> BackgroundTasks:
    return BackgroundTasks()


@pytest.fixture
def breaker(slack: Slack, kept: FakeAppBlockedStore, tasks: BackgroundTasks) -> SlackBreaker:
    return SlackBreaker(kept, slack.auth_test, tasks, lambda: 1.0)


@pytest.fixture
def other(slack: Slack, kept: FakeAppBlockedStore, tasks: BackgroundTasks) -> SlackBreaker:
    """In another process."""
    return SlackBreaker(kept, slack.auth_test, tasks, lambda: 1.0)


async def test_closed_it_lets_everything_pass(breaker: SlackBreaker) -> None:
    await breaker.require_access(paid=True)
    await breaker.require_access(paid=False)


async def test_a_refusal_opens_it_in_every_process(
    breaker: SlackBreaker, other: SlackBreaker, tasks: BackgroundTasks
) -> None:
    breaker.report(POST, "token_revoked")
    assert not breaker.is_closed
    await tasks.drain(1.0)
    with pytest.raises(SlackAppBlocked, match="token_revoked"):
        await other.require_access(paid=True)
    with pytest.raises(SlackAppBlocked):
        await other.require_access(paid=False)
    assert not other.is_closed


async def test_this_process_stops_in_the_same_moment(breaker: SlackBreaker) -> None:
    breaker.report(POST, "invalid_auth")
    with pytest.raises(SlackAppBlocked):
        await breaker.require_access(paid=True)


async def test_it_stays_open_while_auth_test_is_not_good(breaker: SlackBreaker) -> None:
    breaker.report(POST, "token_revoked")
    await breaker.look()
    with pytest.raises(SlackAppBlocked):
        await breaker.require_access(paid=False)


async def test_a_good_auth_test_and_the_method_that_was_refused_close_it(
    breaker: SlackBreaker,
    other: SlackBreaker,
    slack: Slack,
    kept: FakeAppBlockedStore,
    tasks: BackgroundTasks,
) -> None:
    breaker.report(POST, "token_revoked")
    slack.scopes = REQUIRED_SCOPES
    await breaker.look()
    await other.require_access(paid=False)
    for method in ("auth.test", "chat.update"):
        other.worked(method)
        with pytest.raises(SlackAppBlocked):
            await other.require_access(paid=True)
    other.worked(POST)
    await tasks.drain(1.0)
    assert kept.kept is None
    await breaker.require_access(paid=True)
    assert breaker.is_closed


async def test_open_it_is_not_closed_by_a_late_answer(breaker: SlackBreaker) -> None:
    breaker.report(POST, "token_revoked")
    breaker.worked(POST)
    with pytest.raises(SlackAppBlocked):
        await breaker.require_access(paid=True)


async def test_half_open_it_opens_when_the_app_is_refused_again(
    breaker: SlackBreaker, slack: Slack
) -> None:
    breaker.report(POST, "org_login_required")
    slack.scopes = REQUIRED_SCOPES
    await breaker.look()
    breaker.report("chat.update", "org_login_required")
    with pytest.raises(SlackAppBlocked):
        await breaker.require_access(paid=False)


async def test_half_open_it_closes_once_nothing_was_refused_for_a_while(
    slack: Slack, kept: FakeAppBlockedStore, tasks: BackgroundTasks
) -> None:
    clock = [1.0]
    breaker = SlackBreaker(kept, slack.auth_test, tasks, lambda: clock[0])
    breaker.report(POST, "token_revoked")
    slack.scopes = REQUIRED_SCOPES
    for clock[0] in (2.0, 3.0, 3.0 + QUIET_FOR - 0.1):
        await breaker.look()
        assert not breaker.is_closed
    clock[0] = 3.0 + QUIET_FOR
    await breaker.look()
    await breaker.require_access(paid=True)


async def test_a_scope_that_is_still_missing_keeps_it_open(
    breaker: SlackBreaker, slack: Slack
) -> None:
    breaker.report("files.getUploadURLExternal", "missing_scope")
    slack.scopes = REQUIRED_SCOPES - {"files:write"}
    await breaker.look()
    with pytest.raises(SlackAppBlocked):
        await breaker.require_access(paid=False)


async def test_while_redis_is_away_each_process_goes_by_its_own(
    breaker: SlackBreaker, other: SlackBreaker, kept: FakeAppBlockedStore, tasks: BackgroundTasks
) -> None:
    kept.away = True
    breaker.report(POST, "token_revoked")
    await tasks.drain(1.0)
    with pytest.raises(SlackAppBlocked):
        await breaker.require_access(paid=True)
    await other.require_access(paid=True)
    kept.away = False
    await breaker.look()
    with pytest.raises(SlackAppBlocked):
        await other.require_access(paid=True)


async def test_it_is_said_once_however_many_calls_are_refused(
    breaker: SlackBreaker, caplog: pytest.LogCaptureFixture, tasks: BackgroundTasks
) -> None:
    for _ in range(20):
        breaker.report(POST, "token_revoked")
    await asyncio.sleep(0)
    await tasks.drain(1.0)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "SLACK_BOT_TOKEN" in errors[0].getMessage()


async def test_a_doubtful_refusal_opens_it_where_auth_test_is_refused_too(
    breaker: SlackBreaker,
) -> None:
    breaker.doubt(POST, "access_denied")
    with pytest.raises(SlackAppBlocked):
        await breaker.require_access(paid=True)


@pytest.mark.parametrize("scopes", [REQUIRED_SCOPES, None])
async def test_a_doubtful_refusal_of_one_channel_or_without_an_answer_stops_nobody(
    breaker: SlackBreaker, slack: Slack, scopes: frozenset[str] | None
) -> None:
    slack.scopes, slack.refused = scopes, False
    breaker.doubt(POST, "no_permission")
    await breaker.require_access(paid=True)
    assert breaker.is_closed


UNINSTALLED = AppBlocked("event", "app_uninstalled", 1.0)
REVOKED = AppBlocked("event", "tokens_revoked", 1.0)


@pytest.mark.parametrize("told", [UNINSTALLED, REVOKED])
async def test_nothing_is_called_while_the_app_is_uninstalled(
    breaker: SlackBreaker, kept: FakeAppBlockedStore, told: AppBlocked
) -> None:
    await kept.save(told)
    breaker.before_call(POST)
    with pytest.raises(SlackAppBlocked):
        await breaker.require_access(paid=False)
    for method in (POST, "chat.update", "users.info", "files.getUploadURLExternal"):
        with pytest.raises(SlackAppBlocked, match=told.code):
            breaker.before_call(method)
    breaker.before_call("auth.test")


async def test_a_refused_token_alone_leaves_room_for_words(breaker: SlackBreaker) -> None:
    breaker.report(POST, "token_revoked")
    breaker.before_call("chat.postEphemeral")


async def test_an_uninstalled_app_is_looked_after_now_and_then(
    slack: Slack, kept: FakeAppBlockedStore, tasks: BackgroundTasks
) -> None:
    now = [1000.0]
    breaker = SlackBreaker(kept, slack.auth_test, tasks, lambda: now[0])
    await kept.save(UNINSTALLED)
    slack.scopes = REQUIRED_SCOPES
    await breaker.look()
    assert not breaker.is_closed
    now[0] += LOOK_AFTER_UNINSTALLED_EVERY - 1
    await breaker.look()
    assert not breaker.is_closed
    now[0] += 2
    await breaker.look()
    assert breaker.is_closed
    assert kept.kept is None
    breaker.before_call(POST)


async def test_the_refusals_that_follow_do_not_hide_that_it_was_uninstalled(
    breaker: SlackBreaker, kept: FakeAppBlockedStore, tasks: BackgroundTasks
) -> None:
    await kept.save(UNINSTALLED)
    breaker.report(POST, "account_inactive")
    await tasks.drain(1.0)
    assert kept.kept == UNINSTALLED
    with pytest.raises(SlackAppBlocked, match="app_uninstalled"):
        breaker.before_call(POST)


async def test_a_start_with_a_good_token_is_an_installation(
    breaker: SlackBreaker, kept: FakeAppBlockedStore
) -> None:
    await kept.save(UNINSTALLED)
    await breaker.close_if_uninstalled()
    assert (breaker.is_closed, kept.kept) == (True, None)


async def test_a_start_does_not_end_another_trouble(
    breaker: SlackBreaker, kept: FakeAppBlockedStore
) -> None:
    missing = AppBlocked(POST, "missing_scope", 1.0)
    await kept.save(missing)
    await breaker.close_if_uninstalled()
    assert kept.kept == missing
