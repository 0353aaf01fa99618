"""What of a session is written, and what is left to its defaults."""

from __future__ import annotations

from dataclasses import replace

from bot.adapters.redis.session_fields import from_fields, to_fields
from bot.domain.session import Session

NEW = Session("T1.U1.one", "T1", "U1", "C1")


def test_a_new_session_leaves_out_what_is_at_its_default_but_for_the_contract() -> None:
    assert to_fields(NEW) == {
        "id": "T1.U1.one",
        "team": "T1",
        "user": "U1",
        "channel": "C1",
        "stage": "initial_input",
        "task_input": "",
        "error_message": "",
        "input_used_by_process": "",
        "final_result": "0",
        "schema": "1",
    }


def test_what_returns_to_its_default_is_written() -> None:
    shown = replace(NEW, root_ts="1.0", final_candidate=2)
    assert to_fields(NEW, shown) == {"root_ts": "", "final_candidate": "1"}
    assert from_fields(to_fields(shown) | to_fields(NEW, shown)) == NEW
