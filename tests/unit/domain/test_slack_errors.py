from __future__ import annotations

from collections import Counter

import pytest

from bot.domain.slack_errors import (
    _TABLE,
    APP,
    MEANINGS,
    PLACE,
    Meaning,
    meaning_of,
    seconds_to_wait,
)

_DOCUMENTED = """
access_denied accesslimited account_inactive alt_txt_too_large app_access_restricted
as_user_not_supported attachment_payload_limit_exceeded block_mismatch blocked_file_type
cannot_reply_to_message cant_broadcast_message cant_delete_file cant_delete_message
cant_update_message canvas_disabled_file_team canvas_disabled_user_team canvas_globally_disabled
channel_is_limited_access channel_not_found channels_limit_exceeded delete_not_allowed
deprecated_endpoint draft_already_deleted draft_already_sent draft_has_conflict draft_not_found
duplicate_channel_not_found duplicate_external_id duplicate_message_not_found edit_window_closed
ekm_access_denied enterprise_is_restricted exchanged_trigger_id expired_trigger_id
external_channel_migrating fatal_error fetch_members_failed file_deleted file_deleting_disabled
file_is_deleted file_not_found file_share_limit_reached file_type_not_allowed file_update_failed
file_upload_size_restricted file_uploads_disabled file_uploads_except_images_disabled
forbidden_team hash_conflict insecure_request internal_error invalid_arg_name invalid_array_arg
invalid_attachments invalid_auth invalid_blocks invalid_blocks_format invalid_channel
invalid_charset invalid_cursor invalid_form_data invalid_limit invalid_metadata_filter_keys
invalid_metadata_format invalid_metadata_schema invalid_post_type invalid_trigger_id
invalid_ts_latest invalid_ts_oldest invalid_types invalid_user_combination is_archived is_bot
is_inactive list_record_comment_fetch_failed markdown_text_conflict max_file_sharing_exceeded
message_limit_exceeded message_not_found messages_tab_disabled metadata_must_be_sent_from_app
metadata_too_large method_deprecated method_not_supported_for_channel_type missing_args
missing_argument missing_file_data missing_post_type missing_profile_id missing_scope
msg_blocks_too_long msg_too_long no_dual_broadcast_content_update no_permission no_text
not_allowed_token_type not_authed not_enabled not_enough_users not_found not_implemented
not_in_channel not_visible org_login_required posting_to_channel_denied push_limit_reached
rate_limited ratelimited request_timeout restricted_action
restricted_action_non_threadable_channel restricted_action_read_only_channel
restricted_action_thread_locked restricted_action_thread_only_channel send_on_behalf_not_allowed
service_unavailable slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked
slack_connect_clip_sharing_blocked slack_connect_file_link_sharing_blocked
slack_connect_file_upload_sharing_blocked slack_connect_lists_sharing_blocked snippet_too_large
storage_limit_reached streaming_state_conflict team_access_not_granted team_added_to_org
team_not_found template_not_visible thread_not_found token_expired token_revoked
too_many_attachments too_many_contact_cards too_many_members too_many_users
two_factor_setup_required unable_to_share_files unknown_method unknown_snippet_type
unknown_subtype update_failed user_disabled user_not_found user_not_in_channel user_not_visible
users_list_not_supplied view_too_large
"""
"""Slack's reference, August 2026: every error of the methods that the bot calls, and of those that
stand close to them, such as `conversations.info` and `views.update`."""


def test_every_documented_code_is_in_the_table() -> None:
    assert set(_DOCUMENTED.split()) - set(MEANINGS) == set()


def test_every_code_stands_there_once() -> None:
    codes = Counter(code for codes in _TABLE.values() for code in codes.split())
    assert [code for code, times in codes.items() if times > 1] == []


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("upstream_timeout", Meaning.PASSING),
        ("posting_rate_limit", Meaning.PASSING),
        ("channel_migration_in_progress", Meaning.PASSING),
        ("slow_down", Meaning.PASSING),
        ("message_rate_exceeded", Meaning.PASSING),
        ("server_busy", Meaning.PASSING),
        ("internal_failure", Meaning.PASSING),
        ("posting_too_fast", Meaning.PASSING),
        ("db_error", Meaning.PASSING),
        ("file_sharing_disabled", Meaning.UPLOADS_OFF),
        ("file_blocked_by_policy", Meaning.UPLOADS_OFF),
        ("virus_detected", Meaning.UPLOADS_OFF),
        ("file_quota_reached", Meaning.STORAGE_FULL),
        ("image_too_large", Meaning.FILE_TOO_LARGE),
        ("not_in_conversation", Meaning.NOT_A_MEMBER),
        ("parent_message_deleted", Meaning.MESSAGE),
        ("user_token_revoked", Meaning.TOKEN),
        ("sso_required", Meaning.ORGANIZATION),
        ("not_authorized", Meaning.DENIED),
        ("channel_was_archived", Meaning.ARCHIVED),
        ("channel_posting_paused", Meaning.CLOSED),
        ("restricted_action_announcement_channel", Meaning.CLOSED),
        ("file_quarantined", Meaning.FILE),
        ("uploads_paused", Meaning.UPLOADS_OFF),
        ("slack_connect_image_sharing_blocked", Meaning.UPLOADS_OFF),
        ("file_upload_too_large", Meaning.FILE_TOO_LARGE),
        ("storage_quota_exceeded", Meaning.STORAGE_FULL),
        ("token_rotated", Meaning.TOKEN),
        ("app_suspended", Meaning.TOKEN),
        ("team_paused", Meaning.ORGANIZATION),
        ("enterprise_policy_blocked", Meaning.ORGANIZATION),
        ("invalid_locale", Meaning.MISTAKE),
        ("blocks_too_many", Meaning.MISTAKE),
        ("posting_by_apps_not_allowed", Meaning.CLOSED),
        ("action_forbidden", Meaning.DENIED),
        ("http_502", Meaning.PASSING),
        ("http_404", Meaning.UNKNOWN),
        ("mercury_in_retrograde", Meaning.UNKNOWN),
        ("", Meaning.UNKNOWN),
    ],
)
def test_a_code_that_nobody_has_seen_yet_means_what_its_family_means(
    code: str, meaning: Meaning
) -> None:
    assert meaning_of(code) is meaning


def test_no_code_is_about_a_place_and_about_the_app() -> None:
    assert not APP & PLACE


def test_only_what_passes_is_waited_for() -> None:
    assert seconds_to_wait("message_limit_exceeded") > seconds_to_wait("internal_error") == 0
