"""The oracle itself: a good world passes, and each way of spoiling it is caught by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.redis.session_fields import to_fields
from bot.domain.jobs import JobKind
from bot.domain.stages import Publication, Stage
from bot.sandbox import Message
from tests.fake_openai.book import Charge
from tests.fakes import a_session
from tests.programs.chaos.archive import Stored, stored_from
from tests.programs.chaos.evidence import Asked, Evidence, Key, Paid
from tests.programs.chaos.idle import RemainingWork
from tests.programs.chaos.journal import Journal
from tests.programs.chaos.ledger_book import LedgerBook, Line
from tests.programs.chaos.oracle import judge
from tests.programs.chaos.record_book import RecordBook, RecordLine

WORD = "kwx00010001"
OWNER = "U0P001"
ID = f"T1.{OWNER}.abc123"
STARTED = 1_000.0
COST = 13_000


def candidate(**changes: Any) -> dict[str, Any]:
    return {"number": 1, "response_id": "resp_1", "width": 64, "failure": None, **changes}


def attempt(number: int = 1, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "number": number,
        "prompt": f"a fox {WORD}q1",
        "change": "",
        "message_ts": f"{number}2.0",
        "failure": None,
        "candidates": [candidate()],
    }
    return {**made, **changes}


def message(marker: str, ts: str, text: str, *buttons: str, **more: Any) -> Message:
    blocks: list[dict[str, Any]] = [
        {"type": "section", "block_id": marker, "text": {"type": "mrkdwn", "text": text}}
    ]
    if buttons:
        elements = [
            {"type": "button", "action_id": name, "text": {"type": "plain_text", "text": name}}
            for name in buttons
        ]
        blocks.append({"type": "actions", "block_id": f"b{ts}", "elements": elements})
    return Message("C1", ts, "U0IMAGINE1", text, blocks, **more)


def act(evidence: Evidence, what: str, **facts: Any) -> None:
    known = {"user": OWNER, "by": "owner", "ok": True, "ack": 0.02, "error": None, "visit": WORD}
    evidence.journal.add("act", what, at=STARTED, seconds=0.1, **{**known, **facts})


def good() -> Evidence:
    """One session of one person: asked for, drawn, approved, published."""
    session = Stored(
        ID, "final", root_ts="11.0", thread_ts="11.0", final_result=1, final_ts="13.0",
        approved_by=OWNER, attempts=(attempt(),),
    )  # fmt: skip
    evidence = Evidence(
        sessions={ID: session},
        last={ID: session},
        responses={(ID, 1, 1): ["resp_1"]},
        keys=[
            Key("imagine:{T1}:session:U0P001.abc123", "hash", 600),
            Key("imagine:{T1}:session:U0P001.abc123:generated_image:1", "string", 600),
            Key("{imagine}:imagine-generate:meta", "hash", -1),
        ],
        messages=[
            message(f"root-{ID}-0", "11.0", f"<@{OWNER}> a fox {WORD}q1\n✅ Approved by x"),
            message(f"draft-{ID}-1", "12.0", "attempt 1", thread_ts="11.0"),
            message(f"final-{ID}-1", "13.0", "✅", thread_ts="11.0", reply_broadcast=True),
        ],
        asked=[Asked("resp_1", WORD, STARTED)],
        paid=[Paid("resp_1", WORD, STARTED + 1)],
        journal=Journal(),
        logs={"web1": "INFO ready as @imagine\n"},
        secrets={"the API key": "sk-secret"},
        record=RecordBook(
            [
                RecordLine(1, "asked", "abc123", 1, OWNER),
                RecordLine(2, "generated", "abc123", 1, sha256="0a1b"),
                RecordLine(3, "shown", "abc123", 1, message="12.0"),
                RecordLine(4, "approved", "abc123", 1, OWNER),
                RecordLine(5, "published", "abc123", 1, message="13.0"),
            ]
        ),
    )
    evidence.charged = [Charge("resp_1", COST)]
    evidence.ledger = LedgerBook(
        [line()],
        spent=Counter({f"user:{OWNER}": COST, "channel:C1": COST, "workspace": COST}),
        asked=Counter({OWNER: 1}),
    )
    act(evidence, "slash", words=f"{WORD}q1")
    act(evidence, "Approve", session=ID, number=1)
    return evidence


def line(call: int = 1, **changes: Any) -> Line:
    known = Line(f"{ID}.1.1.{call}", OWNER, "C1", "measured", COST, STARTED + 2)
    return known._replace(**changes)


def changed(evidence: Evidence, **changes: Any) -> None:
    """The session, otherwise."""
    session = replace(evidence.sessions[ID], **changes)
    evidence.sessions[ID] = evidence.last[ID] = session


def reviewing(evidence: Evidence) -> None:
    """The session not approved yet."""
    changed(evidence, stage="user_feedback", final_result=0, final_ts="", approved_by="")
    evidence.record.lines = [e for e in evidence.record.lines if e.kind != "approved"]


def violated(evidence: Evidence) -> set[str]:
    return {finding.check for finding in judge(evidence).violations}


def test_a_good_world_passes() -> None:
    verdict = judge(good())

    assert verdict.violations == []
    assert verdict.excused == []


def test_what_slack_refused_has_no_final_message() -> None:
    """The store's own words are what the check reads."""
    approved = a_session(Stage.FINAL, publication=Publication.REFUSED)
    refused = stored_from(to_fields(approved)).publication
    published, unpublished = good(), good()
    changed(published, publication=refused)
    changed(unpublished, publication=refused, final_ts="")
    unpublished.messages.pop()

    assert "one_final_per_approval" in violated(published)
    assert "one_final_per_approval" not in violated(unpublished)


