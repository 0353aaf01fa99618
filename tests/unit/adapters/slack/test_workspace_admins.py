"""Who the admins of a workspace are, by Slack's list of its people."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.adapters.slack.workspace_admins import WorkspaceAdmins
from bot.domain.errors import SlackRefused

PEOPLE: list[dict[str, Any]] = [
    {"id": "UADMIN", "team_id": "T1", "is_admin": True},
    {"id": "UOWNER", "team_id": "T1", "is_owner": True},
    {"id": "UPRIMARY", "team_id": "T1", "is_primary_owner": True},
    {"id": "U1", "team_id": "T1"},
    {"id": "UGONE", "team_id": "T1", "is_admin": True, "deleted": True},
    {"id": "UBOT", "team_id": "T1", "is_admin": True, "is_bot": True},
    {"id": "UGUEST", "team_id": "T1", "is_admin": True, "is_restricted": True},
    {"id": "UELSEWHERE", "team_id": "T2", "is_admin": True},
    {"id": "UGRID", "team_id": "T2", "is_admin": True, "enterprise_user": {"teams": ["T1"]}},
    {"id": "USTRANGER", "team_id": "T1", "is_admin": True, "is_stranger": True},
]


class Pages(AsyncWebClient):
    """`users.list` with so many people on a page."""

    def __init__(self, size: int, error: str = "") -> None:
        super().__init__("xoxb-test")
        self.size, self.error = size, error

    async def users_list(self, **asked: Any) -> AsyncSlackResponse:
        at = int(asked["cursor"] or 0)
        after = str(at + self.size) if at + self.size < len(PEOPLE) else ""
        found: dict[str, Any] = {
            "members": PEOPLE[at : at + self.size],
            "response_metadata": {"next_cursor": after},
        }
        if self.error:
            found = {"ok": False, "error": self.error}
        answer = AsyncSlackResponse(
            client=self, http_verb="POST", api_url="", req_args={}, data=found,
            headers={}, status_code=200,
        )  # fmt: skip
        if self.error:
            refused: Exception = SlackApiError(self.error, answer)  # type: ignore[no-untyped-call]
            raise refused
        return answer


@pytest.mark.parametrize("size", [1, 3, 99])
async def test_admins_and_owners_of_the_workspace_are_found_on_every_page(size: int) -> None:
    found = await WorkspaceAdmins(Pages(size), "T1").user_ids()
    assert found == {"UADMIN", "UOWNER", "UPRIMARY", "UGRID"}


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "service_unavailable"])
async def test_a_busy_slack_is_asked_again(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Pages(3, error)

    async def answer_again(seconds: float) -> None:
        pages.error = ""

    monkeypatch.setattr("bot.adapters.slack.web_api.sleep_without_slot", answer_again)
    assert len(await WorkspaceAdmins(pages, "T1").user_ids()) == 4


async def test_a_refusal_is_raised() -> None:
    with pytest.raises(SlackRefused):
        await WorkspaceAdmins(Pages(1, "missing_scope"), "T1").user_ids()
