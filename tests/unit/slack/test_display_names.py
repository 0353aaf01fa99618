"""What Slack says of names, and for how long that counts."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.concurrency import BackgroundTasks
from bot.slack import display_names
from bot.slack.display_names import CACHED_FOR, UNKNOWN_FOR, DisplayNames
from bot.slack.identity import Identity
from bot.slack.notation import References

BOB = References(users=("U7",))


class FakeClient(AsyncWebClient):
    """Answers with what it has; where it has nothing, the connection breaks."""

    def __init__(self, **answers: Any) -> None:
        super().__init__("xoxb-test")
        self.answers = answers
        self.asked: list[str] = []

    async def _answer(self, method: str) -> Any:
        self.asked.append(method)
        if method not in self.answers:
            raise OSError("broken")
        return self.answers[method]

    async def users_info(self, *, user: str, **_: Any) -> Any:
        return await self._answer("users")

    async def conversations_info(self, *, channel: str, **_: Any) -> Any:
        return await self._answer("channels")

    async def usergroups_list(self, **_: Any) -> Any:
        return await self._answer("groups")


def names(now: list[float]) -> DisplayNames:
    return DisplayNames(Identity("T1", "B1", "UBOT"), BackgroundTasks(), lambda: now[0])


async def test_a_name_counts_for_a_while() -> None:
    now = [0.0]
    directory, client = names(now), FakeClient(users={"user": {"name": "bob"}})
    for seconds in (0.0, CACHED_FOR - 1, CACHED_FOR + 1):
        now[0] = seconds
        assert (await directory.look_up(client, BOB)).users == {"U7": "bob"}
    assert client.asked == ["users", "users"]


async def test_no_name_is_asked_for_again_sooner() -> None:
    now = [0.0]
    directory, client = names(now), FakeClient()
    for seconds in (0.0, UNKNOWN_FOR - 1, UNKNOWN_FOR + 1):
        now[0] = seconds
        assert not (await directory.look_up(client, BOB)).known
    assert client.asked == ["users", "users"]


async def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display_names, "MOST_CACHED", 3)
    directory, client = names([0.0]), FakeClient(users={"user": {"name": "bob"}})
    for number in range(10):
        await directory.look_up(client, References(users=(f"U{number}",)))
    assert len(directory._cached) == 3
    await directory.look_up(client, References(users=("U9", "U8", "U7")))
    assert len(client.asked) == 10


@pytest.mark.parametrize(
    "answer",
    [{}, {"user": None}, {"user": []}, {"user": {}}, {"user": {"profile": 3, "name": ["a"]}}],
)
async def test_an_odd_answer_has_no_name(answer: dict[str, Any]) -> None:
    assert not (await names([0.0]).look_up(FakeClient(users=answer), BOB)).known


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\u202e\u2066", "\U000e0041\U000e0042"])
async def test_where_there_is_nothing_to_see_of_a_name_the_next_one_counts(blank: str) -> None:
    client = FakeClient(users={"user": {"profile": {"display_name": blank, "real_name": "Bob"}}})
    assert (await names([0.0]).look_up(client, BOB)).users == {"U7": "Bob"}


async def test_all_groups_are_known_by_one_answer() -> None:
    directory = names([0.0])
    client = FakeClient(groups={"usergroups": [{"id": "S1", "name": "Art"}, {"id": "S2"}, None]})
    found = await directory.look_up(client, References(groups=("S1", "S2", "S3")))
    assert found.groups == {"S1": "Art"}
    assert (await directory.look_up(client, References(groups=("S1",)))).groups == {"S1": "Art"}
    assert client.asked == ["groups"]


async def test_the_bot_itself_is_not_looked_up() -> None:
    client = FakeClient()
    await names([0.0]).look_up(client, References(users=("UBOT",)))
    assert client.asked == []
