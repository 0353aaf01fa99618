"""Every thing that always holds, as a function that lists where it did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.programs.chaos import (
    checks_acks,
    checks_ledger,
    checks_logs,
    checks_money,
    checks_record,
    checks_redis,
    checks_sessions,
    checks_slack,
)
from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding

Check = Callable[[Evidence], list[Finding]]

CHECKS: tuple[Check, ...] = (
    checks_sessions.ends_in_a_lawful_stage,
    checks_sessions.root_shows_the_stage,
    checks_sessions.accepted_requests_are_kept,
    checks_sessions.accepted_clicks_count,
    checks_sessions.moves_count_once,
    checks_sessions.strangers_change_nothing,
    checks_sessions.failures_are_shown,
    checks_slack.one_root_per_session,
    checks_slack.one_draft_per_attempt,
    checks_slack.one_final_per_approval,
    checks_slack.only_the_newest_draft_is_live,
    checks_slack.images_are_visible,
    checks_slack.slack_has_no_complaints,
    checks_slack.nobody_is_pinged,
    checks_slack.slack_is_told_nothing_private,
    checks_money.paid_once,
    checks_money.known_responses_are_not_asked_anew,
    checks_ledger.measured_is_what_was_charged,
    checks_ledger.what_was_charged_has_a_line,
    checks_ledger.an_estimate_is_a_lost_answer,
    checks_ledger.a_call_has_one_line,
    checks_ledger.a_line_is_of_who_asked,
    checks_ledger.counters_are_the_lines,
    checks_ledger.no_hold_is_left,
    checks_record.record_stands,
    checks_record.record_tells_what_slack_shows,
    checks_record.record_names_the_bytes,
    checks_record.record_tells_what_was_asked_and_approved,
    checks_record.record_tells_what_failed,
    checks_redis.keys_expire,
    checks_redis.no_slot_is_held,
    checks_redis.no_ticket_is_left,
    checks_redis.nobody_waits,
    checks_redis.images_are_in_their_keys,
    checks_redis.nothing_is_owed,
    checks_redis.no_job_is_stuck,
    checks_logs.logs_tell_nothing_private,
    checks_logs.nothing_escapes_into_the_log,
    checks_acks.acked_in_time,
    checks_acks.processes_end_as_asked,
)


class Verdict(NamedTuple):
    """`excused`: what went wrong and had to, with its cause; each is counted and reported."""

    violations: list[Finding]
    excused: list[Finding]


def judge(evidence: Evidence) -> Verdict:
    """Every check, in their order."""
    found = [finding for check in CHECKS for finding in check(evidence)]
    return Verdict([f for f in found if not f.cause], [f for f in found if f.cause])
