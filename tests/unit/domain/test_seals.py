"""Keys are told apart by ids that do not tell them."""

from __future__ import annotations

from bot.domain.seals import key_id

KEY, OLD, OTHER = "k" * 32, "o" * 32, "another key, of somebody who rewrote"


def test_an_id_tells_keys_apart_and_tells_no_key() -> None:
    ids = {key_id(key) for key in (KEY, OLD, OTHER, KEY + "k")}
    assert len(ids) == 4
    assert not any(id_ in key or key in id_ for id_ in ids for key in (KEY, OLD, OTHER))
    assert key_id("") == ""
