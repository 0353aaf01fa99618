"""Who may change the limits: the people in `ADMINS`, and the workspace's admins and owners where
the scope `users:read` allows to look them up."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.members import Member
from bot.domain.policy import Person
from bot.domain.refusals import Reason, Refusal
from bot.slack.identity import Identity
from bot.slack.members import MemberDirectory


class Admins:
    """`named` are the user ids of `ADMINS`."""

    def __init__(
        self, named: frozenset[str], identity: Identity, directory: MemberDirectory | None = None
    ) -> None:
        self._named = named
        self._identity = identity
        self._directory = directory or MemberDirectory()

    async def require(self, client: AsyncWebClient, person: Person) -> None:
        """Raises `Refusal`."""
        if not await self.includes(client, person):
            raise Refusal(Reason.NOT_ADMIN)

    async def includes(self, client: AsyncWebClient, person: Person) -> bool:
        """Whether the person is an admin. Only people of the installation are. Raises `Refusal`
        where Slack does not tell."""
        if person.org != self._identity.installation:
            return False
        if person.user in self._named:
            return True
        if not self._identity.has_scope("users:read"):
            return False
        return self._is_admin(await self._directory.look_up(client, person.user))

    def _is_admin(self, member: Member) -> bool:
        """Limits of a bot that is installed in the whole organisation are set by the organisation's
        admins."""
        if self._identity.org_wide:
            return member.is_org_admin and not (member.is_guest or member.is_stranger)
        return member.is_admin_of(self._identity.team_id)
