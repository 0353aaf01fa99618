"""Who may direct a session."""

from __future__ import annotations

import pytest

from bot.domain.policy import Policy


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("owner", {"U1"}),
        ("", {"U1"}),
        ("U2", {"U1", "U2"}),
        (" U2 , U3,", {"U1", "U2", "U3"}),
        ("owner,U3", {"U1", "U3"}),
        ("anyone", {"U1", "U2", "U3", ""}),
    ],
)
def test_the_owner_always_may_and_others_as_the_setting_says(text: str, allowed: set[str]) -> None:
    policy = Policy.parse(text)
    assert {user for user in ("U1", "U2", "U3", "") if policy.allows(user, "U1")} == allowed


def test_by_default_only_the_owner_may() -> None:
    assert Policy().allows("U1", owner="U1")
    assert not Policy().allows("U2", owner="U1")


def test_the_words_of_the_setting_are_no_users() -> None:
    assert not Policy.parse("owner").allows("owner", owner="U1")
