"""The stages of a session and the events between them.

`TRANSITIONS` is the whole table: stage → event → next stage. Every pair that is not in it is
refused. `bot.domain.transitions` holds the guards and makes every move. The diagram in the README
is made from the table by `python -m bot.domain.stages`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Stage(StrEnum):
    """Where a session stands."""

    INITIAL_INPUT = "initial_input"
    GENERATING = "generating"
    USER_FEEDBACK = "user_feedback"
    FINAL = "final"


class Event(StrEnum):
    """What moves a session from one stage to another."""

    SUBMIT = "submit"
    GENERATED = "generated"
    FAILED = "failed"
    APPROVE = "approve"
    CANCEL = "cancel"
    REGENERATE = "regenerate"
    REFINE = "refine"
    EDIT = "edit"
    START_OVER = "start_over"


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
    Stage.FINAL: {
        Event.START_OVER: Stage.INITIAL_INPUT,
    },
}


class IllegalEvent(Exception):
    """The table has no such event in this stage."""


def next_stage(stage: Stage, event: Event, *, has_image: bool) -> Stage:
    """Look the pair up. Raises `IllegalEvent` where the table does not hold it."""
    target = TRANSITIONS[stage].get(event)
    if target is None:
        raise IllegalEvent(f"{event} in {stage}")
    if isinstance(target, Fork):
        return target.with_image if has_image else target.without
    return target


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Stage.INITIAL_INPUT}"]
    for stage, events in TRANSITIONS.items():
        for event, target in events.items():
            if isinstance(target, Fork):
                lines.append(f"    {stage} --> {target.with_image}: {event} (an image to look at)")
                lines.append(f"    {stage} --> {target.without}: {event} (none yet)")
            else:
                lines.append(f"    {stage} --> {target}: {event}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(diagram())  # noqa: T201 - the command's output