@pytest.mark.parametrize("kind", JobKind)
def test_ended_jobs_of_every_kind_may_be_listed(kind: JobKind) -> None:
    evidence = good()
    name = f"{{imagine}}:imagine-publish:{kind}-{ID}-1-0"
    evidence.keys.append(Key(name, "hash", -1))

    assert violated(evidence) == {"keys_expire"}
    evidence.settled_jobs.add(name)
    assert violated(evidence) == set()


Spoil = Callable[[Evidence], Any]


def _lost(evidence: Evidence) -> None:
    evidence.messages.clear()
    evidence.sessions.clear()
    evidence.last.clear()


def _still_generating(evidence: Evidence) -> None:
    changed(evidence, stage="generating")


def _gone(evidence: Evidence) -> None:
    del evidence.sessions[ID]


def _root_lies(evidence: Evidence) -> None:
    evidence.messages[0] = message(f"root-{ID}-0", "11.0", f"a fox {WORD}q1\n🎨 Generating… 3 s")


def _two_roots(evidence: Evidence) -> None:
    evidence.messages.append(replace(evidence.messages[0], ts="11.5"))


def _two_drafts(evidence: Evidence) -> None:
    evidence.messages.append(message(f"draft-{ID}-1", "12.5", "attempt 1", thread_ts="11.0"))


def _no_draft(evidence: Evidence) -> None:
    evidence.messages[1].deleted = True


def _draft_of_nothing(evidence: Evidence) -> None:
    evidence.messages.append(message(f"draft-{ID}-2", "12.5", "attempt 2", thread_ts="11.0"))


def _another_draft_recorded(evidence: Evidence) -> None:
    changed(evidence, attempts=(attempt(message_ts="99.0"),))


def _two_finals(evidence: Evidence) -> None:
    evidence.messages.append(replace(evidence.messages[2], ts="13.5"))


def _no_final(evidence: Evidence) -> None:
    evidence.messages.pop()


def _unapproved_final(evidence: Evidence) -> None:
    reviewing(evidence)


def _final_in_thread_alone(evidence: Evidence) -> None:
    evidence.messages[2].reply_broadcast = False


def _dead_buttons(evidence: Evidence) -> None:
    evidence.messages[1] = message(f"draft-{ID}-1", "12.0", "attempt 1", "✅ Approve")


def _no_buttons(evidence: Evidence) -> None:
    reviewing(evidence)


