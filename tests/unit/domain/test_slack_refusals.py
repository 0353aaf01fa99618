from __future__ import annotations

import pytest

from bot.domain.errors import ImageNotReady, SlackRefused
from bot.domain.failures import FailureKind
from bot.domain.slack_refusals import (
    ConversationKind,
    announcement_failure,
    conversation_kind,
    delivery_failure,
    is_about_file,
    publication_failure,
)
from bot.views.failure_words import failure_words
from bot.views.slack_refusals import not_published_words
from tests.fakes import a_session

OPERATORS = [
    "missing_scope",
    "not_allowed_token_type",
    "invalid_auth",
    "token_revoked",
    "account_inactive",
    "org_login_required",
    "team_access_not_granted",
    "enterprise_is_restricted",
    "accesslimited",
    "ekm_access_denied",
    "access_denied",
    "no_permission",
    "app_access_restricted",
    "two_factor_setup_required",
    "messages_tab_disabled",
    "http_403",
    "token_rotated",
    "org_policy_blocked",
]
ADVICE_ABOUT_PLACES = ("another channel", "/invite", "nvite me")


def refused(code: str) -> SlackRefused:
    return SlackRefused("chat.postMessage", code)


@pytest.mark.parametrize("code", OPERATORS)
def test_what_the_operator_has_to_mend_sends_nobody_to_another_place(code: str) -> None:
    error = refused(code)
    kinds = {
        announcement_failure(error, ConversationKind.CHANNEL, has_root=False),
        announcement_failure(error, ConversationKind.CHANNEL, has_root=True),
        delivery_failure(error, ConversationKind.CHANNEL),
        publication_failure(error, ConversationKind.CHANNEL),
    }
    assert kinds == {FailureKind.APP_REFUSED}
    session = a_session()
    for words in (
        failure_words(FailureKind.APP_REFUSED, channel="C1"),
        failure_words(FailureKind.APP_REFUSED, channel="C1", made=True),
        not_published_words(session, FailureKind.APP_REFUSED),
    ):
        assert "whoever runs this bot" in words
        assert not any(advice in words for advice in ADVICE_ABOUT_PLACES)


@pytest.mark.parametrize(
    ("channel", "name", "place"),
    [
        ("C1", "general", ConversationKind.CHANNEL),
        ("G1", "privategroup", ConversationKind.CHANNEL),
        ("D1", "directmessage", ConversationKind.DIRECT),
        ("D1", "", ConversationKind.DIRECT),
        ("C1", "mpdm-alice--bob--carol-1", ConversationKind.GROUP_DIRECT),
        ("G1", "mpdm-alice--bob-1", ConversationKind.GROUP_DIRECT),
        ("C1", "", ConversationKind.CHANNEL),
        ("C1", "dmpdm-jokes", ConversationKind.CHANNEL),
    ],
)
def test_a_place_is_known_by_its_id_and_name(
    channel: str, name: str, place: ConversationKind
) -> None:
    assert conversation_kind(channel, name) is place


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel", "invalid_channel"])
@pytest.mark.parametrize("place", [ConversationKind.DIRECT, ConversationKind.GROUP_DIRECT])
def test_nobody_is_told_to_invite_the_bot_where_that_cannot_be_done(
    code: str, place: ConversationKind
) -> None:
    kind = announcement_failure(refused(code), place, has_root=False)
    assert kind is FailureKind.NO_APPS_THERE
    assert "/invite" not in failure_words(kind, channel="C1")


@pytest.mark.parametrize("code", ["is_archived", "is_inactive", "channel_was_archived"])
def test_nobody_is_told_to_invite_the_bot_into_an_archive(code: str) -> None:
    kind = announcement_failure(refused(code), ConversationKind.CHANNEL, has_root=False)
    assert kind is FailureKind.CHANNEL_ARCHIVED
    assert "nvite" not in failure_words(kind, channel="C1")


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("storage_limit_reached", FailureKind.STORAGE_FULL, "no room left"),
        ("storage_quota_exceeded", FailureKind.STORAGE_FULL, "no room left"),
        ("file_uploads_disabled", FailureKind.UPLOADS_OFF, "does not take files"),
        ("upload_denied", FailureKind.UPLOADS_OFF, "does not take files"),
        ("blocked_file_type", FailureKind.UPLOADS_OFF, "does not take files"),
        ("file_upload_size_restricted", FailureKind.FILE_TOO_LARGE, "as large as"),
        ("http_413", FailureKind.FILE_TOO_LARGE, "as large as"),
        ("missing_scope", FailureKind.APP_REFUSED, "permission"),
        ("is_archived", FailureKind.CHANNEL_ARCHIVED, "archived"),
        ("invalid_blocks", FailureKind.NOT_DELIVERED, "did not take it"),
        ("mercury_in_retrograde", FailureKind.NOT_DELIVERED, "did not take it"),
    ],
)
def test_an_image_that_is_made_is_said_to_be_there(code: str, kind: FailureKind, says: str) -> None:
    assert delivery_failure(refused(code), ConversationKind.CHANNEL) is kind
    words = failure_words(kind, channel="C1", made=True)
    assert words.startswith("The image was made, but ")
    assert says in words
    assert "Try again: it brings the image that is there" in words
    assert "othing was generated" not in words


@pytest.mark.parametrize("code", ["file_not_found", "file_deleted", "file_quarantined"])
def test_a_file_that_is_gone_is_no_matter_of_the_channel(code: str) -> None:
    assert is_about_file(refused(code))
    kind = publication_failure(refused(code), ConversationKind.CHANNEL)
    assert kind is FailureKind.FILE_GONE
    words = not_published_words(a_session(), kind)
    assert "deleted" in words
    assert not any(advice in words for advice in ADVICE_ABOUT_PLACES)


def test_a_file_that_slack_does_not_know_is_about_the_file() -> None:
    assert is_about_file(ImageNotReady("chat.postMessage", "invalid_blocks"))
    assert not is_about_file(refused("invalid_blocks"))


@pytest.mark.parametrize(
    ("code", "has_root", "kind"),
    [
        ("message_not_found", True, FailureKind.NOT_SHOWN),
        ("cant_update_message", True, FailureKind.NOT_SHOWN),
        ("invalid_blocks", True, FailureKind.NOT_SHOWN),
        ("mercury_in_retrograde", True, FailureKind.NOT_SHOWN),
        ("cannot_reply_to_message", False, FailureKind.THREAD_CLOSED),
        ("thread_not_found", False, FailureKind.THREAD_CLOSED),
        ("msg_too_long", False, FailureKind.SLACK_REFUSED),
        ("mercury_in_retrograde", False, FailureKind.SLACK_REFUSED),
    ],
)
def test_what_is_about_a_message_is_told_of_the_message(
    code: str, has_root: bool, kind: FailureKind
) -> None:
    assert announcement_failure(refused(code), ConversationKind.CHANNEL, has_root=has_root) is kind
