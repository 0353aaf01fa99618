"""The admins and owners of the workspace, by `users.list`, which needs the scope `users:read`."""

from __future__ import annotations

import logging
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web_api import call, with_retries
from bot.domain.members import member_of

log = logging.getLogger(__name__)

_PAGE = 1_000
"""People of one answer, the most that Slack gives."""
_MOST_PAGES = 20


class WorkspaceAdmins:
    def __init__(self, client: AsyncWebClient, workspace: str) -> None:
        self._client = client
        self._workspace = workspace

    async def user_ids(self) -> frozenset[str]:
        """Raises `SlackRefused` or `SlackUnavailable`. Of a workspace of more than 20,000 people
        not all may be found."""
        found, cursor = set[str](), ""
        for _ in range(_MOST_PAGES):
            listing = partial(call, self._client.users_list, limit=_PAGE, cursor=cursor)
            page = await with_retries(listing)
            people = page.get("members") or []
            found |= {p["id"] for p in people if member_of(p).is_admin_of(self._workspace)}
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        else:
            log.warning("the workspace has too many people: not all of its admins are known")
        return frozenset(found)
