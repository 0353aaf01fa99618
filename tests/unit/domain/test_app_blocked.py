from __future__ import annotations

import pytest

from bot.domain.app_blocked import (
    REQUIRED_SCOPES,
    VITAL_METHODS,
    AppBlocked,
    cause_of,
    may_tell_owner,
    record_owner_notified,
)
from bot.domain.slack_errors import Meaning
from bot.domain.stages import Stage
from tests.fakes import a_session, generating

OPTIONAL_METHODS = ["conversations.join", "conversations.history", "files.info", "chat.delete"]


@pytest.mark.parametrize(
    "code",
    [
        "token_revoked",
        "token_expired",
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "org_login_required",
        "accesslimited",
        "two_factor_setup_required",
    ],
)
def test_whatever_was_asked_for_these_are_about_the_app(code: str) -> None:
    for method in (*VITAL_METHODS, *OPTIONAL_METHODS):
        assert cause_of(method, code) is not None, method


@pytest.mark.parametrize(
    "code",
    [
        "missing_scope",
        "not_allowed_token_type",
        "team_access_not_granted",
        "http_401",
        "enterprise_is_restricted",
        "app_not_installed",
    ],
)
def test_without_a_vital_method_the_app_is_shut_out(code: str) -> None:
    assert all(cause_of(method, code) for method in VITAL_METHODS)
    assert not any(cause_of(method, code) for method in OPTIONAL_METHODS)


@pytest.mark.parametrize(
    "code",
    [
        "is_archived",
        "not_in_channel",
        "channel_not_found",
        "restricted_action",
        "no_permission",
        "message_not_found",
        "cant_update_message",
        "invalid_blocks",
        "msg_too_long",
        "http_403",
        "ratelimited",
        "storage_limit_reached",
        "ekm_access_denied",
        "unknown_error",
    ],
)
def test_what_is_about_one_call_stops_nobody_else(code: str) -> None:
    assert not any(cause_of(method, code) for method in VITAL_METHODS)


def test_a_missing_scope_is_there_again_only_once_it_is_told() -> None:
    missing = AppBlocked("files.getUploadURLExternal", "missing_scope", 1.0)
    assert missing.cause is Meaning.SCOPE
    assert not missing.may_be_over(REQUIRED_SCOPES - {"files:write"})
    assert missing.may_be_over(REQUIRED_SCOPES | {"channels:join"})
    assert missing.may_be_over(frozenset())


def test_words_for_the_operator_hold_what_was_refused_and_what_to_do() -> None:
    said = str(AppBlocked("chat.update", "token_revoked", 1.0))
    assert "chat.update: token_revoked" in said
    assert "SLACK_BOT_TOKEN" in said


def test_an_owner_is_told_once_for_each_attempt() -> None:
    session = generating(2)
    assert may_tell_owner(session)
    told = record_owner_notified(session)
    assert not may_tell_owner(told)
    assert [attempt.owner_notified_of_block for attempt in told.attempts] == [False, True]
    assert record_owner_notified(told) is told


def test_nobody_is_told_of_an_attempt_that_is_not_there() -> None:
    session = a_session(Stage.INITIAL_INPUT)
    assert not may_tell_owner(session)
    assert record_owner_notified(session) is session
