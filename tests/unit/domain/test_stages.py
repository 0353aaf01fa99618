"""The tables of stages and publications: what they hold, and that nothing else moves a session."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from bot.domain import publication, transitions
from bot.domain.attempt import ImageRef
from bot.domain.refusals import Reason, Refusal
from bot.domain.stages import (
    DISCARDS,
    ENDED_BY_DISCARD,
    PUBLICATIONS,
    TRANSITIONS,
    Discard,
    DiscardEvent,
    Event,
    Fork,
    Publication,
    PublicationEvent,
    Stage,
    discard_diagram,
    publication_diagram,
    stage_diagram,
)
from tests.fakes import OWNER, a_session, generating

LAWFUL = {(stage, event) for stage, events in TRANSITIONS.items() for event in events}
ALL = list(itertools.product(Stage, Event))


def next_stage(stage: Stage, event: Event, *, has_image: bool) -> Stage:
    session = replace(generating(2 if has_image else 1), stage=stage)
    return transitions.move(session, event, 0.0).stage


def next_publication(state: Publication, event: PublicationEvent) -> Publication:
    return transitions.move_publication(a_session(publication=state), event).publication


@pytest.mark.parametrize(
    ("stage", "event", "target"),
    [
        (Stage.INITIAL_INPUT, Event.SUBMIT, Stage.GENERATING),
        (Stage.GENERATING, Event.GENERATED, Stage.USER_FEEDBACK),
        (Stage.USER_FEEDBACK, Event.APPROVE, Stage.FINAL),
        (Stage.USER_FEEDBACK, Event.REGENERATE, Stage.GENERATING),
        (Stage.USER_FEEDBACK, Event.REFINE, Stage.GENERATING),
        (Stage.USER_FEEDBACK, Event.EDIT, Stage.GENERATING),
    ],
)
@pytest.mark.parametrize("has_image", [True, False])
def test_each_event_leads_where_the_contract_says(
    stage: Stage, event: Event, target: Stage, has_image: bool
) -> None:
    assert next_stage(stage, event, has_image=has_image) is target


@pytest.mark.parametrize("event", [Event.FAILED, Event.CANCEL])
def test_a_failure_and_a_cancel_go_back_to_the_image_where_there_is_one(event: Event) -> None:
    assert next_stage(Stage.GENERATING, event, has_image=True) is Stage.USER_FEEDBACK
    assert next_stage(Stage.GENERATING, event, has_image=False) is Stage.INITIAL_INPUT


def test_the_table_holds_every_stage_and_every_event() -> None:
    assert set(TRANSITIONS) == set(Stage)
    assert {event for _, event in LAWFUL} == set(Event)
    assert len(LAWFUL) == 8


@pytest.mark.parametrize("has_image", [True, False])
def test_every_other_pair_is_refused(has_image: bool) -> None:
    for stage, event in set(ALL) - set(LAWFUL):
        with pytest.raises(Refusal):
            next_stage(stage, event, has_image=has_image)


def test_every_stage_can_be_reached_and_left() -> None:
    targets = set()
    for events in TRANSITIONS.values():
        for target in events.values():
            targets |= set(target) if isinstance(target, Fork) else {target}
    assert targets == set(Stage)
    assert [stage for stage, events in TRANSITIONS.items() if not events] == [Stage.FINAL]


def test_the_diagram_contains_every_transition_and_no_other() -> None:
    lines = {line.strip() for line in stage_diagram().splitlines()}
    arrows = {line for line in lines if "-->" in line} - {"[*] --> initial_input"}
    assert arrows == {
        "initial_input --> generating: submit",
        "generating --> user_feedback: generated",
        "generating --> user_feedback: failed (an image to look at)",
        "generating --> initial_input: failed (none yet)",
        "generating --> user_feedback: cancel (an image to look at)",
        "generating --> initial_input: cancel (none yet)",
        "user_feedback --> final: approve",
        "user_feedback --> generating: regenerate",
        "user_feedback --> generating: refine",
        "user_feedback --> generating: edit",
    }
    assert stage_diagram().startswith("stateDiagram-v2\n")


# publication

LAWFUL_PUBLICATIONS = {(state, event) for state, events in PUBLICATIONS.items() for event in events}
OTHER_PUBLICATIONS = [
    p for p in itertools.product(Publication, PublicationEvent) if p not in LAWFUL_PUBLICATIONS
]


@pytest.mark.parametrize(
    ("events", "last"),
    [
        ("approve post show", Publication.SHOWN),
        ("approve refuse publish_again post", Publication.PUBLISHED),
        ("approve refuse post", Publication.PUBLISHED),
    ],
)
def test_each_way_of_a_publication_leads_where_the_contract_says(
    events: str, last: Publication
) -> None:
    state = Publication.NOT_APPROVED
    for event in events.split():
        state = next_publication(state, PublicationEvent(event))
    assert state is last


@pytest.mark.parametrize(("state", "event"), OTHER_PUBLICATIONS)
def test_every_other_pair_of_a_publication_is_refused(
    state: Publication, event: PublicationEvent
) -> None:
    with pytest.raises(Refusal):
        transitions.move_publication(a_session(publication=state), event)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(Publication, PublicationEvent)))
def test_a_record_that_comes_late_changes_nothing(
    state: Publication, event: PublicationEvent
) -> None:
    session = a_session(publication=state)
    recorded = publication.record_publication(session, event)
    if (state, event) in LAWFUL_PUBLICATIONS:
        assert recorded == transitions.move_publication(session, event)
    else:
        assert recorded is session


@pytest.mark.parametrize("state", list(Publication)[1:])
def test_a_draft_of_a_session_that_is_published_is_not_approved(state: Publication) -> None:
    session = a_session(publication=state)
    for approve in (transitions.approve, transitions.use_earlier):
        with pytest.raises(Refusal):
            approve(session, ImageRef(1), OWNER, 0.0)


def test_the_table_of_publications_holds_every_state_and_every_event() -> None:
    assert set(PUBLICATIONS) == set(Publication)
    assert {event for _, event in LAWFUL_PUBLICATIONS} == set(PublicationEvent)
    targets = {target for events in PUBLICATIONS.values() for target in events.values()}
    assert targets == set(Publication) - {Publication.NOT_APPROVED}


def test_the_publication_diagram_contains_every_transition_and_no_other() -> None:
    arrows = {line.strip() for line in publication_diagram().splitlines() if "-->" in line}
    pairs = {f"{s} --> {t}: {e}" for s, events in PUBLICATIONS.items() for e, t in events.items()}
    assert arrows == pairs | {"[*] --> not_approved"}


# discarding

LAWFUL_DISCARDS = {(state, event) for state, events in DISCARDS.items() for event in events}
OTHER_DISCARDS = [
    pair for pair in itertools.product(Discard, DiscardEvent) if pair not in LAWFUL_DISCARDS
]


def next_discard(state: Discard, event: DiscardEvent) -> Discard:
    return transitions.move_discard(a_session(discard=state), event).discard


@pytest.mark.parametrize(
    ("state", "event", "target"),
    [
        (Discard.KEPT, DiscardEvent.DISCARD, Discard.DISCARDED),
        (Discard.DISCARDED, DiscardEvent.SHOW, Discard.DISCARD_SHOWN),
        (Discard.DISCARDED, DiscardEvent.UNDO, Discard.RESTORED),
        (Discard.DISCARD_SHOWN, DiscardEvent.UNDO, Discard.RESTORED),
        (Discard.RESTORED, DiscardEvent.SHOW, Discard.KEPT),
        (Discard.RESTORED, DiscardEvent.DISCARD, Discard.DISCARDED),
    ],
)
def test_discarding_moves_where_the_table_says(
    state: Discard, event: DiscardEvent, target: Discard
) -> None:
    assert next_discard(state, event) is target


@pytest.mark.parametrize(("state", "event"), OTHER_DISCARDS)
def test_every_other_pair_of_discarding_is_refused(state: Discard, event: DiscardEvent) -> None:
    assert len(LAWFUL_DISCARDS) == 6
    with pytest.raises(Refusal):
        next_discard(state, event)


@pytest.mark.parametrize("state", sorted(ENDED_BY_DISCARD))
def test_a_discarded_session_takes_no_event(state: Discard) -> None:
    for stage, event in ALL:
        session = replace(a_session(attempts=2), stage=stage, discard=state)
        with pytest.raises(Refusal) as refused:
            transitions.move(session, event, 0.0)
        assert refused.value.reason is Reason.DISCARDED, (stage, event)


@pytest.mark.parametrize("state", sorted(set(Discard) - ENDED_BY_DISCARD))
def test_any_other_session_takes_those_of_its_stage(state: Discard) -> None:
    session = a_session(discard=state)
    assert transitions.move(session, Event.REGENERATE, 0.0).stage is Stage.GENERATING


def test_the_discard_diagram_contains_every_transition_and_no_other() -> None:
    arrows = {line.strip() for line in discard_diagram().splitlines() if "-->" in line}
    pairs = {f"{s} --> {t}: {e}" for s, events in DISCARDS.items() for e, t in events.items()}
    assert arrows == pairs | {"[*] --> kept"}
