"""The meanings of Slack's error codes: one table, and a rule for the codes that it does not hold.

The codes are those that Slack documents for the methods that the bot calls, those of its gateways
(`http_` and the status), and some that are seen and not documented. Slack adds codes: an unknown
one has the meaning of its family.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum


class Meaning(StrEnum):
    """The subject of a refusal."""

    PASSING = "passing"
    """Slack itself: it works later."""
    NOT_A_MEMBER = "not_a_member"
    """This place: the bot is not there, or cannot see it."""
    ARCHIVED = "archived"
    """This place: it takes no messages any more."""
    NO_APPS = "no_apps"
    """This place: a kind of conversation that takes no apps."""
    CLOSED = "closed"
    """This place: its rules keep the bot from writing there."""
    MESSAGE = "message"
    """This message or its thread: it is gone, or stays as it is."""
    PERSON = "person"
    """This person: unknown, gone, or not there."""
    FILE = "file"
    """This file: it is gone, or cannot be shown."""
    FILE_TOO_LARGE = "file_too_large"
    UPLOADS_OFF = "uploads_off"
    """The workspace takes no such files."""
    STORAGE_FULL = "storage_full"
    """The workspace has no room for more files."""
    DENIED = "denied"
    """A permission: of this place or of the whole app. `auth.test` tells."""
    TOKEN = "token"  # noqa: S105 - no secret
    """The whole app: its token is no good."""
    SCOPE = "scope"
    """The whole app: it lacks a scope."""
    ORGANIZATION = "organization"
    """The whole app: the workspace or its organisation does not let it in."""
    ACCESS = "access"
    """The whole app: a network, a proxy, or a method that is no more."""
    MISTAKE = "mistake"
    """Our request is wrong."""
    UNKNOWN = "unknown"


APP = frozenset({Meaning.TOKEN, Meaning.SCOPE, Meaning.ORGANIZATION, Meaning.ACCESS})
"""The whole app, whose operator has to put it right."""
PLACE = frozenset({Meaning.NOT_A_MEMBER, Meaning.ARCHIVED, Meaning.NO_APPS, Meaning.CLOSED})

RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})
"""There were too many calls. Both spellings are in use, by method."""

_TABLE: dict[Meaning, str] = {
    Meaning.PASSING: """
        ratelimited rate_limited message_limit_exceeded
        internal_error fatal_error service_unavailable request_timeout
        team_added_to_org external_channel_migrating
        update_failed file_update_failed fetch_members_failed list_record_comment_fetch_failed
        streaming_state_conflict hash_conflict
        internal_server_error server_error unavailable temporarily_unavailable
        operation_timeout timeout http_408 http_425 http_429
    """,
    Meaning.NOT_A_MEMBER: "not_in_channel channel_not_found invalid_channel",
    Meaning.ARCHIVED: "is_archived is_inactive channel_is_archived",
    Meaning.NO_APPS: """
        method_not_supported_for_channel_type invalid_user_combination cannot_dm_bot
    """,
    Meaning.CLOSED: """
        restricted_action restricted_action_non_threadable_channel
        restricted_action_read_only_channel restricted_action_thread_locked
        restricted_action_thread_only_channel posting_to_channel_denied
        posting_to_general_channel_denied channel_is_limited_access too_many_members
        thread_locked
    """,
    Meaning.MESSAGE: """
        message_not_found thread_not_found cannot_reply_to_message cant_update_message
        cant_delete_message cant_broadcast_message edit_window_closed block_mismatch
        no_dual_broadcast_content_update
        exchanged_trigger_id expired_trigger_id invalid_trigger_id not_found
        expired_url used_url no_service no_active_hooks
    """,
    Meaning.PERSON: """
        user_not_found users_not_found user_not_visible user_disabled user_not_in_channel
        not_enough_users
    """,
    Meaning.FILE: """
        file_not_found file_deleted file_is_deleted not_visible template_not_visible
        missing_file_data unable_to_share_files file_share_limit_reached
        max_file_sharing_exceeded cant_delete_file delete_not_allowed
    """,
    Meaning.FILE_TOO_LARGE: """
        file_upload_size_restricted file_upload_size_exceeded file_too_large http_413
    """,
    Meaning.UPLOADS_OFF: """
        file_uploads_disabled file_uploads_except_images_disabled file_type_not_allowed
        blocked_file_type file_deleting_disabled upload_denied malware_detected
        slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked
        slack_connect_clip_sharing_blocked slack_connect_file_link_sharing_blocked
        slack_connect_file_upload_sharing_blocked slack_connect_lists_sharing_blocked
        canvas_disabled_file_team canvas_disabled_user_team canvas_globally_disabled
    """,
    Meaning.STORAGE_FULL: "storage_limit_reached http_507",
    Meaning.DENIED: """
        access_denied ekm_access_denied no_permission user_is_restricted
        send_on_behalf_not_allowed app_access_restricted messages_tab_disabled http_403
    """,
    Meaning.TOKEN: """
        invalid_auth not_authed account_inactive token_revoked token_expired
        user_removed_from_team invalid_token bad_token authorization_not_found is_bot
        app_uninstalled tokens_revoked http_401
    """,
    Meaning.SCOPE: "missing_scope not_allowed_token_type not_enabled",
    Meaning.ORGANIZATION: """
        org_login_required two_factor_setup_required team_access_not_granted
        enterprise_is_restricted forbidden_team team_disabled
    """,
    Meaning.ACCESS: """
        accesslimited method_deprecated deprecated_endpoint unknown_method insecure_request
        not_implemented http_407
    """,
    Meaning.MISTAKE: """
        alt_txt_too_large as_user_not_supported attachment_payload_limit_exceeded
        channels_limit_exceeded duplicate_channel_not_found duplicate_external_id
        duplicate_message_not_found draft_already_deleted draft_already_sent draft_has_conflict
        draft_not_found invalid_arg_name invalid_arguments invalid_array_arg
        invalid_attachments invalid_blocks invalid_blocks_format invalid_channel_id
        invalid_charset invalid_cursor invalid_form_data invalid_json invalid_limit
        invalid_metadata_filter_keys invalid_metadata_format invalid_metadata_schema
        invalid_post_type invalid_thread_ts invalid_ts_latest invalid_ts_oldest invalid_types
        json_not_object markdown_text_conflict metadata_must_be_sent_from_app
        metadata_too_large missing_args missing_argument missing_post_type missing_profile_id
        msg_blocks_too_long msg_too_long no_text push_limit_reached snippet_too_large
        team_not_found too_many_attachments too_many_contact_cards too_many_users
        unknown_snippet_type unknown_subtype upgrade_required users_list_not_supplied
        view_too_large
    """,
}

MEANINGS = {code: meaning for meaning, codes in _TABLE.items() for code in codes.split()}

_FAMILIES = [
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"storage|no_space|disk_full|^files?_quota", Meaning.STORAGE_FULL),
        (r"rate_?limit|rate_exceeded|too_many_requests|throttl|quota_exceeded", Meaning.PASSING),
        (r"slow_down|too_fast|busy|overload|^internal_|^backend_", Meaning.PASSING),
        (r"_timeout$|timed_out|unavailable|temporar|retry|try_again", Meaning.PASSING),
        (r"(service|connection|database|db)_error$", Meaning.PASSING),
        (r"migrat|maintenance|^(?!auth).*_failed$|server_error|http_5", Meaning.PASSING),
        (r"archived|frozen", Meaning.ARCHIVED),
        (r"(file|upload|image).*(size|large|big)", Meaning.FILE_TOO_LARGE),
        (r"upload|file_type|^slack_connect_|malware|virus|^dlp_", Meaning.UPLOADS_OFF),
        (r"^files?_(.*_)?(disabled|prohibited|blocked)(_by_.*)?$", Meaning.UPLOADS_OFF),
        (r"^not_in_|^conversation_not_found$", Meaning.NOT_A_MEMBER),
        (r"channel_type", Meaning.NO_APPS),
        (r"^restricted_action|^posting_|^channel_|_channel$|read_?only", Meaning.CLOSED),
        (r"^file_|_files?$|_file_", Meaning.FILE),
        (r"^message_|^thread_|^parent_|trigger", Meaning.MESSAGE),
        (r"^(invalid|missing|too_many|unknown|bad|unsupported|duplicate)_", Meaning.MISTAKE),
        (r"_too_(long|large|many|short)$|_conflict$|_exceeded$|_format$", Meaning.MISTAKE),
        (r"^tokens?_|_token$|_token_revoked$|^auth|^account_|uninstalled|^app_", Meaning.TOKEN),
        (r"scope", Meaning.SCOPE),
        (r"^(team|org|enterprise|workspace|sso|saml|two_factor)_", Meaning.ORGANIZATION),
        (r"deprecated|retired_", Meaning.ACCESS),
        (r"^users?_", Meaning.PERSON),
        (
            r"denied|permission|restricted|forbidden|not_allowed|blocked|disabled|uthorized$",
            Meaning.DENIED,
        ),
    )
]
"""Of the codes that the table does not hold; the first that fits counts."""

_WAIT = {
    "message_limit_exceeded": 30.0,
    "team_added_to_org": 15.0,
    "external_channel_migrating": 15.0,
}


def meaning_of(code: str) -> Meaning:
    """The meaning of an error code, also of an unknown one."""
    if known := MEANINGS.get(code):
        return known
    families = (meaning for pattern, meaning in _FAMILIES if pattern.search(code))
    return next(families, Meaning.UNKNOWN)


def seconds_to_wait(code: str) -> float:
    """How long a passing refusal is waited out where Slack does not say; 0 for the usual pause."""
    return _WAIT.get(code, 0.0)


def is_delivered(status: int, body: str) -> bool:
    """Whether the answer of a `response_url` says that the words are out: Slack answers `ok`, alone
    or in JSON. A page of HTML is of a proxy."""
    if status >= 300 or body.lstrip().startswith("<"):
        return False
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return True
    return not isinstance(answer, dict) or answer.get("ok") is not False
