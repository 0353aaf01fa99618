"""What a change of a session means for the record."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.domain import begin, generation, publication, transitions
from bot.domain.attempt import ImageRef
from bot.domain.costs import CallState, PaidCall, Reservation
from bot.domain.discard import discard
from bot.domain.failures import FailureKind
from bot.domain.images import GeneratedImage
from bot.domain.options import Options
from bot.domain.record import (
    RecordEvent,
    RecordKind,
    commit,
    commitment_of,
    deleted,
    entry_body,
    entry_facts,
    entry_time,
    events_between,
    refused,
    settings_changed,
)
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from tests.fakes import (
    CHANNEL,
    ID,
    IMAGE,
    OWNER,
    PROMPT,
    STRANGER,
    a_session,
    an_attempt,
    generating,
    with_latest,
)

NEW = a_session(Stage.INITIAL_INPUT)
FIRST = ImageRef(1)
HASH = "e6e8bb72f3e1cce0ac92c3ae26d1bbd66d0b0dbd5a0d1a1f5ab63f8b8b8b6d3d"


def kinds(before: Session | None, after: Session) -> list[str]:
    return [event.kind.value for event in events_between(before, after)]


def only(before: Session | None, after: Session) -> RecordEvent:
    (event,) = events_between(before, after)
    assert event.session_id == after.id
    return event


def test_a_session_from_its_prompt_to_its_end_tells_each_thing_once() -> None:
    seen, sessions = [], [NEW]

    def step(after: Session) -> Session:
        seen.extend(kinds(sessions[-1], after))
        sessions.append(after)
        return after

    session = step(begin.submit(NEW, PROMPT, 1.0, Options(count=2)))
    session = step(generation.announced(session, 1, "1.0"))
    for number in (1, 2):
        image = ImageRef(1, number)
        session = step(generation.started(session, image, f"r{number}", 2.0))
        session = step(generation.paid_call_counted(session, image, f"r{number}", 0))
        session = step(generation.image_made(session, image, IMAGE, 3.0))
        session = step(generation.record_candidate(session, image, file_id=f"F{number}"))
    session = step(generation.draft_posted(session, 1, "1.5", 4.0))
    session = step(transitions.approve(session, ImageRef(1, 2), STRANGER, 5.0))
    session = step(publication.final_posted(session, "9.0"))
    session = step(publication.final_shown(session))
    assert seen == ["asked", "generated", "generated", "shown", "approved", "published"]


def test_starting_over_is_told_of_the_approved_session_once_it_begins() -> None:
    over = replace(NEW, id="T1.U9.next", user="U9", restart_of=ID)
    assert kinds(None, over) == []  # its form is open
    begun = begin.submit(over, PROMPT, 1.0)
    event, asked = events_between(over, begun)
    assert (event.kind, event.session_id, event.person) == (RecordKind.STARTED_OVER, ID, "U9")
    assert event.facts == {"successor": "next"}
    assert (asked.kind, asked.session_id) == (RecordKind.ASKED, over.id)
    failed = generation.attempt_failed(begun, 1, FailureKind.QUOTA, "w", "7.0", 1.5)
    assert kinds(failed, begin.edit(failed, 1, "a cat", Options(), 2.0)) == ["asked"]


def test_the_same_session_means_nothing() -> None:
    for session in (NEW, generating(), a_session(), a_session(Stage.FINAL, final_ts="9.0")):
        assert kinds(session, replace(session, updated_at=999.0, version=7)) == []


def test_asked_tells_who_what_and_with_which_options() -> None:
    begun = begin.submit(NEW, PROMPT, 1.0, Options(size="1024x1024", count=3))
    event = only(NEW, begin.asked_by(NEW, begun, STRANGER))
    assert event.person == STRANGER
    assert event.words == {"prompt": PROMPT}
    assert event.facts == {
        "attempt": 1, "candidates": 3, "channel": CHANNEL, "base": "", "size": "1024x1024",
    }  # fmt: skip
    assert only(None, begun).person == OWNER  # of an older version, which told of nobody


def test_who_asks_for_a_later_attempt_is_that_attempts() -> None:
    session = a_session()
    begun = begin.refine(session, FIRST, "friendlier", 2.0)
    event = only(session, begin.asked_by(session, begun, STRANGER))
    assert (event.person, event.facts["attempt"], event.facts["base"]) == (STRANGER, 2, "1")
    assert event.words["change"] == "friendlier"
    assert begin.asked_by(session, session, STRANGER) is session


def test_generated_tells_the_model_and_the_hash_of_the_bytes() -> None:
    session = generation.started(generating(), FIRST, "r", 1.0)
    event = only(session, generation.image_made(session, FIRST, IMAGE, 3.0))
    assert event.facts == {
        "attempt": 1, "candidate": 1, "sha256": IMAGE.sha256, "model": IMAGE.model,
        "type": "image/png", "width": 1024, "height": 768,
    }  # fmt: skip
    assert event.person == ""


def test_an_image_that_is_made_again_is_told_again_and_one_recorded_twice_once() -> None:
    session = generation.started(generating(), FIRST, "r", 1.0)
    made = generation.image_made(session, FIRST, IMAGE, 3.0)
    assert kinds(made, generation.image_made(made, FIRST, IMAGE, 3.0)) == []
    other = GeneratedImage(b"other", "image/png", 1, 1)
    assert kinds(made, generation.image_made(made, FIRST, other, 3.0)) == ["generated"]
    expired = generation.image_expired(made, FIRST)
    assert kinds(made, expired) == []
    assert kinds(expired, generation.image_made(expired, FIRST, IMAGE, 3.0)) == ["generated"]


def test_approved_and_published_tell_by_whom_where_and_which_bytes() -> None:
    session = a_session()
    attempt = session.latest
    made = attempt.with_candidate(replace(attempt.candidate(1), sha256=HASH))
    session = replace(session, attempts=(made,))
    approved = transitions.approve(session, FIRST, STRANGER, 2.0)
    event = only(session, approved)
    image = {"attempt": 1, "candidate": 1, "sha256": HASH}
    assert (event.kind, event.person, event.facts) == ("approved", STRANGER, image)
    event = only(approved, publication.final_posted(approved, "9.0"))
    assert event.facts == {**image, "channel": CHANNEL, "message": "9.0"}


def test_what_slack_refuses_is_told_each_time() -> None:
    approved = a_session(Stage.FINAL)
    not_published = publication.not_published(approved, "w")
    assert kinds(approved, not_published) == ["not_published"]
    again = publication.publish_again(not_published, 1, 3.0, "k")
    assert kinds(not_published, again) == []
    assert kinds(again, publication.not_published(again, "w")) == ["not_published"]


@pytest.mark.parametrize("kind", [FailureKind.MODERATION, FailureKind.QUOTA])
def test_a_failure_tells_its_kind(kind: FailureKind) -> None:
    session = generating()
    failed = generation.attempt_failed(session, 1, kind, "w", "7.0", 1.5)
    assert only(session, failed).facts == {"attempt": 1, "reason": kind.value}


def test_a_cancellation_is_told_and_what_was_made_meanwhile_too() -> None:
    session = generating()
    cancelled = transitions.cancel(session, 1, "w", 2.0)
    assert only(session, cancelled).facts["reason"] == "cancelled"
    assert only(session, cancelled).person == ""
    assert kinds(cancelled, generation.image_made(cancelled, FIRST, IMAGE, 3.0)) == ["generated"]


def test_what_a_person_ends_is_told_with_who_did_it() -> None:
    """Not the owner, who asked for it."""
    session = generating()
    cancelled = transitions.cancel(session, 1, "w", 2.0, "k", STRANGER)
    assert only(session, cancelled).person == STRANGER
    told = [
        (e.kind, e.person) for e in events_between(session, discard(session, 1, STRANGER, "w", 2.0))
    ]
    assert told == [(RecordKind.FAILED, STRANGER), (RecordKind.DISCARDED, STRANGER)]
    failed = generation.attempt_failed(session, 1, FailureKind.QUOTA, "w", "7.0", 1.5)
    assert only(session, failed).person == ""


def test_no_entry_holds_a_name_or_a_word_of_a_person() -> None:
    session = generating()
    failed = generation.attempt_failed(session, 1, FailureKind.QUOTA, "secret words", "7.0", 1.5)
    drafts = a_session(attempts=2)
    events = [
        *events_between(None, session),
        *events_between(session, failed),
        *events_between(None, replace(drafts, attempts=(an_attempt(1, posted=True),))),
        refused(session, session.latest, Refusal(Reason.TOO_MANY_WAITING)),
        deleted(ID, OWNER),
        settings_changed(STRANGER, "user_images_per_day", 1, 2, about=OWNER),
    ]
    for event in events:
        words = {name: commit(text) for name, text in event.words.items()}
        body = entry_body(event, 1.0, words)
        for private in (PROMPT, "secret", f'"{OWNER}"', f".{OWNER}.", ID):
            assert private not in body


def test_an_entry_is_read_as_it_was_written() -> None:
    event = settings_changed(OWNER, "user_images_per_day", 100, 0)
    body = entry_body(event, 12.3456, {"reason": commit("a reason")})
    facts = entry_facts(body)
    assert (facts["before"], facts["after"], entry_time(body)) == (100, 0, 12.346)
    assert len(facts["words"]["reason"]) == 64


@pytest.mark.parametrize("broken", ["", "{", "[]", "1", '{"at":"x"}', json.dumps({"at": None})])
def test_a_broken_entry_has_no_time(broken: str) -> None:
    assert entry_time(broken) == 0.0


def test_a_commitment_is_of_its_salt_and_its_text() -> None:
    salt, text, commitment = commit("a fox \ud83e")  # as a cut surrogate pair comes from Slack
    assert commitment == commitment_of(salt, text)
    assert commit("a fox").commitment != commit("a fox").commitment


@pytest.mark.parametrize(
    ("state", "priced", "cost"),
    [
        (CallState.MEASURED, True, {"micro_dollars": 700, "measured": True}),
        (CallState.ESTIMATED, True, {"micro_dollars": 900, "measured": False}),
        (CallState.MEASURED, False, {}),
    ],
)
def test_what_an_image_cost_is_told_where_its_price_is_known(
    state: CallState, priced: bool, cost: dict[str, object]
) -> None:
    session = generating()
    call = PaidCall(1, "run", state, 700, priced)
    held = Reservation(OWNER, "2026-11-28", "2026-11", 900, priced=True)
    paid = replace(session.latest.candidate(1), calls=(call,))
    before = with_latest(session, reserved=held, candidates=(paid,))
    facts = only(before, generation.image_made(before, FIRST, IMAGE, 3.0)).facts
    assert {name: facts[name] for name in ("micro_dollars", "measured") if name in facts} == cost
