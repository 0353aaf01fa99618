"""The three state machines of a session: its stages, the publication of its approved image, and
whether it was discarded.

`TRANSITIONS`, `PUBLICATIONS` and `DISCARDS` are the whole tables: state → event → next state. Every
pair that is not in them is refused. One rule joins them: a session that is in `ENDED_BY_DISCARD`
takes no event of its stage. `bot.domain.transitions` makes every move. The diagrams in the README
are made from the tables by `python -m bot.domain.stages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class Stage(StrEnum):
    """The stages of a session."""

    INITIAL_INPUT = "initial_input"
    GENERATING = "generating"
    USER_FEEDBACK = "user_feedback"
    FINAL = "final"


class Event(StrEnum):
    """The events that move a session from one stage to another."""

    SUBMIT = "submit"
    GENERATED = "generated"
    FAILED = "failed"
    APPROVE = "approve"
    CANCEL = "cancel"
    REGENERATE = "regenerate"
    REFINE = "refine"
    EDIT = "edit"


class Fork(NamedTuple):
    """A target that depends on whether the session has an image to look at."""

    with_image: Stage
    without: Stage


TRANSITIONS: dict[Stage, dict[Event, Stage | Fork]] = {
    Stage.INITIAL_INPUT: {
        Event.SUBMIT: Stage.GENERATING,
    },
    Stage.GENERATING: {
        Event.GENERATED: Stage.USER_FEEDBACK,
        Event.FAILED: Fork(with_image=Stage.USER_FEEDBACK, without=Stage.INITIAL_INPUT),
        Event.CANCEL: Fork(with_image=Stage.USER_FEEDBACK, without=Stage.INITIAL_INPUT),
    },
    Stage.USER_FEEDBACK: {
        Event.APPROVE: Stage.FINAL,
        Event.REGENERATE: Stage.GENERATING,
        Event.REFINE: Stage.GENERATING,
        Event.EDIT: Stage.GENERATING,
    },
    Stage.FINAL: {},
}


class Publication(StrEnum):
    """The states of an approved image on its way to the channel.

    `published`: it is posted in the channel. `shown`: the drafts and the status say so. `refused`:
    Slack does not take it, and its owner was told.
    """

    NOT_APPROVED = "not_approved"
    TO_PUBLISH = "to_publish"
    PUBLISHED = "published"
    SHOWN = "shown"
    REFUSED = "refused"


class PublicationEvent(StrEnum):
    """The events that move a publication from one state to another."""

    APPROVE = "approve"
    POST = "post"
    REFUSE = "refuse"
    SHOW = "show"
    PUBLISH_AGAIN = "publish_again"


PUBLICATIONS: dict[Publication, dict[PublicationEvent, Publication]] = {
    Publication.NOT_APPROVED: {
        PublicationEvent.APPROVE: Publication.TO_PUBLISH,
    },
    Publication.TO_PUBLISH: {
        PublicationEvent.POST: Publication.PUBLISHED,
        PublicationEvent.REFUSE: Publication.REFUSED,
    },
    Publication.PUBLISHED: {
        PublicationEvent.SHOW: Publication.SHOWN,
    },
    Publication.SHOWN: {},
    Publication.REFUSED: {
        PublicationEvent.POST: Publication.PUBLISHED,  # by a run that overlapped
        PublicationEvent.PUBLISH_AGAIN: Publication.TO_PUBLISH,
    },
}

PUBLICATION_DUE = frozenset({Publication.TO_PUBLISH, Publication.PUBLISHED})
"""The channel, the drafts or the status do not show the approval yet."""


class Discard(StrEnum):
    """Whether a session was discarded, and whether its messages show that.

    `discarded`: they do not show it yet. `restored`: it was undone, and they do not show that yet.
    """

    KEPT = "kept"
    DISCARDED = "discarded"
    DISCARD_SHOWN = "discard_shown"
    RESTORED = "restored"


class DiscardEvent(StrEnum):
    """The events that move a session from one of these states to another."""

    DISCARD = "discard"
    SHOW = "show"
    UNDO = "undo"


DISCARDS: dict[Discard, dict[DiscardEvent, Discard]] = {
    Discard.KEPT: {
        DiscardEvent.DISCARD: Discard.DISCARDED,
    },
    Discard.DISCARDED: {
        DiscardEvent.SHOW: Discard.DISCARD_SHOWN,
        DiscardEvent.UNDO: Discard.RESTORED,
    },
    Discard.DISCARD_SHOWN: {
        DiscardEvent.UNDO: Discard.RESTORED,
    },
    Discard.RESTORED: {
        DiscardEvent.SHOW: Discard.KEPT,
        DiscardEvent.DISCARD: Discard.DISCARDED,
    },
}

DISCARD_DUE = frozenset({Discard.DISCARDED, Discard.RESTORED})
"""The messages do not show it yet."""
ENDED_BY_DISCARD = frozenset({Discard.DISCARDED, Discard.DISCARD_SHOWN})
"""The session takes no event of its stage until it is restored."""
DISCARDABLE = frozenset({Stage.INITIAL_INPUT, Stage.GENERATING, Stage.USER_FEEDBACK})
"""The stages that Discard ends; an attempt that is being made is cancelled first."""


def stage_diagram() -> str:
    """The table of stages as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Stage.INITIAL_INPUT}"]
    for stage, events in TRANSITIONS.items():
        for event, target in events.items():
            if isinstance(target, Fork):
                lines.append(f"    {stage} --> {target.with_image}: {event} (an image to look at)")
                lines.append(f"    {stage} --> {target.without}: {event} (none yet)")
            else:
                lines.append(f"    {stage} --> {target}: {event}")
    note = f"    note right of {Stage.FINAL}: Start over begins another session"
    return "\n".join([*lines, note])


def publication_diagram() -> str:
    """The table of publications as a Mermaid state diagram."""
    return _diagram(Publication.NOT_APPROVED, PUBLICATIONS)


def discard_diagram() -> str:
    """The table of discarding as a Mermaid state diagram."""
    return _diagram(Discard.KEPT, DISCARDS)


def _diagram(first: str, table: Mapping[Any, Mapping[Any, Any]]) -> str:
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for state, events in table.items():
        lines += [f"    {state} --> {target}: {event}" for event, target in events.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    diagrams = stage_diagram(), publication_diagram(), discard_diagram()
    print(*diagrams, sep="\n\n")  # noqa: T201 - the command's output