def _broken_image(evidence: Evidence) -> None:
    evidence.messages[1].blocks.append(
        {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "gone"}
    )


def _crowd(evidence: Evidence) -> None:
    told = Message("C1", "19.0", "U0IMAGINE1", "<!channel> no", [], ephemeral_to="U0P9")
    evidence.messages.append(told)


def _secret_in_slack(evidence: Evidence) -> None:
    secret = next(iter(evidence.secrets.values()))
    evidence.messages.append(Message("C1", "19.0", "U0IMAGINE1", f"it is {secret}", []))


def _error_in_slack(evidence: Evidence) -> None:
    told = Message("C1", "19.0", "U0IMAGINE1", "Traceback (most recent call last)", [])
    evidence.messages.append(told)


def _stranger_counted(evidence: Evidence) -> None:
    evidence.journal.add("seen", "a stranger's click", session=ID, still=False)


def _complaint(evidence: Evidence) -> None:
    evidence.complaints.append("chat.update: cant_update_message")


def _ping(evidence: Evidence) -> None:
    evidence.messages[1].text = "<!channel> look"


def _paid_twice(evidence: Evidence) -> None:
    evidence.asked.append(Asked("resp_2", WORD, STARTED + 30))
    evidence.paid.append(Paid("resp_2", WORD, STARTED + 31))


def _unpaid(evidence: Evidence) -> None:
    evidence.paid.clear()


def _asked_anew(evidence: Evidence) -> None:
    evidence.paid.append(Paid("resp_0", WORD, STARTED))
    evidence.responses[(ID, 1, 1)] = ["resp_0", "resp_1"]


def _measured_wrong(evidence: Evidence) -> None:
    evidence.ledger.lines = [line(micro=COST + 1)]


def _measured_free_call(evidence: Evidence) -> None:
    evidence.ledger.lines.append(line(2))


def _measured_of_another(evidence: Evidence) -> None:
    evidence.ledger.lines = [line(id="T1.U9.other.1.1.1")]


def _charged_without_a_line(evidence: Evidence) -> None:
    evidence.asked.append(Asked("resp_2", WORD, STARTED + 30))
    evidence.charged.append(Charge("resp_2", COST))


def _estimated_for_nothing(evidence: Evidence) -> None:
    evidence.ledger.lines.append(line(2, state="estimated"))


def _two_lines(evidence: Evidence) -> None:
    evidence.ledger.lines.append(line())


def _counted_too_much(evidence: Evidence) -> None:
    evidence.ledger.spent["workspace"] += 1


def _image_not_counted(evidence: Evidence) -> None:
    evidence.ledger.asked[OWNER] -= 1


def _held_for_ever(evidence: Evidence) -> None:
    evidence.ledger.hold_ages[f"{ID}.1.1.2"] = 500.0


def _never_settled(evidence: Evidence) -> None:
    evidence.ledger.holds.append(f"{ID}.1.1.2")


def _lasting_key(evidence: Evidence) -> None:
    evidence.keys.append(Key("imagine:{T1}:sessions:U0P001", "zset", -1))


def _orphaned_job(evidence: Evidence) -> None:
    evidence.keys.append(Key("{imagine}:imagine-generate:generate-x-1-0", "hash", -1))


def _image_in_job(evidence: Evidence) -> None:
    evidence.keys.append(Key("imagine:{T1}:session:U0P001.abc123", "hash", 9, has_image=True))


def _owed(evidence: Evidence) -> None:
    evidence.left = RemainingWork(unfinished=1)


def _parked(evidence: Evidence) -> None:
    evidence.left = RemainingWork(in_turn=1)


def _slot_held(evidence: Evidence) -> None:
    evidence.keys.append(Key("{imagine}:provider:slot:2", "string", 4))


def _ticket_left(evidence: Evidence) -> None:
    evidence.keys.append(Key("imagine:{T1}:pace:chat.postMessage-C1:tickets", "zset", 60))


def _counts_as_waiting(evidence: Evidence) -> None:
    evidence.keys.append(Key(f"imagine:{{T1}}:waiting:{OWNER}", "hash", 600))


