"""The table of publication: what it holds, and that nothing else moves it."""

from __future__ import annotations

import itertools

import pytest

from bot.domain.publication import (
    TRANSITIONS,
    Publication,
    PublicationEvent,
    diagram,
    next_publication,
)
from bot.domain.stages import IllegalEvent

LAWFUL = {(state, event) for state, events in TRANSITIONS.items() for event in events}
OTHERS = [p for p in itertools.product(Publication, PublicationEvent) if p not in LAWFUL]


@pytest.mark.parametrize(
    ("events", "last"),
    [
        ("approve post show", Publication.SHOWN),
        ("approve post show start_over retire", Publication.RETIRED),
        ("approve post start_over", Publication.RETIRING_UNSHOWN),
        ("approve start_over post", Publication.RETIRING_UNSHOWN),
        ("approve start_over refuse retire", Publication.RETIRED),
        ("approve refuse publish_again post", Publication.PUBLISHED),
        ("approve refuse start_over", Publication.RETIRING_REFUSED),
        ("approve refuse post", Publication.PUBLISHED),
    ],
)
def test_each_way_leads_where_the_contract_says(events: str, last: Publication) -> None:
    state = Publication.NOT_APPROVED
    for event in events.split():
        state = next_publication(state, PublicationEvent(event))
    assert state is last


@pytest.mark.parametrize(("state", "event"), OTHERS)
def test_every_other_pair_is_refused(state: Publication, event: PublicationEvent) -> None:
    with pytest.raises(IllegalEvent):
        next_publication(state, event)


def test_the_table_holds_every_state_and_every_event() -> None:
    assert set(TRANSITIONS) == set(Publication)
    assert {event for _, event in LAWFUL} == set(PublicationEvent)
    targets = {target for events in TRANSITIONS.values() for target in events.values()}
    assert targets == set(Publication) - {Publication.NOT_APPROVED}


def test_what_was_started_over_is_retired_at_last() -> None:
    for state in Publication:
        over = TRANSITIONS[state].get(PublicationEvent.START_OVER)
        assert over is None or over.is_retiring
        assert state.is_retiring == (PublicationEvent.RETIRE in TRANSITIONS[state])
    assert TRANSITIONS[Publication.RETIRED] == {}


def test_the_diagram_contains_every_transition_and_no_other() -> None:
    arrows = {line.strip() for line in diagram().splitlines() if "-->" in line}
    pairs = {f"{s} --> {t}: {e}" for s, events in TRANSITIONS.items() for e, t in events.items()}
    assert arrows == pairs | {"[*] --> not_approved"}
