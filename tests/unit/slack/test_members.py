"""What Slack says of a person, and for how long that counts."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.members import Member
from bot.domain.refusals import Reason, Refusal
from bot.slack.members import CACHED_FOR, MemberDirectory


class FakeClient(AsyncWebClient):
    """Answers `users.info`; without an answer, the connection breaks."""

    def __init__(self, answer: dict[str, Any] | None) -> None:
        super().__init__("xoxb-test")
        self.answer = answer
        self.asked: list[str] = []

    async def users_info(self, *, user: str, **_: Any) -> Any:
        self.asked.append(user)
        if self.answer is None:
            raise OSError("broken")
        return self.answer


async def test_an_answer_counts_for_a_while() -> None:
    now = [0.0]
    members, client = MemberDirectory(lambda: now[0]), FakeClient({"user": {"team_id": "T1"}})
    for seconds in (0.0, CACHED_FOR - 1, CACHED_FOR + 1):
        now[0] = seconds
        assert await members.look_up(client, "U1") == Member(
            "T1", "", is_guest=False, is_stranger=False
        )
    assert client.asked == ["U1", "U1"]
    await members.look_up(client, "U2")
    assert client.asked == ["U1", "U1", "U2"]


@pytest.mark.parametrize("answer", [None, {}, {"user": None}, {"user": []}])
async def test_no_answer_lets_nobody_in_and_is_not_kept(answer: dict[str, Any] | None) -> None:
    members, client = MemberDirectory(), FakeClient(answer)
    for _ in "ab":
        with pytest.raises(Refusal) as refusal:
            await members.look_up(client, "U1")
        assert refusal.value.reason is Reason.NOT_CHECKED
    assert client.asked == ["U1", "U1"]


@pytest.mark.parametrize(
    ("told", "member"),
    [
        ({"team_id": "T1"}, Member("T1", "", False, False)),
        ({"team_id": "T1", "is_restricted": True}, Member("T1", "", True, False)),
        ({"team_id": "T1", "is_ultra_restricted": True}, Member("T1", "", True, False)),
        ({"team_id": "T1", "is_stranger": True}, Member("T1", "", False, True)),
        ({"team_id": "T1", "deleted": True}, Member("T1", "", False, True)),
        ({"team_id": "T1", "is_bot": True}, Member("T1", "", False, True)),
        (
            {"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}},
            Member("T2", "E1", False, False),
        ),
        ({"team_id": None, "enterprise_user": None}, Member("", "", False, False)),
    ],
)
async def test_what_slack_says_is_read(told: dict[str, Any], member: Member) -> None:
    assert await MemberDirectory().look_up(FakeClient({"user": told}), "U1") == member


async def test_a_scope_that_is_missing_is_told_from_other_troubles() -> None:
    class Ungranted(FakeClient):
        async def users_info(self, *, user: str, **_: Any) -> Any:
            told = {"ok": False, "error": "missing_scope", "needed": "users:read"}
            raise SlackApiError("no", told)  # type: ignore[no-untyped-call]

    with pytest.raises(Refusal) as refusal:
        await MemberDirectory().look_up(Ungranted(None), "U1")
    assert refusal.value.reason is Reason.CHECK_NOT_GRANTED