def _stuck(evidence: Evidence) -> None:
    evidence.jobs["{imagine}:imagine-publish:active"] = 1


def _prompt_in_log(evidence: Evidence) -> None:
    evidence.logs["web1"] += f"DEBUG got 'a fox {WORD}q1'\n"


def _secret_in_log(evidence: Evidence) -> None:
    evidence.logs["web1"] += "ERROR Bearer sk-secret refused\n"


def _image_in_log(evidence: Evidence) -> None:
    evidence.logs["web1"] += "DEBUG result=iVBORw0KGgoAAAANS\n"


def _escaped(evidence: Evidence) -> None:
    evidence.logs["web1"] += "ERROR asyncio: Task exception was never retrieved\n"


def _broke(evidence: Evidence) -> None:
    evidence.logs["web1"] += "ERROR bot.slack.listening: a listener broke: KeyError\n"


def _approved_by_a_stranger(evidence: Evidence) -> None:
    changed(evidence, approved_by="U0OTHER")


def _approved_by_nobody(evidence: Evidence) -> None:
    evidence.journal.entries = [e for e in evidence.journal.entries if e.what != "Approve"]


def _moved_twice(evidence: Evidence) -> None:
    act(evidence, "Regenerate", session=ID, number=1)
    third = attempt(3, candidates=[candidate(response_id="resp_1")])
    changed(evidence, attempts=(attempt(), attempt(2), third))


def _click_for_nothing(evidence: Evidence) -> None:
    act(evidence, "Regenerate", session=ID, number=1)


def _change_for_nothing(evidence: Evidence) -> None:
    act(evidence, "submit", session=ID, words=f"{WORD}q9", form="refine_form", view="V1")


def _silent_failure(evidence: Evidence) -> None:
    failed = attempt(2, failure="moderation", message_ts="", candidates=[candidate(width=0)])
    reviewing(evidence)
    changed(evidence, attempts=(attempt(), failed))


def _late_ack(evidence: Evidence) -> None:
    act(evidence, "slash", ok=False, ack=3.0, error="operation_timeout")


def _bad_exit(evidence: Evidence) -> None:
    evidence.journal.add("exit", "worker1", code=1, asked="SIGTERM")


def _ended_by_itself(evidence: Evidence) -> None:
    evidence.journal.add("exit", "worker1", code=1, asked="")


def _broken_chain(evidence: Evidence) -> None:
    evidence.record.problems.append("entry 5: missing")


def _draft_without_entry(evidence: Evidence) -> None:
    del evidence.record.lines[2]


def _entry_of_another_message(evidence: Evidence) -> None:
    evidence.record.lines[4] = evidence.record.lines[4]._replace(message="99.0")


def _published_twice_in_the_record(evidence: Evidence) -> None:
    evidence.record.lines.append(evidence.record.lines[4]._replace(number=6))


def _other_bytes(evidence: Evidence) -> None:
    evidence.messages[1].shown_images = lambda: [b"other"]  # type: ignore[method-assign]


def _never_asked(evidence: Evidence) -> None:
    del evidence.record.lines[0]


def _asked_twice(evidence: Evidence) -> None:
    evidence.record.lines.append(evidence.record.lines[0]._replace(number=6))


def _approved_by_another(evidence: Evidence) -> None:
    evidence.record.lines[3] = evidence.record.lines[3]._replace(person="U0OTHER")


def _failed_without_entry(evidence: Evidence) -> None:
    _silent_failure(evidence)
    evidence.record.lines.append(RecordLine(6, "asked", "abc123", 2, OWNER))


def _paid_by_another(evidence: Evidence) -> None:
    evidence.ledger.lines = [line(user="U0OTHER")]
    evidence.ledger.spent["user:U0OTHER"] = evidence.ledger.spent.pop(f"user:{OWNER}")
    evidence.ledger.asked = Counter({"U0OTHER": 1})


