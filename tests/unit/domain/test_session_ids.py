from __future__ import annotations

import pytest

from bot.domain.session_ids import SessionId


def test_an_id_tells_its_workspace_its_owner_and_its_token() -> None:
    parts = SessionId.parse("T1.E2-U1.abc")
    assert parts == ("T1", "E2-U1", "abc")
    assert (parts.owner, parts.is_complete) == ("T1.E2-U1", True)


@pytest.mark.parametrize("text", ["", "T1", "T1.U1", "T1..abc", ".U1.abc", "T1.U1."])
def test_an_id_of_another_form_is_incomplete(text: str) -> None:
    assert not SessionId.parse(text).is_complete


def test_no_id_has_no_owner() -> None:
    assert SessionId.parse("").owner == ""
