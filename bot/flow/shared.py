"""PocketFlow's `shared` dict of one run."""

from __future__ import annotations

from typing import Any

from bot.domain.session import Session

Shared = dict[str, Any]


def shared_store(session: Session, *, repeated: bool) -> Shared:
    """The contract's keys, and which attempt this run is for.

    `repeated`: an earlier run of the same attempt may have got somewhere without recording it.
    """
    return {
        "session_id": session.id,
        "attempt": session.latest.number,
        "repeated": repeated,
        "task_input": session.task_input,
        "stage": session.stage.value,
        "error_message": session.error_message,
        "input_used_by_process": session.input_used_by_process,
        "generated_image": "",
        "final_result": session.final_result,
        "failure": None,
        "message_ts": "",
    }