SPOILT: list[tuple[Spoil, str]] = [
    (_lost, "accepted_requests_are_kept"),
    (_still_generating, "ends_in_a_lawful_stage"),
    (_gone, "ends_in_a_lawful_stage"),
    (_root_lies, "root_shows_the_stage"),
    (_two_roots, "one_root_per_session"),
    (_two_drafts, "one_draft_per_attempt"),
    (_no_draft, "one_draft_per_attempt"),
    (_draft_of_nothing, "one_draft_per_attempt"),
    (_another_draft_recorded, "one_draft_per_attempt"),
    (_two_finals, "one_final_per_approval"),
    (_no_final, "one_final_per_approval"),
    (_unapproved_final, "one_final_per_approval"),
    (_final_in_thread_alone, "one_final_per_approval"),
    (_dead_buttons, "only_the_newest_draft_is_live"),
    (_no_buttons, "only_the_newest_draft_is_live"),
    (_broken_image, "images_are_visible"),
    (_complaint, "slack_has_no_complaints"),
    (_ping, "nobody_is_pinged"),
    (_crowd, "nobody_is_pinged"),
    (_secret_in_slack, "slack_is_told_nothing_private"),
    (_error_in_slack, "slack_is_told_nothing_private"),
    (_stranger_counted, "strangers_change_nothing"),
    (_paid_twice, "paid_once"),
    (_unpaid, "paid_once"),
    (_asked_anew, "known_responses_are_not_asked_anew"),
    (_broken_chain, "record_stands"),
    (_draft_without_entry, "record_tells_what_slack_shows"),
    (_entry_of_another_message, "record_tells_what_slack_shows"),
    (_published_twice_in_the_record, "record_tells_what_slack_shows"),
    (_other_bytes, "record_names_the_bytes"),
    (_never_asked, "record_tells_what_was_asked_and_approved"),
    (_asked_twice, "record_tells_what_was_asked_and_approved"),
    (_failed_without_entry, "record_tells_what_failed"),
    (_paid_by_another, "a_line_is_of_who_asked"),
    (_approved_by_another, "record_tells_what_was_asked_and_approved"),
    (_measured_wrong, "measured_is_what_was_charged"),
    (_measured_free_call, "measured_is_what_was_charged"),
    (_measured_of_another, "measured_is_what_was_charged"),
    (_charged_without_a_line, "what_was_charged_has_a_line"),
    (_estimated_for_nothing, "an_estimate_is_a_lost_answer"),
    (_two_lines, "a_call_has_one_line"),
    (_counted_too_much, "counters_are_the_lines"),
    (_image_not_counted, "counters_are_the_lines"),
    (_held_for_ever, "no_hold_is_left"),
    (_never_settled, "no_hold_is_left"),
    (_lasting_key, "keys_expire"),
    (_orphaned_job, "keys_expire"),
    (_image_in_job, "images_are_in_their_keys"),
    (_owed, "nothing_is_owed"),
    (_parked, "nothing_is_owed"),
    (_slot_held, "no_slot_is_held"),
    (_ticket_left, "no_ticket_is_left"),
    (_counts_as_waiting, "nobody_waits"),
    (_stuck, "no_job_is_stuck"),
    (_prompt_in_log, "logs_tell_nothing_private"),
    (_secret_in_log, "logs_tell_nothing_private"),
    (_image_in_log, "logs_tell_nothing_private"),
    (_escaped, "nothing_escapes_into_the_log"),
    (_broke, "nothing_escapes_into_the_log"),
    (_approved_by_a_stranger, "strangers_change_nothing"),
    (_approved_by_nobody, "strangers_change_nothing"),
    (_moved_twice, "moves_count_once"),
    (_click_for_nothing, "accepted_clicks_count"),
    (_change_for_nothing, "accepted_requests_are_kept"),
    (_silent_failure, "failures_are_shown"),
    (_late_ack, "acked_in_time"),
    (_bad_exit, "processes_end_as_asked"),
    (_ended_by_itself, "processes_end_as_asked"),
]


@pytest.mark.parametrize(("spoil", "check"), SPOILT, ids=[s.__name__[1:] for s, _ in SPOILT])
def test_a_spoilt_world_is_caught(spoil: Spoil, check: str) -> None:
    evidence = good()

    spoil(evidence)

    assert check in violated(evidence)


def test_every_check_can_fail() -> None:
    from tests.programs.chaos.oracle import CHECKS

    assert {check.__name__ for check in CHECKS} == {check for _, check in SPOILT}


def test_an_image_paid_twice_is_excused_by_a_worker_that_died_before_its_id_was_recorded() -> None:
    evidence = good()
    _paid_twice(evidence)
    evidence.journal.add("fault", "kill", at=STARTED + 30.5, target="worker1")

    verdict = judge(evidence)

    assert verdict.violations == []
    assert [f.cause for f in verdict.excused] == [
        "kill, worker1, +0.5 s from when it was asked for"
    ]


def test_a_lost_answer_that_was_charged_has_its_estimate_and_needs_no_cause() -> None:
    evidence = good()
    _charged_without_a_line(evidence)
    evidence.ledger.lines.append(line(2, state="estimated", micro=COST + 5))
    for name in evidence.ledger.spent:
        evidence.ledger.spent[name] += COST + 5

    verdict = judge(evidence)

    assert verdict.violations == []
    assert verdict.excused == []


def test_a_late_measurement_takes_the_place_of_its_estimate() -> None:
    evidence = good()
    evidence.ledger.lines = [line(state="estimated", micro=COST + 5), line()]

    assert violated(evidence) == set()


def test_an_estimate_of_what_was_not_charged_is_excused_by_a_death() -> None:
    evidence = good()
    evidence.ledger.lines.append(line(2, state="estimated", micro=0))
    evidence.journal.add("fault", "kill", at=STARTED + 1, target="worker1")

    verdict = judge(evidence)

    assert verdict.violations == []
    assert [f.check for f in verdict.excused] == ["an_estimate_is_a_lost_answer"]


@pytest.mark.parametrize(("at", "excused"), [(1.0, True), (-20.0, False)])
def test_a_call_that_never_came_to_the_provider_is_lost_since_the_visit(
    at: float, excused: bool
) -> None:
    """The one that came was made 40 s later."""
    evidence = good()
    evidence.asked = [replace(asked, at=STARTED + 40) for asked in evidence.asked]
    evidence.ledger.lines.append(line(2, state="estimated", micro=0, at=STARTED + 42))
    evidence.journal.add("fault", "silent", at=STARTED + at, target="worker1-openai")

    assert ("an_estimate_is_a_lost_answer" not in violated(evidence)) is excused


def test_no_death_excuses_an_image_that_was_asked_for_long_before() -> None:
    evidence = good()
    _paid_twice(evidence)
    evidence.journal.add("fault", "kill", at=STARTED + 40, target="worker1")

    assert "paid_once" in violated(evidence)


def test_no_fault_excuses_an_image_whose_id_was_recorded() -> None:
    evidence = good()
    _paid_twice(evidence)
    evidence.responses[(ID, 1, 1)].append("resp_2")
    evidence.journal.add("fault", "kill", at=STARTED + 30.5, target="worker1")

    assert "paid_once" in violated(evidence)


def test_a_request_that_its_dead_process_never_acked_is_counted_with_its_cause() -> None:
    evidence = good()
    _late_ack(evidence)
    evidence.journal.add("exit", "web1", at=STARTED, code=-9, asked="SIGKILL")

    verdict = judge(evidence)

    assert verdict.violations == []
    assert [f.cause for f in verdict.excused] == ["the process that had it ended"]


def test_one_process_that_is_away_excuses_nobody_while_another_is_up() -> None:
    evidence = good()
    act(evidence, "slash", ok=False, ack=0.0, error="dispatch_failed")
    evidence.journal.add("exit", "web1", at=STARTED - 1, code=-9, asked="SIGKILL")

    assert "acked_in_time" in violated(evidence)


def test_a_click_that_was_refused_in_private_needs_no_effect() -> None:
    evidence = good()
    _click_for_nothing(evidence)
    told = Message("C1", f"{STARTED + 1}", "U0IMAGINE1", "No.", [], ephemeral_to=OWNER)
    evidence.messages.append(told)

    assert violated(evidence) == set()
